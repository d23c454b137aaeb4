"""Settings of the applications. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

from kgrel.data.errors import KgrelError


@dataclass(frozen=True)
class DemoSettings:
    """The demonstration on a generated world."""

    seed: int = 0
    """Seed of the world and of everything trained on it."""
    shuffled: bool = False
    """Shuffle the wording among the sentences first: a control in which text says nothing about the pairs."""


@dataclass(frozen=True)
class SubgraphSettings:
    """Which paths between two entities are exported.

    Raises:
        KgrelError: a value is out of range.
    """

    top: int = 10
    """Most paths, the heaviest first."""
    longest: int = 3
    """Most edges of a path: 2 or 3."""
    damping: float = 0.5
    """The weight of a step between two nodes falls as the power -w of the product of their degrees; 0 = hubs count
    like others."""

    def __post_init__(self) -> None:
        if self.top < 1:
            raise KgrelError(f"top must be at least 1, not {self.top}")
        if self.longest not in (2, 3):
            raise KgrelError(f"longest must be 2 or 3 edges, not {self.longest}")
        if not 0 <= self.damping < float("inf"):
            raise KgrelError(f"damping must be at least 0, not {self.damping}")
