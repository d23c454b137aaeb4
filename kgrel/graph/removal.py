"""Held-out pairs leave the graph before paths, degrees or embeddings are computed from it.

An edge of any type, in either direction, between the two entities of a held-out pair tells what is to be predicted:
types run parallel (GcG and Gr>G to GiG, DuG and DdG to DaG).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.graph.graph import EdgeType, Graph, Ints

Flags = npt.NDArray[np.bool_]


def edges_between(graph: Graph, heads: Ints, tails: Ints) -> Flags:
    """Which edges join the two nodes of a pair, in either direction (E,).

    Args:
        heads, tails: rows of nodes (n,), in any order; a pair with a row of −1 (not in the graph) joins nothing.
    """
    known = (heads >= 0) & (tails >= 0)
    between: Flags = np.isin(pair_keys(graph, *graph.ends), pair_keys(graph, heads[known], tails[known]))
    return between


def joined(graph: Graph, heads: Ints, tails: Ints) -> Flags:
    """Which pairs have an edge of any type, in either direction, between them (n,)."""
    known = (heads >= 0) & (tails >= 0)
    found: Flags = known & np.isin(pair_keys(graph, heads, tails), pair_keys(graph, *graph.ends))
    return found


def pair_keys(graph: Graph, heads: Ints, tails: Ints) -> Ints:
    """Each unordered pair of rows as one number (n,)."""
    keys: Ints = np.minimum(heads, tails) * len(graph.entities) + np.maximum(heads, tails)
    return keys


def without_pairs(graph: Graph, heads: Ints, tails: Ints) -> Graph:
    """The graph without any edge between the two nodes of a pair; its nodes and their rows stay.

    Args:
        heads, tails: see :func:`edges_between`.
    """
    stays = ~edges_between(graph, heads, tails)
    before = np.concatenate([[0], np.cumsum(stays)])
    types = [EdgeType(t.head, t.relation, t.tail, int(before[t.begin]), int(before[t.end])) for t in graph.edge_types]
    return Graph(graph.entities, graph.ends[:, stays], [type_ for type_ in types if type_.size], graph.artifact)


def removal_report(graph: Graph, heads: Ints, tails: Ints) -> dict[str, Any]:
    """What :func:`without_pairs` takes away.

    Returns:
        ``pairs``; ``pairs_outside`` (an entity is no node); ``pairs_joined``; ``pairs_joined_by_several`` (parallel or
        reversed edges); ``edges``, and ``edges_by_type``; ``edges_left`` between the pairs afterwards, which is 0.
    """
    between = edges_between(graph, heads, tails)
    _, counts = np.unique(pair_keys(graph, *graph.ends[:, between]), return_counts=True)
    by_type: dict[str, int] = {}
    for type_ in graph.edge_types:
        if count := int(between[type_.edges].sum()):
            by_type[type_.relation] = by_type.get(type_.relation, 0) + count
    left = without_pairs(graph, heads, tails)
    return {
        "pairs": len(heads),
        "pairs_outside": int(((heads < 0) | (tails < 0)).sum()),
        "pairs_joined": len(counts),
        "pairs_joined_by_several": int((counts > 1).sum()),
        "edges": int(between.sum()),
        "edges_by_type": by_type,
        "edges_left": int(edges_between(left, heads, tails).sum()),
    }
