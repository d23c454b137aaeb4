"""The sentences of a pair: which contexts of a corpus mention both entities, in either order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Rows


class Bags:
    """Contexts by unordered pair of entity rows of the corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus, self.size = corpus, len(corpus.entities)
        keys = self._keys(corpus.contexts.heads.astype(np.int64), corpus.contexts.tails.astype(np.int64))
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def _keys(self, heads: Rows, tails: Rows) -> Rows:
        return np.minimum(heads, tails) * self.size + np.maximum(heads, tails)

    def contexts(
        self, heads: Rows, tails: Rows, limit: int, rng: np.random.Generator | None = None
    ) -> tuple[Rows, Rows]:
        """The contexts of n pairs, at most ``limit`` of each: the number of the pair, and the context's row (m,).

        Args:
            rng: chooses at random where there are more; None = evenly spaced ones, the same each time.
        """
        keys = self._keys(heads, tails)
        starts, ends = np.searchsorted(self._sorted, keys, "left"), np.searchsorted(self._sorted, keys, "right")
        counts = ends - starts
        taken = np.minimum(counts, limit)
        pairs = np.repeat(np.arange(len(keys)), taken)
        places = np.arange(len(pairs)) - np.repeat(np.cumsum(taken) - taken, taken)
        offsets = places * counts[pairs] // np.maximum(taken[pairs], 1)
        if rng is not None:
            for pair in np.flatnonzero(counts > limit).tolist():
                offsets[pairs == pair] = np.sort(rng.choice(counts[pair], limit, replace=False))
        return pairs, self._order[starts[pairs] + offsets]

    def tokens(self, contexts: Rows, limit: int) -> tuple[npt.NDArray[np.int64], Rows]:
        """Tokens of some contexts, padded at the end and cut at ``limit``, and their lengths: (m, L), (m,)."""
        lengths = np.minimum(self.corpus.contexts.lengths[contexts], limit).astype(np.int64)
        return self.corpus.contexts.gather(contexts)[:, :limit].astype(np.int64), lengths
