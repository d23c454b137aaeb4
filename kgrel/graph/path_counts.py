"""Degree-weighted path counts of pairs, one for each metapath (Himmelstein & Baranzini 2015).

    DWPC_m(x, y) = Σ over the simple paths of metapath m = e₁ … e_k from x to y  Π_i (d_{e_i}(v_{i−1}) d_{e_i}(v_i))^−w

with k = 2 or 3, v₀ = x, v_k = y, and d_e(v) the edges of type e at v, seen from its side of the type. Edges of any type
between x and y themselves are taken for absent: no path uses them, since no node stands twice in one, and the degrees
of x and y count without them. So a pair that an edge joins looks exactly as it would in a graph without that edge.

Edge types between nodes of one type have no direction, unless their name says so with ``>`` (Gr>G), as Hetionet's do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array

from kgrel.graph.graph import EdgeType, Graph, Ints
from kgrel.graph.walks import Floats, portions, rows_flat

HEADS = 256
"""Heads whose rows of a product are held at once, dense."""
ENTRIES = 2_000_000
"""Most neighbours of tails that are looked at together."""
NEGLIGIBLE = 1e-9
"""Share of a sum that may be left by rounding where all its terms were taken away."""


@dataclass(frozen=True)
class Step:
    """One edge type seen from one of its sides.

    Attributes:
        word: the relation; with an arrow where the direction tells something: ``DaG>``, ``<DaG``.
        start, end: node types.
        edges: 1 where an edge joins two nodes, numbered within their types (n_start, n_end).
        damping: w.
    """

    word: str
    start: str
    end: str
    edges: csr_array
    damping: float

    @property
    def reversed_word(self) -> str:
        """The word of the same edge type from its other side."""
        if self.word.startswith("<"):
            return f"{self.word[1:]}>"
        return f"<{self.word[:-1]}" if self.word.endswith(">") else self.word

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others."""
        return self.word, self.start, self.end

    @cached_property
    def from_degrees(self) -> Floats:
        """d_e of the nodes it starts at (n_start,)."""
        return np.asarray(self.edges.sum(axis=1), dtype=np.float64)

    @cached_property
    def to_degrees(self) -> Floats:
        """d_e of the nodes it ends at (n_end,)."""
        return np.asarray(self.edges.sum(axis=0), dtype=np.float64)

    @cached_property
    def weights(self) -> csr_array:
        """(d_e(i) d_e(j))^−w where an edge joins i and j (n_start, n_end)."""
        one, other = (np.maximum(d, 1.0) ** -self.damping for d in (self.from_degrees, self.to_degrees))
        weighted: csr_array = (diags_array(one) @ self.edges @ diags_array(other)).tocsr()
        weighted.sort_indices()
        return weighted

    @cached_property
    def backwards(self) -> csr_array:
        """The weights by end node (n_end, n_start)."""
        turned: csr_array = self.weights.T.tocsr()
        turned.sort_indices()
        return turned


@dataclass(frozen=True)
class Metapath:
    """A sequence of two or three steps."""

    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """``DaG> (GENE) GiG``: the words of its steps and the types of its inner nodes."""
        first, *others = self.steps
        return " ".join([first.word, *(f"({step.start}) {step.word}" for step in others)])

    @property
    def reversed_name(self) -> str:
        """Its name from the other end."""
        first, *others = reversed(self.steps)
        return " ".join([first.reversed_word, *(f"({step.end}) {step.reversed_word}" for step in others)])


class PathCounts:
    """Degree-weighted path counts in a graph.

    Args:
        longest: most edges of a path, 2 or 3.
    """

    def __init__(self, graph: Graph, damping: float, longest: int) -> None:
        self._graph, self._longest = graph, longest
        self.steps = [step for type_ in graph.edge_types for step in _steps_of(graph, type_, damping)]

    def metapaths(self, start: str, end: str) -> list[Metapath]:
        """All metapaths from one node type to another, sorted by name; in both directions where the two are one."""
        found: list[Metapath] = []
        open_: list[tuple[Step, ...]] = [(step,) for step in self.steps if step.start == start]
        for _ in range(self._longest - 1):
            open_ = [(*path, step) for path in open_ for step in self.steps if step.start == path[-1].end]
            found += [Metapath(path) for path in open_ if path[-1].end == end]
        return sorted(found, key=lambda metapath: metapath.name)

    def counts(self, start: str, end: str, heads: Ints, tails: Ints) -> Floats:
        """DWPC of each pair and metapath (n, M), the metapaths in the order of :meth:`metapaths`.

        Args:
            start, end: types of the heads and of the tails.
            heads, tails: rows of nodes (n,), head and tail different.
        """
        metapaths = self.metapaths(start, end)
        found = np.zeros((len(heads), len(metapaths)))
        if not metapaths:
            return found
        x, y = heads - self._graph.node_types[start].start, tails - self._graph.node_types[end].start
        order = np.argsort(x, kind="stable")
        last = {metapath.steps[-1].key: metapath.steps[-1] for metapath in metapaths}.values()
        listed = np.max([np.diff(step.backwards.indptr)[y[order]] for step in last], axis=0)
        for rows in portions(x[order], listed, order, HEADS, ENTRIES):
            portion = _Portion(x[rows], y[rows], start, end)
            for column, metapath in enumerate(metapaths):
                found[rows, column] = portion.count(metapath)
        return found


