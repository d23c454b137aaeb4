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
    for number in range(cells.kinds.shape[1]):
        # The cells of one class have no pair in common, so what was drawn is looked at anew for each class only.
        gone = np.sort(np.concatenate([excluded, *drawn]))
        barred = np.sort(cells.of_pairs(gone // size, gone % size, np.full(len(gone), number)))
        of_class = wanted // cells.span**2 == number
        for cell, listed_count in zip(wanted[of_class].tolist(), counts[of_class].tolist(), strict=True):
            one, other = (np.flatnonzero(cells.kinds[:, number] == kind) for kind in cells.parts_of(cell)[1:])
            inside = np.searchsorted(barred, [cell, cell + 1], "left")
            # Each pair is at most two cells of one × other, each self-pair one: so many distinct cells hold enough.
            enough = 2 * (count * listed_count + int(inside[1] - inside[0])) + len(one)
            places = rng.choice(len(one) * len(other), min(enough, len(one) * len(other)), replace=False)
            a, b = one[places // len(other)], other[places % len(other)]
            keys = np.unique(np.minimum(a, b)[a != b] * size + np.maximum(a, b)[a != b])
            drawn.append(rng.permutation(keys[~among(gone, keys)])[: count * listed_count])
    return drawn


def among(ordered: Rows, keys: Rows) -> npt.NDArray[np.bool_]:
    """Which keys (n,) stand in a sorted array."""
    if not len(ordered):
        return np.zeros(len(keys), np.bool_)
    found: npt.NDArray[np.bool_] = ordered[np.searchsorted(ordered, keys).clip(max=len(ordered) - 1)] == keys
    return found
