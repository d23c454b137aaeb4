from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from kgrel.synthetic.names import Entity, make_entities
from kgrel.synthetic.vocabulary import grammar_words

DICTIONARIES = Path(__file__).parents[2].parent / "shared" / "data" / "dictionaries"


@pytest.fixture(scope="module")
def entities() -> tuple[Entity, ...]:
    return make_entities(np.random.default_rng(5), 400, 300, 300)


def test_no_two_entities_share_a_name_in_any_case(entities: tuple[Entity, ...]) -> None:
    names = [name.casefold() for entity in entities for name in entity.names]
    assert len(set(names)) == len(names)


def test_no_name_contains_another_as_whole_words(entities: tuple[Entity, ...]) -> None:
    names = {name.casefold() for entity in entities for name in entity.names}
    for name in names:
        words = name.split()
        parts = {
            " ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1) if j - i < len(words)
        }
        assert not parts & names


def test_names_are_long_enough_to_be_tagged_and_no_words_of_the_grammar(entities: tuple[Entity, ...]) -> None:
    for entity in entities:
        for name in entity.names:
            assert len(name) >= 3
            assert name.casefold() not in grammar_words()


def test_symbols_look_like_symbols(entities: tuple[Entity, ...]) -> None:
    symbols = [entity.name for entity in entities if entity.type == "GENE"]
    assert all(re.fullmatch(r"[A-Z]{2,4}\d{1,2}[A-Z]?", symbol) for symbol in symbols)
    assert {len(symbol) <= 5 for symbol in symbols} == {True, False}


def test_ids_are_unique_among_all_types(entities: tuple[Entity, ...]) -> None:
    assert len({entity.id for entity in entities}) == len(entities)


@pytest.mark.parametrize("file", ["diseases.tsv.gz", "chemicals.tsv.gz"])
def test_names_are_invented(entities: tuple[Entity, ...], file: str) -> None:
    if not (DICTIONARIES / file).exists():
        pytest.skip("the real dictionaries are not here")
    with gzip.open(DICTIONARIES / file, "rt", encoding="utf-8") as stream:
        real = {name.casefold() for line in stream for name in re.split(r"[\t|]", line)}
    invented = {name.casefold() for entity in entities for name in entity.names if entity.type != "GENE"}
    assert not invented & real
