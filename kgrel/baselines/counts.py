"""Baselines that only count: co-occurrence, log co-mention count, label-degree product."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kgrel.train.pair_data import PairData, Rows

Floats = npt.NDArray[np.float64]


def co_occurrence(data: PairData, rows: Rows) -> Floats:
    """1 for every co-mentioned pair and class: (len(rows), C). Every co-mentioned pair counts as related."""
    together = (data.contexts[rows] > 0).astype(np.float64)
    return np.repeat(together[:, None], len(data.classes.names), axis=1)


def log_count(data: PairData, rows: Rows) -> Floats:
    """log(1 + number of contexts), the same for every class: (len(rows), C)."""
    return np.repeat(np.log1p(data.contexts[rows].astype(np.float64))[:, None], len(data.classes.names), axis=1)


def degree_product(data: PairData, rows: Rows) -> Floats:
    """Product of the two entities' training labels of the class: (len(rows), C).

    Sees no text: it knows only which entities stand in the list often.
    """
    return degree_product_of(data, data.heads[rows], data.tails[rows])


def degree_product_of(data: PairData, heads: Rows, tails: Rows) -> Floats:
    """:func:`degree_product` of any pairs of entity rows, also of pairs that are not in the data: (n, C)."""
    degrees = data.label_degrees().astype(np.float64)
    return degrees[heads] * degrees[tails]
