"""Settings of the evaluation. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrel.data.errors import KgrelError

LEAST_DRAWS = 20
"""Fewer say nothing about a 95 % interval, and might leave a figure undefined on every one of them."""


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
    seed: int = 0
    """Seed of the bootstrap."""

    def __post_init__(self) -> None:
        if self.draws < LEAST_DRAWS:
            raise KgrelError(f"draws must be at least {LEAST_DRAWS}, not {self.draws}")
        if self.seed < 0:
            raise KgrelError(f"seed must not be negative, but is {self.seed}")
