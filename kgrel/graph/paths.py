"""Paths between the two entities of many pairs, drawn by their weights.

A path has two or three edges, in either direction each, and no node twice; an edge between the two ends is none. One
path of a pair is drawn with a probability proportional to its weight (:mod:`kgrel.graph.walks`): its first inner node
a by W[x, a] (W[a, y] + U[a]), where U[a] = Σ_b W[a, b] W[b, y] over b ≠ x; then its length; then b by W[a, b] W[b, y].
The sums are columns of W and W W, so that pairs with a common end share them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from kgrel.graph.graph import Ints
from kgrel.graph.walks import Floats, Walks, rows_flat

COLUMNS = 128
"""Ends y whose columns are held at once."""
ENTRIES = 2_000_000
"""Neighbours that are weighed at once."""
NEGLIGIBLE = 1e-9
"""Share of a sum that may be left by rounding where its only term was taken away."""
NONE = -1


@dataclass(frozen=True)
class Paths:
    """n paths of some pairs, sorted by pair.

    Attributes:
        pairs: number of the pair, as it was asked for (n,).
        nodes: rows of x, a, b, y (n, 4); b is −1 in paths of two edges.
        steps: codes of the edges (n, 3), see :meth:`~kgrel.graph.walks.Walks.step_words`; −1 behind the second edge of
            paths of two.
    """

    pairs: Ints
    nodes: Ints
    steps: Ints

    def __len__(self) -> int:
        return len(self.pairs)


def draw_paths(
    walks: Walks, heads: Ints, tails: Ints, draws: int, longest: int, rng: np.random.Generator
) -> Iterator[Paths]:
    """Draw paths of each pair, some pairs at a time; of equal ones one is kept, and a pair without path has none.

    Args:
        heads, tails: rows of two different nodes (n,).
        draws: how often each pair is drawn for; so many paths it has at most.
        longest: 2 or 3 edges.
    """
    degrees = walks.degrees
    turned = degrees[heads] > degrees[tails]  # y is the end of more neighbours: its column is shared, x's are listed
    x, y = np.where(turned, tails, heads), np.where(turned, heads, tails)
    order = np.argsort(y, kind="stable")
    listed = np.diff(walks.weights.indptr)[x[order]]
    for rows in _portions(y[order], listed, order):
        found = _Portion(walks, x[rows], y[rows], longest).draw(draws, rng)
        numbers = rows[found.pairs]
        nodes, back = found.nodes.copy(), turned[numbers]
        nodes[back] = _reversed(nodes[back])
        yield _distinct(Paths(numbers, nodes, _steps(walks, nodes, rng)))


def _portions(ends: Ints, listed: Ints, order: Ints) -> Iterator[Ints]:
    """Pairs in turn, so many that neither :data:`COLUMNS` nor :data:`ENTRIES` is passed, but at least one."""
    new = np.concatenate([[0], np.cumsum(np.diff(ends) != 0)]) if len(ends) else ends
    weight = np.concatenate([[0], np.cumsum(listed)])
    start = 0
    while start < len(order):
        behind = min(
            np.searchsorted(new, new[start] + COLUMNS, "left"),
            np.searchsorted(weight, weight[start] + ENTRIES, "right") - 1,
        )
        stop = max(int(behind), start + 1)
        yield order[start:stop]
        start = stop


class _Portion:
    """Pairs of few ends y: their columns of W and of W W, dense."""

    def __init__(self, walks: Walks, x: Ints, y: Ints, longest: int) -> None:
        self._w, self._x, self._y, self._longest = walks.weights, x, y, longest
        ends, self._column = np.unique(y, return_inverse=True)
        sparse: csr_array = self._w[:, ends]  # (N, columns)
        self._last = sparse.toarray()
        self._two = (self._w @ sparse).toarray() if longest > 2 else None

    def draw(self, draws: int, rng: np.random.Generator) -> Paths:
        """Paths without steps, with repetitions."""
        w, x, y, c = self._w, self._x, self._y, self._column
        places, starts = rows_flat(w, x)
        pair = np.repeat(np.arange(len(x)), np.diff(starts))
        a, weight = w.indices[places].astype(np.int64), w.data[places]
        by_length = np.zeros((len(a), 2))
        by_length[:, 0] = weight * self._last[a, c[pair]]
        if self._two is not None:
            whole = self._two[a, c[pair]]
            rest = whole - weight * self._last[x, c][pair]  # without b = x; W is symmetric
            by_length[:, 1] = weight * np.where((rest > NEGLIGIBLE * whole) & (a != y[pair]), rest, 0.0)
        chosen, owner = _draw(by_length.reshape(-1), 2 * starts, draws, rng)
        first, longer = a[chosen // 2], chosen % 2 == 1
        second = np.full(len(first), NONE, np.int64)
        second[longer] = self._second(first[longer], owner[longer], rng)
        stays = ~longer | (second >= 0)
        nodes = np.stack([x[owner], first, second, y[owner]], axis=1)[stays]
        return Paths(owner[stays], nodes, np.zeros((0, 3), np.int64))

    def _second(self, first: Ints, owner: Ints, rng: np.random.Generator) -> Ints:
        """The second inner node of each path (n,); −1 where rounding left none."""
        found = np.full(len(first), NONE, np.int64)
        begin, sizes = 0, np.concatenate([[0], np.cumsum(np.diff(self._w.indptr)[first])])
        while begin < len(first):
            end = max(int(np.searchsorted(sizes, sizes[begin] + ENTRIES, "right")) - 1, begin + 1)
            places, starts = rows_flat(self._w, first[begin:end])
            pair = np.repeat(owner[begin:end], np.diff(starts))
            b = self._w.indices[places].astype(np.int64)
            weight = self._w.data[places] * self._last[b, self._column[pair]] * (b != self._x[pair])
            chosen, which = _draw(weight, starts, 1, rng)
            found[begin + which] = b[chosen]
            begin = end
        return found


def _draw(weights: Floats, starts: Ints, draws: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """From each group draw by weight, with repetition: the places drawn and their groups; none from a weightless one.

    Args:
        weights: not negative (m,); group g is ``weights[starts[g] : starts[g + 1]]``.
    """
    totals = np.add.reduceat(np.append(weights, 0.0), starts[:-1]) if len(starts) > 1 else np.zeros(0)
    totals = np.where(np.diff(starts) > 0, totals, 0.0)
    groups = np.flatnonzero(totals > 0)
    # Each group's weights add up to 1, so that a light group loses no digits beside a heavy one.
    scale = np.zeros(len(totals))
    scale[groups] = 1 / totals[groups]
    before = np.concatenate([[0.0], np.cumsum(weights * np.repeat(scale, np.diff(starts)))])
    owner = np.repeat(groups, draws)
    low, high = before[starts[owner]], before[starts[owner + 1]]
    places = np.searchsorted(before, low + rng.random(len(owner)) * (high - low), "right") - 1
    places = np.clip(places, starts[owner], starts[owner + 1] - 1)
    good = weights[places] > 0
    return places[good], owner[good]


def _reversed(nodes: Ints) -> Ints:
    """The same paths from y to x (n, 4)."""
    back = nodes[:, ::-1].copy()
    short = back[:, 1] == NONE
    back[short] = back[short][:, [0, 2, 1, 3]]
    return back


def _steps(walks: Walks, nodes: Ints, rng: np.random.Generator) -> Ints:
    """An edge for each step (n, 3)."""
    steps = np.full((len(nodes), 3), NONE, np.int64)
    long = nodes[:, 2] != NONE
    steps[:, 0] = walks.draw_codes(nodes[:, 0], nodes[:, 1], rng)
    steps[:, 1] = walks.draw_codes(nodes[:, 1], np.where(long, nodes[:, 2], nodes[:, 3]), rng)
    steps[long, 2] = walks.draw_codes(nodes[long, 2], nodes[long, 3], rng)
    return steps


def _distinct(paths: Paths) -> Paths:
    """Each path once, sorted by pair."""
    table = np.concatenate([paths.pairs[:, None], paths.nodes, paths.steps], axis=1)
    order = np.lexsort(table.T[::-1])
    table = table[order]
    again = np.concatenate([[False], np.all(table[1:] == table[:-1], axis=1)]) if len(table) else np.zeros(0, bool)
    table = table[~again]
    return Paths(table[:, 0], table[:, 1:5], table[:, 5:])
