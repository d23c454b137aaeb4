"""A scorer of a few entities whose scores are known by a formula, so that tests can say what must come out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from kgrel.data.entities import EntityTable

Rows = npt.NDArray[np.int64]

ENTITIES = [
    ("CHEMICAL", "7", ["DB07"]),
    ("CHEMICAL", "DB00001", []),
    ("DISEASE", "DOID:1612", ["DOID:9917"]),
    ("DISEASE", "DOID:2", []),
    ("GENE", "1", ["901", "902"]),
    ("GENE", "207", []),
    ("GENE", "7", []),
    ("PATHWAY", "PW1", []),
]
"""Type, id, alternative ids. The id 7 stands under two types; no class relates a pathway."""

CLASSES = {
    "CHEMICAL-GENE": ("CHEMICAL", "GENE"),
    "DaG": ("DISEASE", "GENE"),
    "DuG": ("DISEASE", "GENE"),
    "GENE-GENE": ("GENE", "GENE"),
}
LISTED = {(2, 4): ["DaG", "DuG"], (4, 5): ["GENE-GENE"]}
"""Entity rows, the smaller one first, and the classes that are listed for them."""


class FormulaScorer:
    """Satisfies :class:`kgrel.score.scorer.Scorer` without a model; scores are a formula of the unordered pair."""

    def __init__(self) -> None:
        types, ids, others = map(list, zip(*ENTITIES, strict=True))
        self.entities = EntityTable(types, ids, ids, others)
        self.classes = list(CLASSES)
        self.thresholds = np.array([0.5, 0.4, 0.4, 0.5])
        self.calls = 0

    def predict(self, heads: Rows, tails: Rows) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        self.calls += 1
        low, high = np.minimum(heads, tails)[:, None], np.maximum(heads, tails)[:, None]
        score = (7 * low + 13 * high + 29 * np.arange(len(self.classes))) % 97 / 97
        return score, score / 10

    def quick(self, heads: Rows, tails: Rows) -> npt.NDArray[np.float64]:
        return np.asarray(np.where(self.possible(heads, tails), self.predict(heads, tails)[0], -1).max(axis=1))

    def possible(self, heads: Rows, tails: Rows) -> npt.NDArray[np.bool_]:
        pairs = [{self.entities.types[h], self.entities.types[t]} for h, t in zip(heads, tails, strict=True)]
        found = [[pair == set(types) for types in CLASSES.values()] for pair in pairs]
        return np.array(found, dtype=np.bool_).reshape(len(heads), len(self.classes))

    def contexts(self, heads: Rows, tails: Rows) -> Rows:
        return np.asarray((heads + tails) % 3, dtype=np.int64)

    def known(self, heads: Rows, tails: Rows) -> list[str | None]:
        keys = [(min(pair), max(pair)) for pair in zip(heads.tolist(), tails.tolist(), strict=True)]
        return ["|".join(LISTED[key]) if key in LISTED else None for key in keys]


@pytest.fixture
def scorer() -> FormulaScorer:
    """A fresh scorer; ``calls`` counts how often it was asked."""
    return FormulaScorer()
