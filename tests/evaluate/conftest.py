"""A model whose scores are given, on labelled pairs of two types, with two classes for one of the type pairs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from kgrel.train.pair_data import ClassTable, PairData
from kgrel.train.settings import PairSettings
from kgrel.train.splits import split_parts

SIZE = 45
SETTINGS = PairSettings(validation_share=0.3, test_share=0.3, batch_size=64, batch_negatives=48)


def labelled_pairs() -> PairData:
    """Pairs of 45 entities; the last ten have no training label, so their pairs are not covered."""
    rng = np.random.default_rng(5)
    heads, tails = np.triu_indices(SIZE, 1)
    type_rows = np.arange(SIZE) % 2
    allowed = np.zeros((2, 2, 3), dtype=np.bool_)
    allowed[0, 1, :2] = allowed[1, 0, :2] = allowed[1, 1, 2] = True
    classes = ClassTable(["DaG", "DuG", "GENE-GENE"], ["DISEASE", "GENE"], allowed)
    possible = classes.possible(type_rows, heads, tails)
    keep = possible.any(axis=1) & (rng.random(len(heads)) < 0.8)
    heads, tails, possible = heads[keep], tails[keep], possible[keep]
    labels = possible & (rng.random(possible.shape) < 0.15) & (np.maximum(heads, tails) < SIZE - 10)[:, None]
    parts = split_parts(labels.any(axis=1), SETTINGS)
    return PairData(classes, type_rows, heads, tails, labels, parts, rng.integers(1, 30, len(heads)))


@dataclass
class GivenScores:
    """What an evaluation needs of a model; scores know something of the labels, and tie often."""

    data: PairData
    settings: PairSettings = SETTINGS
    scores: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.scores:
            rng = np.random.default_rng(6)
            values = np.round(0.35 * self.data.labels + rng.random(self.data.labels.shape) * 0.6 + 0.01, 2)
            keys = zip(self.data.heads.tolist(), self.data.tails.tolist(), strict=True)
            self.scores = dict(zip(keys, values, strict=True))

    @property
    def title(self) -> str:
        return "kgrel"

    @property
    def classes(self) -> list[str]:
        return self.data.classes.names

    def predict(self, heads: np.ndarray, tails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        keys = zip(heads.tolist(), tails.tolist(), strict=True)
        mean = np.array([self.scores[key] for key in keys]).reshape(len(heads), 3)
        return mean, np.zeros_like(mean)

    def with_labels(self, labels: np.ndarray) -> GivenScores:
        """The same scores under other labels."""
        return GivenScores(replace(self.data, labels=labels), self.settings, self.scores)

    def per_class(self) -> GivenScores:
        """The same model with one threshold a class."""
        return GivenScores(self.data, replace(self.settings, per_class_thresholds=True), self.scores)


@pytest.fixture(scope="session")
def given() -> GivenScores:
    """The model with the given scores."""
    return GivenScores(labelled_pairs())
