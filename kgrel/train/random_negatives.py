"""NO-RELATION pairs drawn at random, whether or not a sentence names both; those like given listed pairs are drawn by
:mod:`kgrel.train.matching`.
"""

from __future__ import annotations

import numpy as np

from kgrel.data.relations import ResolvedRelations
from kgrel.train.batches import Stream, rng_of
from kgrel.train.pair_data import Rows
from kgrel.train.settings import SplitSettings


def random_negatives(type_rows: Rows, listed: Rows, relations: ResolvedRelations, settings: SplitSettings) -> Rows:
    """Keys of random unlisted pairs, as many for each pair of types as its share of the listed ones asks for.

    Without self-pairs and duplicates. Where fewer such pairs exist than were asked for, all of them.
    """
    rng, size = rng_of(settings.seed_of_split, Stream.NEGATIVES), len(type_rows)
    low, high = np.minimum(relations.heads, relations.tails), np.maximum(relations.heads, relations.tails)
    type_pairs = np.sort(np.stack([type_rows[low], type_rows[high]], axis=1), axis=1)
    found = []
    for (first, second), count in zip(*np.unique(type_pairs, axis=0, return_counts=True), strict=True):
        wanted = round(settings.negatives_per_positive * count)
        heads, tails = np.flatnonzero(type_rows == first), np.flatnonzero(type_rows == second)
        # Each unordered pair is at most two cells of heads × tails, and each self-pair one: so many distinct cells
        # hold as many unlisted pairs as wanted, if there are as many.
        enough = 2 * (wanted + int(count)) + len(heads)
        cells = rng.choice(len(heads) * len(tails), min(enough, len(heads) * len(tails)), replace=False)
        a, b = heads[cells // len(tails)], tails[cells % len(tails)]
        keys = np.unique(np.minimum(a, b)[a != b] * size + np.maximum(a, b)[a != b])
        keys = np.setdiff1d(keys, listed)
        found.append(rng.permutation(keys)[:wanted])
    return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
