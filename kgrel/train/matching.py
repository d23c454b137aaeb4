"""NO-RELATION pairs that are like given listed pairs: the same types, and the same bins of both training degrees.

A method that only knows which entities stand in the list often cannot tell such pairs from listed ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgrel.train.pair_data import ClassTable, Rows

DECILES = np.arange(1, 10) / 10


@dataclass(frozen=True)
class Cells:
    """Entities by type and by decile of their training labels of each class.

    Attributes:
        kinds: (entities, C): type and bin of each entity as one number; bin 0 is no label of the class.
        span: kinds run from 0 to ``span`` − 1.
    """

    kinds: Rows
    span: int

    @classmethod
    def of(cls, classes: ClassTable, type_rows: Rows, degrees: Rows) -> Cells:
        """From the training labels of each entity and class (entities, C)."""
        bins = np.zeros_like(degrees)
        for number in range(degrees.shape[1]):
            labelled = degrees[:, number] > 0
            if labelled.any():
                edges = np.quantile(degrees[labelled, number], DECILES)
                bins[labelled, number] = 1 + np.searchsorted(edges, degrees[labelled, number], "left")
        width = len(DECILES) + 2
        return cls(type_rows[:, None] * width + bins, len(classes.types) * width)

    def of_pairs(self, heads: Rows, tails: Rows, classes: Rows) -> Rows:
        """The cell of each pair under a class (n,), the same in either order."""
        first, second = self.kinds[heads, classes], self.kinds[tails, classes]
        pair: Rows = np.minimum(first, second) * self.span + np.maximum(first, second)
        return classes * self.span**2 + pair

    def parts_of(self, cell: int) -> tuple[int, int, int]:
        """The class of a cell, and the kinds of its two sides."""
        number, pair = divmod(cell, self.span**2)
        return number, *divmod(pair, self.span)


def match_among(cells: Cells, listed: tuple[Rows, Rows, Rows], pool: tuple[Rows, Rows], count: int,
                possible: npt.NDArray[np.bool_], rng: np.random.Generator) -> Rows:  # fmt: skip
    """Choose from given pairs ``count`` for each listed one, of its cell; fewer where there are not as many.

    Args:
        listed: heads, tails and classes of the listed pairs.
        pool: heads and tails of the pairs to choose from.
        possible: classes that each pair of the pool may have (pool, C).

    Returns:
        Rows of the pool, each once.
    """
    free = rng.permutation(len(pool[0]))
    taken = np.zeros(len(pool[0]), dtype=np.bool_)
    wanted, counts = np.unique(cells.of_pairs(*listed), return_counts=True)
    for number in range(possible.shape[1]):
        able = free[possible[free, number] & ~taken[free]]
        found = cells.of_pairs(pool[0][able], pool[1][able], np.full(len(able), number))
        order = np.argsort(found, kind="stable")
        for cell, listed_count in zip(wanted.tolist(), counts.tolist(), strict=True):
            first, last = np.searchsorted(found[order], cell, "left"), np.searchsorted(found[order], cell, "right")
            taken[able[order[first : min(last, first + count * listed_count)]]] = True
    return np.flatnonzero(taken)


def draw_like(
    cells: Cells, listed: tuple[Rows, Rows, Rows], count: int, excluded: Rows, rng: np.random.Generator
) -> list[Rows]:
    """Draw pairs of entities that are like listed ones, ``count`` for each of its cell, none of them excluded.

    Args:
        listed: heads, tails and classes of the listed pairs.
        excluded: keys (head · entities + tail, head < tail) that are not drawn, sorted.

    Returns:
        For each cell of the listed pairs in rising order the keys that were drawn, in random order; fewer than asked
        for where there are not as many. No key is drawn twice.
    """
    size, drawn = len(cells.kinds), list[Rows]()
    wanted, counts = np.unique(cells.of_pairs(*listed), return_counts=True)
    heads, tails = excluded // size, excluded % size
    barred = {n: np.sort(cells.of_pairs(heads, tails, np.full(len(heads), n))) for n in range(cells.kinds.shape[1])}
    gone = excluded
    for cell, listed_count in zip(wanted.tolist(), counts.tolist(), strict=True):
        number, *kinds = cells.parts_of(cell)
        one, other = (np.flatnonzero(cells.kinds[:, number] == kind) for kind in kinds)
        inside = np.searchsorted(barred[number], [cell, cell + 1], "left")
        already = sum(len(keys) for keys in drawn)
        # Each pair is at most two cells of one × other, each self-pair one: so many distinct cells hold enough.
        enough = 2 * (count * listed_count + int(inside[1] - inside[0]) + already) + len(one)
        places = rng.choice(len(one) * len(other), min(enough, len(one) * len(other)), replace=False)
        a, b = one[places // len(other)], other[places % len(other)]
        keys = np.unique(np.minimum(a, b)[a != b] * size + np.maximum(a, b)[a != b])
        keys = rng.permutation(np.setdiff1d(keys, gone))[: count * listed_count]
        gone = np.union1d(gone, keys)
        drawn.append(keys)
    return drawn


def draw_about(
    cells: Cells, listed: tuple[Rows, Rows, Rows], count: int, excluded: Rows, rng: np.random.Generator
) -> Rows:
    """As :func:`draw_like` for very many listed pairs, in one pass: *at most* ``count`` for each.

    Both entities of a listed pair are replaced by random ones of its kinds; what is excluded, drawn twice or one
    entity with itself falls away.

    Returns:
        The keys that were drawn, sorted.
    """
    size, drawn = len(cells.kinds), list[Rows]()
    for number in range(cells.kinds.shape[1]):
        kinds, order = cells.kinds[:, number], np.argsort(cells.kinds[:, number], kind="stable")
        starts = np.searchsorted(kinds[order], np.arange(cells.span + 1))
        sides = []
        for side in listed[:2]:
            kind = np.repeat(kinds[side[listed[2] == number]], count)
            sides.append(order[rng.integers(starts[kind], starts[kind + 1])])
        low, high = np.minimum(*sides), np.maximum(*sides)
        drawn.append((low * size + high)[low < high])
    return np.setdiff1d(np.concatenate(drawn), excluded)
