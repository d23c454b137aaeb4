from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kgrel.data.errors import InputError
from kgrel.text.corpus import Corpus
from kgrel.text.relvm_import import import_relvm

WORDS = ["<PAD>", "<ENT>", "binds", "<UNK>", "the"]
ENTITIES = ["Gene::7", "DOID:1", "loose"]
CONTEXTS = [[4, 1, 2, 1, 0], [1, 3, 1, 0, 0], [1, 1, 0, 0, 0]]


def write_layout(directory: Path, **changes: object) -> Path:
    directory.mkdir(exist_ok=True)
    arrays = {"entities_x": [0, 1, 2], "entities_y": [1, 0, 0], "contexts": CONTEXTS} | changes
    (directory / "vocab.json").write_text(json.dumps(arrays.pop("vocab", WORDS)))
    (directory / "entity_types.json").write_text(json.dumps(arrays.pop("entity_types", ENTITIES)))
    for name, values in arrays.items():
        content = values if isinstance(values, bytes) else np.array(values, np.uint16).tobytes()
        (directory / f"{name}.mmap").write_bytes(content)
    return directory


def test_contexts_entities_and_words_are_those_of_the_layout(tmp_path: Path) -> None:
    corpus = Corpus.open(import_relvm(write_layout(tmp_path / "relvm"), tmp_path / "corpus").path)
    assert list(zip(corpus.entities.types, corpus.entities.ids, strict=True)) == [
        ("DISEASE", "DOID:1"),
        ("ENTITY", "loose"),
        ("GENE", "7"),
    ]
    assert corpus.contexts.heads.tolist() == [2, 0, 1]
    assert corpus.contexts.tails.tolist() == [0, 2, 2]
    spelled = [[corpus.words[token] for token in corpus.contexts.row(row).tokens] for row in range(3)]
    assert spelled == [
        ["the", "<ENT>", "binds", "<ENT>", "<END>"],
        ["<ENT>", "<UNK>", "<ENT>", "<END>"],
        ["<ENT>", "<ENT>", "<END>"],
    ]
    assert dict(zip(corpus.words, corpus.word_counts.tolist(), strict=True)) == {
        "<PAD>": 0, "<UNK>": 1, "<ENT>": 6, "<END>": 3, "binds": 1, "the": 1,
    }  # fmt: skip
    assert corpus.pairs.lookup([0], [2]).tolist() == [2]


def test_mentions_of_an_imported_context_are_names_of_its_entities(tmp_path: Path) -> None:
    corpus = Corpus.open(import_relvm(write_layout(tmp_path / "relvm"), tmp_path / "corpus").path)
    evidence = corpus.sentence_of(0)
    assert evidence.text == "the Gene::7 binds DOID:1"
    assert (evidence.text[slice(*evidence.head)], evidence.text[slice(*evidence.tail)]) == ("Gene::7", "DOID:1")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vocab": ["a"] * 2}, "lists a value twice"),
        ({"vocab": [str(n) for n in range(65_537)]}, "have wrapped"),
        ({"vocab": {"a": 1}}, "no JSON list"),
        ({"vocab": WORDS[:4]}, "holds the number 4, but its list has 4 values"),
        ({"vocab": ["<PAD>", "a", "b", "c", "d"]}, "--mention"),
        ({"entity_types": ENTITIES[:2]}, "holds the number 2"),
        ({"entity_types": ["Gene::7", "GENE::7", "x"]}, "lists an entity twice"),
        ({"entities_y": [1, 0]}, "holds 2 numbers"),
        ({"entities_y": b"abc"}, "no numbers of two bytes"),
        ({"contexts": [[1, 1], [1, 1]]}, "no whole rows of 3 contexts"),
        ({"contexts": [[1, 1], [1, 2], [1, 1]]}, "context 1 does not hold two mentions"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        import_relvm(write_layout(tmp_path / "relvm", **changes), tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize("name", ["vocab.json", "contexts.mmap"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (write_layout(tmp_path / "relvm") / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        import_relvm(tmp_path / "relvm", tmp_path / "corpus")


def test_other_special_tokens_can_be_named(tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "relvm", vocab=["fill", "@X", "binds", "u", "the"])
    corpus = Corpus.open(import_relvm(layout, tmp_path / "corpus", pad="fill", mention="@X").path)
    assert corpus.contexts.lengths.tolist() == [5, 4, 3]
