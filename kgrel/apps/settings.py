"""Settings of the applications. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoSettings:
    """The demonstration on a generated world."""

    seed: int = 0
    """Seed of the world and of everything trained on it."""
    shuffled: bool = False
    """Shuffle the wording among the sentences first: a control in which text says nothing about the pairs."""
