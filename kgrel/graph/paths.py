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
import pyarrow as pa
from scipy.sparse import csr_array

from kgrel.graph.graph import Ints
from kgrel.graph.walks import Floats, Walks, portions, rows_flat

COLUMNS = 128
"""Ends y whose columns are held at once."""
ENTRIES = 2_000_000
"""Neighbours that are weighed at once."""
NEGLIGIBLE = 1e-9
"""Share of a sum that may be left by rounding where its only term was taken away."""
NONE = -1
COLUMN_NAMES = ("pair", "x", "a", "b", "y", "first", "second", "third")


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

    def table(self) -> pa.Table:
        """As a table, a column for each number."""
        columns = np.concatenate([self.pairs[:, None], self.nodes, self.steps], axis=1).T
        return pa.table(dict(zip(COLUMN_NAMES, columns, strict=True)))

    @classmethod
    def of_table(cls, table: pa.Table) -> Paths:
        """What :meth:`table` gave."""
        columns = np.stack([table.column(name).to_numpy() for name in COLUMN_NAMES], axis=1)
        return cls(columns[:, 0], columns[:, 1:5], columns[:, 5:])


class PathDraws:
    """Paths of many pairs, to be drawn some pairs at a time, in any order.

    Args:
        heads, tails: rows of two different nodes (n,).
        draws: how often each pair is drawn for; so many paths it has at most.
        longest: 2 or 3 edges.
    """

    def __init__(self, walks: Walks, heads: Ints, tails: Ints, draws: int, longest: int) -> None:
        self._walks, self._draws, self._longest = walks, draws, longest
        degrees = walks.degrees
        self._turned = degrees[heads] > degrees[tails]  # y has more neighbours: its column is shared, x's are listed
        self._x, self._y = np.where(self._turned, tails, heads), np.where(self._turned, heads, tails)
        order = np.argsort(self._y, kind="stable")
        listed = np.diff(walks.weights.indptr)[self._x[order]]
        self.portions = list(portions(self._y[order], listed, order, COLUMNS, ENTRIES))
        """Numbers of the pairs of each portion."""

    def draw(self, portion: int, rng: np.random.Generator) -> Paths:
        """The paths of one portion; of equal ones one is kept, and a pair without path has none."""
        rows = self.portions[portion]
        found = _Portion(self._walks, self._x[rows], self._y[rows], self._longest).draw(self._draws, rng)
        numbers = rows[found.pairs]
        nodes, back = found.nodes.copy(), self._turned[numbers]
        nodes[back] = _reversed(nodes[back])
        return _distinct(Paths(numbers, nodes, _steps(self._walks, nodes, rng)))


def draw_paths(
    walks: Walks, heads: Ints, tails: Ints, draws: int, longest: int, rng: np.random.Generator
) -> Iterator[Paths]:
    """Draw paths of each pair, portion by portion; the arguments are those of :class:`PathDraws`."""
    drawn = PathDraws(walks, heads, tails, draws, longest)
    for portion in range(len(drawn.portions)):
        yield drawn.draw(portion, rng)


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
        owner = np.repeat(np.arange(len(x)), draws)
        chosen = _draw(by_length.reshape(-1), 2 * starts, owner, rng)
        chosen, owner = chosen[chosen >= 0], owner[chosen >= 0]
        first, longer = a[chosen // 2], chosen % 2 == 1
        second = np.full(len(first), NONE, np.int64)
        second[longer] = self._second(first[longer], owner[longer], rng)
        stays = ~longer | (second >= 0)
        nodes = np.stack([x[owner], first, second, y[owner]], axis=1)[stays]
        return Paths(owner[stays], nodes, np.zeros((0, 3), np.int64))

    def _second(self, first: Ints, owner: Ints, rng: np.random.Generator) -> Ints:
        """The second inner node of each path (n,); −1 where rounding left none.

        Drawn for all pairs with the same a and y together, b = x among them; where it is x, drawn again for the pair
        alone without x, so that hubs need be listed seldom.
        """
        keys, group = np.unique(first * self._last.shape[1] + self._column[owner], return_inverse=True)
        found = self._beside(*np.divmod(keys, self._last.shape[1]), group, None, rng)
        again = np.flatnonzero(found == self._x[owner])
        ends = self._column[owner[again]]
        found[again] = self._beside(first[again], ends, np.arange(len(again)), self._x[owner[again]], rng)
        return found

    def _beside(self, a: Ints, column: Ints, group: Ints, barred: Ints | None, rng: np.random.Generator) -> Ints:
        """For each draw (n,) a node b by W[a, b] W[b, y], −1 where there is none.

        Args:
            a, column: node and place of y of each group (g,).
            group: of each draw (n,).
            barred: a node for each group that b must not be (g,).
        """
        found, order = np.full(len(group), NONE, np.int64), np.argsort(group, kind="stable")
        sizes = np.concatenate([[0], np.cumsum(np.diff(self._w.indptr)[a])])
        begin = 0
        while begin < len(a):
            end = max(int(np.searchsorted(sizes, sizes[begin] + ENTRIES, "right")) - 1, begin + 1)
            places, starts = rows_flat(self._w, a[begin:end])
            b = self._w.indices[places]
            weight = self._w.data[places] * self._last[b, np.repeat(column[begin:end], np.diff(starts))]
            if barred is not None:
                weight *= b != np.repeat(barred[begin:end], np.diff(starts))
            some = order[slice(*np.searchsorted(group[order], [begin, end]))]
            chosen = _draw(weight, starts, group[some] - begin, rng)
            found[some] = np.where(chosen >= 0, b[chosen], NONE)
            begin = end
        return found


def _draw(weights: Floats, starts: Ints, groups: Ints, rng: np.random.Generator) -> Ints:
    """For each draw a place of its group by weight (n,); −1 where the group has no weight.

    Args:
        weights: not negative (m,); group g is ``weights[starts[g] : starts[g + 1]]``.
        groups: of each draw (n,).
    """
    if not len(weights):
        return np.full(len(groups), NONE, np.int64)
    sizes = np.diff(starts)
    totals = np.add.reduceat(np.append(weights, 0.0), starts[:-1]) * (sizes > 0)
    # Each group's weights add up to 1, so that a light group loses no digits beside a heavy one.
    scale = np.divide(1.0, totals, out=np.zeros(len(totals)), where=totals > 0)
    before = np.concatenate([[0.0], np.cumsum(weights * np.repeat(scale, sizes))])
    low, high = before[starts[groups]], before[starts[groups + 1]]
    places = np.searchsorted(before, low + rng.random(len(groups)) * (high - low), "right") - 1
    places = np.clip(places, starts[groups], np.maximum(starts[groups + 1] - 1, 0))
    return np.where((totals[groups] > 0) & (weights[places] > 0), places, NONE)


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
