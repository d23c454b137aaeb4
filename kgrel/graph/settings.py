"""Settings of the graph import and of paths. Loads neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from kgrel.data.errors import KgrelError
from kgrel.data.settings import require

GraphFormat = Literal["hetionet", "kgx", "tsv", "primekg"]


@dataclass(frozen=True)
class ImportSettings:
    """How the files of a graph are read."""

    format: GraphFormat = "hetionet"
    """hetionet: NODES with id, name, kind, and EDGES as SIF with source, metaedge, target. kgx: NODES and EDGES as .tsv
    or .jsonl. tsv: EDGES with head, relation, tail, head_type, tail_type, with or without NODES (id, type, name).
    primekg: its kg.csv alone."""
    strict: bool = False
    """Refuse the graph if any edge dangles, repeats another or joins a node with itself, or a node stands twice.
    Otherwise such rows are counted and listed; all are left out but the loops."""


@dataclass(frozen=True)
class WalkSettings:
    """How paths are weighed, see :mod:`kgrel.graph.walks`.

    Raises:
        KgrelError: a value is out of range.
    """

    longest: int = 3
    """Most edges of a path: 2 or 3."""
    damping: float = 0.5
    """The weight of a step between two nodes falls as the power -w of the product of their degrees; 0 = hubs count
    like others."""

    def __post_init__(self) -> None:
        if self.longest not in (2, 3):
            raise KgrelError(f"longest must be 2 or 3 edges, not {self.longest}")
        if not 0 <= self.damping < inf:
            raise KgrelError(f"damping must be at least 0, not {self.damping}")


@dataclass(frozen=True)
class PathSettings(WalkSettings):
    """How the paths between two entities become contexts of their pair.

    Raises:
        KgrelError: a value is out of range.
    """

    paths: int = 8
    """Draws for each pair with --from-graph; of equal paths one is kept, so that a pair has at most so many."""
    node_ids: bool = False
    """Give each inner node a token of its own beside that of its type."""
    unlinked: float = 1.0
    """Without --pairs: random pairs without edge for each joined pair of the same types."""
    most_pairs: int = 0
    """Without --pairs: most joined pairs of two types, drawn by the seed; 0 = all."""
    seed: int = 0
    """Seed of the paths and pairs drawn."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, {"paths": 1, "most_pairs": 0, "seed": 0}, (), ())
        if not 0 <= self.unlinked < inf:
            raise KgrelError(f"unlinked must be at least 0, not {self.unlinked}")
