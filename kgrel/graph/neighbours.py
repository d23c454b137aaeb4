"""The surroundings of some nodes, hop by hop: what a graph network needs to encode them.

A step is an edge type in one of its two directions, numbered as in :mod:`kgrel.graph.walks`: 2 · edge type, + 1 against
the arrow. At each hop a node looks at its neighbours of every step, all of them or a random choice. Loops are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kgrel.graph.graph import Graph, Ints


class Hop(NamedTuple):
    """Messages from one layer of nodes to the next; both are lists of nodes, and the next is part of the first."""

    sources: Ints
    """Place of the sending node in the first layer (m,)."""
    targets: Ints
    """Place of the receiving node in the next layer (m,)."""
    steps: Ints
    """Which step leads from the receiver to the sender (m,)."""
    own: Ints
    """Place of each node of the next layer in the first (n,)."""


class Surroundings(NamedTuple):
    """Nodes from which some others are encoded in several hops."""

    nodes: Ints
    """Rows of the nodes of the first layer (n₀,)."""
    hops: tuple[Hop, ...]
    """From the first layer to the second, and so on to the encoded nodes."""


class Neighbours:
    """Neighbours of each node by step.

    Args:
        graph: walked in both directions of each edge.

    Attributes:
        steps: number of steps, twice that of edge types.
    """

    def __init__(self, graph: Graph) -> None:
        self.size, self.steps = len(graph.entities), 2 * len(graph.edge_types)
        heads, tails = graph.ends
        codes = 2 * np.repeat(np.arange(len(graph.edge_types)), [type_.size for type_ in graph.edge_types])
        proper = heads != tails
        heads, tails, codes = heads[proper], tails[proper], codes[proper]
        keys = np.concatenate([heads * self.steps + codes, tails * self.steps + codes + 1])
        order = np.argsort(keys, kind="stable")
        self._sources = np.concatenate([tails, heads])[order]
        counts = np.bincount(keys, minlength=self.size * self.steps)
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    def around(
        self,
        nodes: Ints,
        most: tuple[int, ...],
        rng: np.random.Generator,
        barred: Ints | None = None,
    ) -> Surroundings:
        """The surroundings of some nodes.

        Args:
            nodes: rows (n,).
            most: neighbours of one step that a node looks at, for each hop, the nearest first; 0 = all. Of more, so
                many are drawn with replacement.
            barred: unordered pairs of nodes as :func:`kgrel.graph.removal.pair_keys` numbers them, whose edges are
                taken for absent.
        """
        layer, hops = nodes, list[Hop]()
        for fan in most:
            targets, steps, sources = self._look(layer, fan, rng)
            if barred is not None:
                ends = layer[targets]
                free = ~np.isin(np.minimum(ends, sources) * self.size + np.maximum(ends, sources), barred)
                targets, steps, sources = targets[free], steps[free], sources[free]
            before, places = np.unique(np.concatenate([layer, sources]), return_inverse=True)
            hops.append(Hop(places[len(layer) :], targets, steps, places[: len(layer)]))
            layer = before
        return Surroundings(layer, tuple(reversed(hops)))

    def _look(self, nodes: Ints, most: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
        """Place of the node, step and neighbour of each edge that is looked at (m,)."""
        groups = (nodes[:, None] * self.steps + np.arange(self.steps)).reshape(-1)
        begins, sizes = self._starts[groups], self._starts[groups + 1] - self._starts[groups]
        some = np.flatnonzero(sizes)
        begins, sizes = begins[some], sizes[some]
        taken = np.minimum(sizes, most) if most else sizes
        owner = np.repeat(np.arange(len(some)), taken)
        rank = (
            np.arange(len(owner)) - np.repeat(np.concatenate([[0], np.cumsum(taken)[:-1]]), taken)
            if len(some)
            else owner
        )
        drawn = (rng.random(len(owner)) * sizes[owner]).astype(np.int64)
        places = begins[owner] + np.where(sizes[owner] > taken[owner], drawn, rank)
        return some[owner] // self.steps, some[owner] % self.steps, self._sources[places]
