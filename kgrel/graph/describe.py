"""What a graph holds, to look at before using it: counts by type, degrees, components."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kgrel.data.files import atomic_file
from kgrel.data.printing import printable
from kgrel.graph.graph import EdgeType, Graph
from kgrel.metrics.histograms import Histogram, bars, figure_of, powers, quantiles

HUBS = 10
"""Nodes of the largest degree that are named."""


def describe_graph(graph: Graph) -> dict[str, Any]:
    """Nodes by type with the quantiles of their degrees, edges by type, hubs, isolated nodes, components."""
    degrees = graph.degrees
    summary = graph.artifact.manifest.summary if graph.artifact is not None else {}
    return {
        **summary,
        "isolated_nodes": int((degrees == 0).sum()),
        "components": _components(graph),
        "nodes_by_type": {
            printable(name): {"nodes": len(rows), "degree": quantiles(degrees[rows.start : rows.stop])}
            for name, rows in graph.node_types.items()
        },
        "edges_by_type": {spelled(type_): _edge_facts(graph, type_) for type_ in graph.edge_types},
        "hubs": [[_node(graph, row), int(degrees[row])] for row in np.argsort(-degrees, kind="stable")[:HUBS].tolist()],
    }


def spelled(type_: EdgeType) -> str:
    """An edge type for people: ``DISEASE -DaG-> GENE``."""
    return printable(f"{type_.head} -{type_.relation}-> {type_.tail}")


def _edge_facts(graph: Graph, type_: EdgeType) -> dict[str, int]:
    heads, tails = graph.ends[:, type_.edges]
    forth, back = heads * len(graph.entities) + tails, tails * len(graph.entities) + heads
    both = int(np.isin(forth, back).sum()) if type_.head == type_.tail else 0
    found = {"edges": type_.size, "heads": len(np.unique(heads)), "tails": len(np.unique(tails))}
    return found | {"in_both_directions": both}


def _components(graph: Graph) -> dict[str, int]:
    size = len(graph.entities)
    ones = np.ones(graph.edge_count, np.int8)
    count, labels = connected_components(coo_array((ones, (graph.ends[0], graph.ends[1])), (size, size)), False)
    return {"number": int(count), "nodes_of_the_largest": int(np.bincount(labels).max())}


def _node(graph: Graph, row: int) -> str:
    table = graph.entities
    return printable(f"{table.names[row] or table.ids[row]} ({table.types[row]} {table.ids[row]})")


def histograms(graph: Graph) -> list[Histogram]:
    """Degrees of the nodes of each type that has edges, in powers of two."""
    found = []
    for name, rows in graph.node_types.items():
        degrees = graph.degrees[rows.start : rows.stop]
        if degrees.any():
            found.append((f"edges of a node: {printable(name)}", bars(degrees, powers(degrees))))
    return found


def draw_histograms(graph: Graph, path: Path, overwrite: bool = False) -> None:
    """Draw the histograms into a PNG file.

    Raises:
        KgrelError: the file exists and ``overwrite`` is false, or cannot be written.
    """
    figure = figure_of(histograms(graph))
    with atomic_file(path, overwrite) as partial:
        figure.savefig(partial, format="png")
