"""What counting alone tells of a pair: log count of its contexts, NPMI, and whether it is mentioned at all.

    s(x,y) = [ log(1 + n_xy), npmi(x,y), [n_xy = 0] ]

A pair that no context mentions has count and NPMI 0, so that the flag alone tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kgrel.train.pair_data import Rows, lookup

FEATURES = 3
"""Numbers a pair."""


@dataclass(frozen=True)
class TextStatistics:
    """Counts of a corpus, from which those of any pair are made.

    Attributes:
        comentions: heads, tails (head < tail, sorted) and numbers of contexts of all co-mentioned pairs.
        entities: rows of the entity table.
    """

    comentions: tuple[Rows, Rows, Rows]
    entities: int

    @cached_property
    def _keys(self) -> Rows:
        first, second, _ = self.comentions
        return first * self.entities + second

    @cached_property
    def _entity_contexts(self) -> Rows:
        first, second, counts = self.comentions
        found = np.zeros(self.entities, dtype=np.int64)
        np.add.at(found, first, counts)
        np.add.at(found, second, counts)
        return found

    def contexts(self, heads: Rows, tails: Rows) -> Rows:
        """Number of contexts that mention each pair, in either order: (n,)."""
        wanted = np.minimum(heads, tails) * self.entities + np.maximum(heads, tails)
        return lookup(self._keys, self.comentions[2], wanted)

    def npmi(self, heads: Rows, tails: Rows, never: float) -> npt.NDArray[np.float64]:
        """log(p(x,y) / p(x) p(y)) / −log p(x,y), in −1..1 (Bouma 2009): (n,).

        p(x,y) = contexts of the pair / all contexts; p(x) = share of contexts that x stands in.

        Args:
            never: the value of a pair without a common context.
        """
        contexts, total = self.contexts(heads, tails), max(1, int(self.comentions[2].sum()))
        values = np.full(len(heads), never)
        seen = np.flatnonzero(contexts)
        joint = contexts[seen] / total
        apart = (self._entity_contexts[heads[seen]] / total) * (self._entity_contexts[tails[seen]] / total)
        certain = joint == 1
        values[seen] = np.where(certain, 1.0, np.log(joint / apart) / -np.log(np.where(certain, 0.5, joint)))
        return values

    def features(self, heads: Rows, tails: Rows) -> npt.NDArray[np.float32]:
        """s(x,y) of each pair, the same in either order: (n, 3)."""
        contexts = self.contexts(heads, tails)
        columns = np.log1p(contexts), self.npmi(heads, tails, never=0.0), contexts == 0
        return np.stack(columns, axis=1).astype(np.float32)
