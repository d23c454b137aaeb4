"""Settings of the cross-validation of sentences. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrel.data.errors import KgrelError
from kgrel.evaluate.settings import enough_draws


@dataclass(frozen=True)
class CrossValidationSettings:
    """How a classifier of sentences is cross-validated.

    Raises:
        KgrelError: a value is out of range.
    """

    folds: int = 10
    """Folds: the directories 1, 2, … of DIR, each with train.tsv and test.tsv."""
    protocol: Literal["published", "grouped"] = "published"
    """Folds as they are published, which have some sentences on both sides; or dealt anew, identical sentences in one
    fold."""
    seeds: tuple[int, ...] = (0,)
    """Seed of a whole cross-validation: inner validation sentences, initialisation, batches, noise."""
    draws: int = 2000
    """Bootstrap draws of the paired test; sentences are resampled, identical ones together."""

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise KgrelError(f"folds must be at least 2, not {self.folds}")
        if not self.seeds or min(self.seeds) < 0:
            raise KgrelError("seeds must be given, none of them negative")
        if len(set(self.seeds)) < len(self.seeds):
            raise KgrelError(f"seeds: one stands twice in {', '.join(map(str, self.seeds))}")
        enough_draws(self.draws)
