"""Weights of the steps of a graph, so that hubs do not drown the rest.

The weight of a step between two different nodes i and j, whatever its direction, is

    W[i, j] = m[i, j] (d[i] d[j])^-w,

m edges join them, d is the degree (edges at a node, loops left out) and w the damping. The weight of a path is the
product of those of its steps: the path-degree product of Himmelstein & Baranzini (2015), over whole degrees instead of
those by edge type. So edges between the two ends x and y of a path change the weights of all paths of the pair by the
same factor, d[x]^-w d[y]^-w, and the shares of paths are those in a graph without these edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from kgrel.graph.graph import Graph, Ints

Floats = npt.NDArray[np.float64]


class Walks:
    """Steps of a graph in both directions, and their weights.

    Attributes:
        graph: the graph.
        damping: w.
        degrees: edges at each node, loops left out (N,).
        weights: W, symmetric, without diagonal (N, N).
    """

    def __init__(self, graph: Graph, damping: float) -> None:
        self.graph, self.damping = graph, damping
        size = len(graph.entities)
        proper = graph.ends[0] != graph.ends[1]
        heads, tails = graph.ends[:, proper]
        both = np.concatenate([heads, tails]), np.concatenate([tails, heads])
        self.degrees: Ints = np.bincount(both[0], minlength=size)
        factors = np.maximum(self.degrees, 1).astype(np.float64) ** -damping
        self.weights = csr_array((factors[both[0]] * factors[both[1]], both), shape=(size, size))  # adds parallel ones
        self.weights.sum_duplicates()

    @cached_property
    def _steps(self) -> tuple[Ints, Ints]:
        """Keys ``from · N + to`` of all steps, sorted, and the code of each: 2 · edge type + 1 if against its arrow."""
        size = len(self.graph.entities)
        heads, tails = self.graph.ends
        sizes = [type_.size for type_ in self.graph.edge_types]
        codes = 2 * np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        keys = np.concatenate([heads * size + tails, tails * size + heads])
        order = np.argsort(keys, kind="stable")
        return keys[order], np.concatenate([codes, codes + 1])[order]

    def draw_codes(self, starts: Ints, ends: Ints, rng: np.random.Generator) -> Ints:
        """For each step one of the edges that make it, all as likely (n,); see :meth:`step_words`."""
        keys, codes = self._steps
        wanted = starts * len(self.graph.entities) + ends
        first, behind = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
        chosen: Ints = codes[first + (rng.random(len(wanted)) * (behind - first)).astype(np.int64)]
        return chosen

    def codes_of(self, start: int, end: int) -> list[int]:
        """The codes of all edges that make a step, ascending."""
        keys, codes = self._steps
        wanted = start * len(self.graph.entities) + end
        return sorted(codes[np.searchsorted(keys, wanted, "left") : np.searchsorted(keys, wanted, "right")].tolist())

    @property
    def step_words(self) -> list[str]:
        """The word of each code: ``DaG>`` along the arrow, ``<DaG`` against it."""
        return [word for type_ in self.graph.edge_types for word in (f"{type_.relation}>", f"<{type_.relation}")]


def rows_flat(matrix: csr_array, rows: Ints) -> tuple[Ints, Ints]:
    """Places of the entries of some rows of a matrix, row after row (m,), and where each row's begin (n + 1,)."""
    begins, ends = matrix.indptr[rows].astype(np.int64), matrix.indptr[rows + 1].astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(ends - begins)])
    places = np.arange(starts[-1]) + np.repeat(begins - starts[:-1], ends - begins)
    return places, starts


def portions(ends: Ints, listed: Ints, order: Ints, most_ends: int, most_entries: int) -> Iterator[Ints]:
    """Pairs in turn, so many that neither of two limits is passed, but at least one.

    Args:
        ends: the end by which the pairs are sorted (n,).
        listed: how many neighbours are looked at for each pair (n,).
        order: number of each pair (n,); what is given out.
        most_ends, most_entries: different ends, and neighbours, of a portion.
    """
    new = np.concatenate([[0], np.cumsum(np.diff(ends) != 0)]) if len(ends) else ends
    weight = np.concatenate([[0], np.cumsum(listed)])
    start = 0
    while start < len(order):
        behind = min(
            np.searchsorted(new, new[start] + most_ends, "left"),
            np.searchsorted(weight, weight[start] + most_entries, "right") - 1,
        )
        stop = max(int(behind), start + 1)
        yield order[start:stop]
        start = stop
