"""Toy pairs, and a corpus and a representation that know no chemicals."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from kgrel.data.artifact import Artifact, Kind, open_artifact
from kgrel.data.entities import EntityTable
from kgrel.data.relations import RelationCounts, ResolvedRelations
from kgrel.data.settings import from_json
from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import PairData, Rows
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PairSettings, PretrainSettings
from kgrel.train.splits import assemble_pairs

TYPES = ("CHEMICAL", "DISEASE", "GENE")
CLASSES = {0: [(1, 2)], 1: [(1, 2), (2, 2)], 2: [(0, 2)]}
"""Class → the types it is listed for; DISEASE-GENE has two classes, CHEMICAL-DISEASE none."""


class Toy(NamedTuple):
    """What :func:`kgrel.train.pair_data.assemble_pairs` is given."""

    entities: EntityTable
    comentions: tuple[Rows, Rows, Rows]
    relations: ResolvedRelations

    def assemble(self, settings: PairSettings) -> PairData:
        return assemble_pairs(self.entities, self.comentions, self.relations, settings)

    @property
    def listed(self) -> set[tuple[int, int]]:
        return set(zip(self.relations.heads.tolist(), self.relations.tails.tolist(), strict=True))


def keys_of(data: PairData, chosen: Any = slice(None)) -> set[frozenset[int]]:
    """Pairs without their order."""
    return {frozenset(pair) for pair in zip(data.heads[chosen].tolist(), data.tails[chosen].tolist(), strict=True)}


def toy_of(seed: int, entities: int = 36, comentioned: int = 300, listed: int = 90) -> Toy:
    rng = np.random.default_rng(seed)
    types = np.arange(entities) % len(TYPES)
    ids = [f"e{row}" for row in range(entities)]
    table = EntityTable([TYPES[t] for t in types], ids, ids, [[] for _ in ids])
    heads, tails = np.triu_indices(entities, 1)
    chosen = np.sort(rng.permutation(len(heads))[:comentioned])
    comentions = heads[chosen], tails[chosen], rng.integers(1, 9, comentioned)
    cells = [
        (head, tail, class_)
        for head, tail in zip(heads.tolist(), tails.tolist(), strict=True)
        for class_, allowed in CLASSES.items()
        if tuple(sorted((types[head], types[tail]))) in allowed
    ]
    triples = np.array(sorted(cells[i] for i in rng.permutation(len(cells))[:listed]), dtype=np.int64)
    counts = RelationCounts(listed, 0, 0, 0, 0, listed)
    relations = ResolvedRelations(triples[:, 0], triples[:, 1], triples[:, 2], ["a", "b", "c"], counts)
    return Toy(table, comentions, relations)


@pytest.fixture(scope="session")
def make_toy() -> Callable[..., Toy]:
    """Random types, co-mentions and listed pairs as a function of the seed."""
    return toy_of


@pytest.fixture
def toy_prior() -> RELVM:
    """An untrained tiny model of the toy's 36 entities."""
    return RELVM(SIZES["tiny"], entities=36, words=5)


@pytest.fixture(scope="session")
def corpus(corpus_path: Path) -> Corpus:
    return Corpus.open(corpus_path)


@pytest.fixture(scope="session")
def tiny_settings(representation_path: Path) -> PretrainSettings:
    """The settings that the session's representation was trained with."""
    settings = open_artifact(representation_path, Kind.REPRESENTATION).manifest.settings
    return from_json(PretrainSettings, settings)


@pytest.fixture(scope="session")
def narrow_corpus(world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The small world as seen by who has no lexicon of chemicals."""
    out = tmp_path_factory.mktemp("narrow") / "corpus"
    lexicons = [("GENE", world_files["genes.tsv"]), ("DISEASE", world_files["diseases.tsv"])]
    build_corpus([world_files["sentences.tsv"]], lexicons, out)
    return Corpus.open(out)


@pytest.fixture(scope="session")
def narrow_representation(narrow_corpus: Corpus, tiny_settings: PretrainSettings) -> Artifact:
    """A REPR artifact that knows no chemicals."""
    settings = dataclasses.replace(tiny_settings, steps=3)
    return pretrain(narrow_corpus, narrow_corpus.artifact.path.with_name("repr"), settings)