def _steps_of(graph: Graph, type_: EdgeType, damping: float) -> list[Step]:
    """The ways to walk one edge type; loops are none."""
    heads, tails = graph.local_ends[:, type_.edges]
    shape = len(graph.node_types[type_.head]), len(graph.node_types[type_.tail])
    same = type_.head == type_.tail
    if same:
        heads, tails = heads[heads != tails], tails[heads != tails]
    there = coo_array((np.ones(len(heads)), (heads, tails)), shape=shape).tocsr()
    if same and ">" not in type_.relation:
        there = (there + there.T).tocsr()
    there.sort_indices()
    there.data[:] = 1.0
    if same and ">" not in type_.relation:
        return [Step(type_.relation, type_.head, type_.tail, there, damping)]
    back = there.T.tocsr()
    back.sort_indices()
    return [
        Step(f"{type_.relation}>", type_.head, type_.tail, there, damping),
        Step(f"<{type_.relation}", type_.tail, type_.head, back, damping),
    ]


class _Portion:
    """Some pairs of two types, by rows within these (n,); what several metapaths need of them is computed once."""

    def __init__(self, x: Ints, y: Ints, start: str, end: str) -> None:
        self._x, self._y, self._start, self._end = x, y, start, end
        self._heads, self._row = np.unique(x, return_inverse=True)
        self._before: tuple[tuple[Step, ...], Floats] = (), np.zeros((0, 0))
        self._behind: dict[tuple[str, str, str], tuple[Ints, Ints, Floats]] = {}
        self._between: dict[tuple[str, str, str], Floats] = {}

    def count(self, metapath: Metapath) -> Floats:
        """DWPC of each pair (n,)."""
        *before, last = metapath.steps
        owner, inner, weight = self._neighbours(last)
        reached = self._reached(tuple(before))[self._row[owner], inner]
        if last.start == self._start:
            weight = weight * (inner != self._x[owner])
        counts: Floats = np.bincount(owner, reached * weight, minlength=len(self._x)).astype(np.float64)
        if len(before) == 2 and before[0].end == self._end:
            counts = self._without_tail_inside(counts, before[0], before[1], last)
        return counts * self._degrees_without_pair(metapath.steps[0], last)

    def _reached(self, before: tuple[Step, ...]) -> Floats:
        """Weight of all walks from each head along some steps (heads, n_end), dense."""
        if self._before[0] != before:
            rows: csr_array = before[0].weights[self._heads]
            for step in before[1:]:
                rows = rows @ step.weights
            self._before = before, rows.toarray()
        return self._before[1]

    def _neighbours(self, last: Step) -> tuple[Ints, Ints, Floats]:
        """From where the last step leads to each tail: number of the pair, node and weight (m,) each."""
        if last.key not in self._behind:
            places, starts = rows_flat(last.backwards, self._y)
            owner = np.repeat(np.arange(len(self._y)), np.diff(starts))
            inner = last.backwards.indices[places].astype(np.int64)
            self._behind[last.key] = owner, inner, last.backwards.data[places]
        return self._behind[last.key]

    def _direct(self, step: Step) -> Floats:
        """1 where the step joins the pair itself (n,)."""
        if (step.start, step.end) != (self._start, self._end):
            return np.zeros(len(self._x))
        if step.key not in self._between:
            self._between[step.key] = entries_at(step.edges, self._x, self._y)
        return self._between[step.key]

    def _without_tail_inside(self, counts: Floats, first: Step, middle: Step, last: Step) -> Floats:
        """Walks x → y → b → y are no paths: their weight is taken away."""
        joined = np.flatnonzero(self._direct(first))
        if not len(joined):
            return counts
        x, y = self._x[joined], self._y[joined]
        places, starts = rows_flat(middle.weights, y)
        owner = np.repeat(np.arange(len(y)), np.diff(starts))
        inner = middle.weights.indices[places].astype(np.int64)
        weight = middle.weights.data[places] * entries_at(last.weights, inner, y[owner])
        if last.start == self._start:
            weight *= inner != x[owner]
        loops = np.bincount(owner, weight, minlength=len(y)) * entries_at(first.weights, x, y)
        rest = counts[joined] - loops
        counts[joined] = np.where(rest > NEGLIGIBLE * counts[joined], rest, 0.0)
        return counts

    def _degrees_without_pair(self, first: Step, last: Step) -> Floats:
        """What makes of the degrees of x and y those without the edges between the two (n,)."""
        factor = np.ones(len(self._x))
        for step, degrees in ((first, first.from_degrees[self._x]), (last, last.to_degrees[self._y])):
            without, whole = np.maximum(degrees - self._direct(step), 1.0), np.maximum(degrees, 1.0)
            factor *= (without / whole) ** -step.damping
        return factor


def entries_at(matrix: csr_array, rows: Ints, columns: Ints) -> Floats:
    """The entries of a matrix with sorted indices at some places (n,)."""
    if not matrix.nnz:
        return np.zeros(len(rows))
    width = matrix.shape[1]
    keys = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)) * width + matrix.indices
    wanted = rows * width + columns
    places = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[places] == wanted, matrix.data[places], 0.0)
