"""Filtered ranks of the true answers of link prediction, and the figures made of them.

A query has one true answer and some candidates. Its rank is 1 + the number of candidates with a better score; where
others tie with it, the **optimistic** rank places it first among them, the **pessimistic** rank last, and the
**realistic** rank halfway (the expectation over random orders of the tied). A scorer that gives all the same score has
an optimistic MRR of 1, which is why the three are told together. With r the rank and n the candidates of a query:

    MRR = mean(1 / r)     Hits@k = mean(r <= k)     adjusted mean rank = sum(r) / sum((n + 1) / 2)

The last is 1 for random scores, whatever the number of candidates, and near 0 at best (Berrendorf et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgrel.metrics.checks import Floats, Ints, booleans, class_numbers

KINDS = ("optimistic", "realistic", "pessimistic")
HITS_AT = (1, 3, 10)


@dataclass(frozen=True)
class Ranks:
    """Ranks of q queries, from 1.

    Attributes:
        optimistic: int64 [q].
        pessimistic: int64 [q].
        candidates: int64 [q], how many the true answer was ranked among, itself included.
    """

    optimistic: Ints
    pessimistic: Ints
    candidates: Ints

    @property
    def realistic(self) -> Floats:
        """float64 [q], whole or half numbers."""
        return (self.optimistic + self.pessimistic) / 2

    def taken(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Ranks:
        """Some of the queries."""
        return Ranks(self.optimistic[rows], self.pessimistic[rows], self.candidates[rows])


def joined(parts: Iterable[Ranks]) -> Ranks:
    """The queries of all parts, in order."""
    columns = zip(*((part.optimistic, part.pessimistic, part.candidates) for part in parts), strict=True)
    return Ranks(*(np.concatenate(column) for column in columns))


def filtered_ranks(
    scores: npt.ArrayLike, truth: npt.ArrayLike, candidates: npt.ArrayLike | None = None, tolerance: float = 0.0
) -> Ranks:
    """Rank the true answer of each query among its candidates.

    Args:
        scores: [q, n], floats of any precision or integers, finite; higher is better. Compared as they are.
        truth: [q], column of the true answer.
        candidates: bool [q, n], false for answers that do not count: other true ones (filtered), other types. The true
            answer always counts. None = all count.
        tolerance: scores that differ by at most this share of the true one tie; 0 = only equal ones. For scores whose
            last bits depend on how they were computed.

    Raises:
        ValueError: a score is NaN or infinite, counted or not; other shapes or types.
    """
    values = np.asarray(scores)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise ValueError(f"scores must be numbers [q, n], not {values.dtype} {list(values.shape)}")
    if not np.isfinite(values).all():
        raise ValueError(f"scores hold {(~np.isfinite(values)).sum()} values that are NaN or infinite")
    right = class_numbers("truth", truth, len(values), 0, values.shape[1])[:, None]
    counted = np.ones(values.shape, bool) if candidates is None else booleans("candidates", candidates, values.shape)
    low = high = np.take_along_axis(values, right, axis=1)  # [q, 1]
    if tolerance:
        true = low.astype(np.float64)
        with np.errstate(over="ignore"):  # an infinite limit is what it should be
            low, high = true - tolerance * np.abs(true), true + tolerance * np.abs(true)
    others = counted & (np.arange(values.shape[1]) != right)
    better = (others & (values > high)).sum(axis=1)
    not_worse = (others & (values >= low)).sum(axis=1)
    return Ranks(1 + better, 1 + not_worse, 1 + others.sum(axis=1))


def ranking_figures(ranks: Ranks, hits_at: Sequence[int] = HITS_AT) -> dict[str, dict[str, float]]:
    """Optimistic, realistic and pessimistic → ``mrr``, ``hits@k``, ``mean_rank``, ``adjusted_mean_rank``.

    Raises:
        ValueError: there is no query.
    """
    if not len(ranks.candidates):
        raise ValueError("there are no queries to rank")
    expected = (ranks.candidates + 1).mean() / 2
    return {kind: _figures(getattr(ranks, kind), float(expected), hits_at) for kind in KINDS}


def _figures(ranks: npt.NDArray[np.int64] | Floats, expected: float, hits_at: Sequence[int]) -> dict[str, float]:
    found = {"mrr": float((1 / ranks).mean())} | {f"hits@{k}": float((ranks <= k).mean()) for k in hits_at}
    return found | {"mean_rank": float(ranks.mean()), "adjusted_mean_rank": float(ranks.mean()) / expected}


def macro(groups: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """The unweighted mean over groups of queries, such as those of a relation, of each figure."""
    return {
        kind: {name: float(np.mean([group[kind][name] for group in groups])) for name in groups[0][kind]}
        for kind in KINDS
    }
