"""Settings of the applications. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

from kgrel.data.settings import require
from kgrel.graph.settings import WalkSettings
from kgrel.score.settings import CombineSettings
from kgrel.train.settings import Device


@dataclass(frozen=True)
class DemoSettings:
    """The demonstration on a generated world."""

    seed: int = 0
    """Seed of the world and of everything trained on it."""
    shuffled: bool = False
    """Shuffle the wording among the sentences first: a control in which text says nothing about the pairs."""


@dataclass(frozen=True)
class SubgraphSettings(WalkSettings):
    """Which paths between two entities are exported.

    Raises:
        KgrelError: a value is out of range.
    """

    top: int = 10
    """Most paths, the heaviest first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, {"top": 1}, (), ())


@dataclass(frozen=True)
class TrainCombinedSettings(CombineSettings):
    """The split and the seed of all members, and how they are weighed.

    Raises:
        KgrelError: a value is out of range.
    """

    title: str = "kgrel combined"
    """What it is called in tables. Empty = the titles of the members, joined by +."""
    device: Device = "auto"
    """Where to compute."""
