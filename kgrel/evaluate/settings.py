"""Settings of the evaluation. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EvaluationSettings:
    """How a pair classifier is evaluated."""

    part: Literal["test", "validation"] = "test"
    """Part of the split that is reported: test, or validation while choosing settings."""
    draws: int = 1000
    """Bootstrap draws for the intervals."""
    baselines: bool = True
    """Evaluate the baselines beside the model."""
    seed: int = 0
    """Seed of the bootstrap."""
