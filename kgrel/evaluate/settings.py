"""Settings of the evaluation. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrel.data.errors import KgrelError

LEAST_DRAWS = 20
"""Fewer say nothing about a 95 % interval, and might leave a figure undefined on every one of them."""


def enough_draws(draws: int) -> None:
    """Refuse fewer than :data:`LEAST_DRAWS`.

    Raises:
        KgrelError: they are fewer.
    """
    if draws < LEAST_DRAWS:
        raise KgrelError(f"draws must be at least {LEAST_DRAWS}, not {draws}")


@dataclass(frozen=True)
class EvaluationSettings:
    """How a pair classifier is evaluated.

    Raises:
        KgrelError: a value is out of range.
    """

    part: Literal["test", "validation"] = "test"
    """Part of the split that is reported: test, or validation while choosing settings."""
    draws: int = 1000
    """Bootstrap draws for the intervals."""
    baselines: bool = True
    """Evaluate the baselines beside the model."""
    bins: int = 10
    """Bins of the expected calibration error and the reliability table, each with about as many pairs."""
    by_frequency: bool = False
    """Ask as well whether pairs that are rare in text are scored less confidently: spread, entropy and disagreement
    against the number of contexts, with the counts of both entities and the label held constant."""
    seed: int = 0
    """Seed of the bootstrap."""

    def __post_init__(self) -> None:
        enough_draws(self.draws)
        if self.bins < 1:
            raise KgrelError(f"bins must be at least 1, not {self.bins}")
        if self.seed < 0:
            raise KgrelError(f"seed must not be negative, but is {self.seed}")


@dataclass(frozen=True)
class RankingSettings:
    """How link prediction is evaluated.

    Raises:
        KgrelError: a value is out of range.
    """

    part: Literal["test", "validation"] = "test"
    """Part of the split whose listed pairs are asked for: test, or validation while choosing settings."""
    edges: int = 0
    """Ask for so many listed pairs, a random choice. 0 = all."""
    draws: int = 1000
    """Bootstrap draws for the intervals of the MRR."""
    seed: int = 0
    """Seed of the choice and of the bootstrap."""

    def __post_init__(self) -> None:
        enough_draws(self.draws)
        for name in ("edges", "seed"):
            if getattr(self, name) < 0:
                raise KgrelError(f"{name} must not be negative, but is {getattr(self, name)}")
