"""Predicted edges for graph databases and viewers: one Edge record, one writer a file.

scored list ─▶ selection ─▶ edges in batches ─▶ a writer ─▶ files, or a database
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgrel.export.adapters import biocypher_edges, biocypher_nodes, to_hetero_data, to_networkx
    from kgrel.export.bolt import delete_run, load
    from kgrel.export.dispatch import export_scored, write
    from kgrel.export.record import Edge, Node
    from kgrel.export.scored import select_edges

_HOMES = {
    "Edge": "record",
    "Node": "record",
    "biocypher_edges": "adapters",
    "biocypher_nodes": "adapters",
    "delete_run": "bolt",
    "export_scored": "dispatch",
    "load": "bolt",
    "select_edges": "scored",
    "to_hetero_data": "adapters",
    "to_networkx": "adapters",
    "write": "dispatch",
}
__all__ = [
    "Edge",
    "Node",
    "biocypher_edges",
    "biocypher_nodes",
    "delete_run",
    "export_scored",
    "load",
    "select_edges",
    "to_hetero_data",
    "to_networkx",
    "write",
]


def __getattr__(name: str) -> Any:
    # Found when first used, so that the settings can be imported for --help without pyarrow.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
