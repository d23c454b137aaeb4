"""Settings of the graph import. Loads neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
