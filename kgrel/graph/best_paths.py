"""The best paths between two nodes: all of two and three edges are weighed, those of the largest weight are given."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array

from kgrel.graph.walks import Walks


class WeighedPath(NamedTuple):
    """A path, parallel edges taken together."""

    nodes: tuple[int, ...]
    """Rows of its three or four nodes, all different."""
    weight: float
    """Product of the weights of its steps, see :mod:`kgrel.graph.walks`."""
    share: float
    """Of the weight of all paths of the pair."""


def best_paths(walks: Walks, head: int, tail: int, limit: int, longest: int = 3) -> list[WeighedPath]:
    """The heaviest simple paths, at most ``limit``, ties in the order of their nodes.

    Edges between the two nodes themselves are no path.

    Args:
        longest: 2 or 3 edges.
    """
    w = walks.weights
    size = w.shape[0]
    inner = np.ones(size)
    inner[[head, tail]] = 0.0
    first, last = ((w[[row]].toarray()[0]) * inner for row in (head, tail))  # (N,) each: W[x, a], W[b, y]
    between = np.flatnonzero(first * last)
    found = [(np.stack([between], axis=1), (first * last)[between])]
    if longest > 2:
        a, b = np.flatnonzero(first), np.flatnonzero(last)
        block: csr_array = w[a][:, b]
        entries = coo_array(block)
        weights = first[a][entries.row] * entries.data * last[b][entries.col]
        found.append((np.stack([a[entries.row], b[entries.col]], axis=1), weights))
    total = sum(float(weights.sum()) for _, weights in found)
    heaviest: list[WeighedPath] = []
    for nodes, weights in found:
        for place in np.argsort(-weights, kind="stable")[:limit].tolist():
            path = (head, *nodes[place].tolist(), tail)
            heaviest.append(WeighedPath(path, float(weights[place]), float(weights[place]) / total))
    return sorted(heaviest, key=lambda path: (-path.weight, path.nodes))[:limit]


def relations_of(walks: Walks, path: WeighedPath) -> list[list[str]]:
    """For each step of a path the relations of its edges, sorted, each once."""
    types = walks.graph.edge_types
    return [
        sorted({types[code // 2].relation for code in walks.codes_of(one, other)})
        for one, other in pairwise(path.nodes)
    ]


def line_of(walks: Walks, path: WeighedPath, names: list[str]) -> str:
    """``AKT1 –[GiG]– GSK3B –[DaG]– …``.

    Args:
        names: of all nodes of the graph.
    """
    told = names[path.nodes[0]]
    for node, relations in zip(path.nodes[1:], relations_of(walks, path), strict=True):
        told += f" –[{'|'.join(relations)}]– {names[node]}"
    return told
