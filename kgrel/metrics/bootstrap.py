"""Entity-clustered bootstrap intervals.

Pairs that share an entity are not independent, so entities are resampled, not pairs: the "pigeonhole"
bootstrap (Owen, Annals of Applied Statistics 2007). In each draw the m entities that occur receive
multinomial counts (m trials), and a pair weighs the product of the counts of its head and its tail.
Statistics are evaluated on weights, so nothing is copied.

The intervals err on the wide side: where no entity is shared, the product of two counts has about three times
the variance of one count, so they are √3 times as wide as those of an ordinary bootstrap over pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgrel.metrics.checks import Floats, Ints, booleans, class_numbers, finite

Statistic = Callable[[Floats], float | None]
"""Weights float64 [n] → a figure, or None where these weights leave it undefined."""


@dataclass(frozen=True)
class Interval:
    """A percentile interval of a statistic."""

    low: float
    high: float
    estimate: float
    """The statistic on the pairs as they are (all weights one)."""
    undefined: int = 0
    """Draws left out because the statistic was undefined on them."""

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is one: the interval lies wholly on one side of zero."""
        return self.low > 0 or self.high < 0


def entity_weights(
    heads: npt.ArrayLike, tails: npt.ArrayLike, draws: int, seed: int, one_pool: bool = True
) -> Iterator[Floats]:
    """Yield ``draws`` weight vectors: float64 [n], whole numbers, a function of the seed and the pairs.

    Args:
        heads: entity numbers [n], not negative.
        tails: entity numbers [n].
        draws: number of weight vectors.
        seed: of the random numbers.
        one_pool: equal numbers in ``heads`` and ``tails`` are one entity (unordered pairs); otherwise heads
            and tails are resampled apart.

    Raises:
        ValueError: no pairs, other shapes, negative numbers, no draws.
    """
    first, second = _entities(heads, tails)
    if draws < 1:
        raise ValueError(f"draws must be at least 1, not {draws}")
    return _weights(first, second, draws, seed, one_pool)


def _weights(heads: Ints, tails: Ints, draws: int, seed: int, one_pool: bool) -> Iterator[Floats]:
    random = np.random.default_rng(seed)
    if one_pool:
        entities, places = np.unique(np.concatenate([heads, tails]), return_inverse=True)
        head_places, tail_places = np.split(places, 2)
        for _ in range(draws):
            counts = _counts(random, len(entities))
            yield counts[head_places] * counts[tail_places]
    else:
        head_entities, head_places = np.unique(heads, return_inverse=True)
        tail_entities, tail_places = np.unique(tails, return_inverse=True)
        for _ in range(draws):
            head_counts = _counts(random, len(head_entities))
            yield head_counts[head_places] * _counts(random, len(tail_entities))[tail_places]


def _counts(random: np.random.Generator, entities: int) -> Floats:
    """How often each entity is drawn in as many draws with replacement as there are entities."""
    return np.bincount(random.integers(entities, size=entities), minlength=entities).astype(np.float64)


def interval(
    statistic: Statistic,
    heads: npt.ArrayLike,
    tails: npt.ArrayLike,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    one_pool: bool = True,
) -> Interval:
    """Percentile interval of ``statistic`` under :func:`entity_weights`.

    Raises:
        ValueError: the statistic is NaN or infinite, or undefined on the pairs or on every draw; a level
            outside 0..1; and what :func:`entity_weights` raises.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    first, second = _entities(heads, tails)
    estimate = statistic(np.ones(len(first)))
    if estimate is None or not np.isfinite(estimate):
        raise ValueError(f"the statistic is {estimate} on these pairs")
    values = [statistic(weights) for weights in entity_weights(first, second, draws, seed, one_pool)]
    defined = finite("statistic", [value for value in values if value is not None], (None,))
    if not len(defined):
        raise ValueError("the statistic is undefined on every draw")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), float(estimate), len(values) - len(defined))


def vector_interval(
    statistic: Callable[[Floats], Floats],
    heads: npt.ArrayLike,
    tails: npt.ArrayLike,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> list[Interval | None]:
    """As :func:`interval` for m figures that are computed together, one pool of entities.

    Args:
        statistic: weights [n] → figures [m], NaN where one is undefined.

    Returns:
        None for a figure that is undefined on the pairs or on every draw.

    Raises:
        ValueError: a level outside 0..1, and what :func:`entity_weights` raises.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    first, second = _entities(heads, tails)
    estimates = statistic(np.ones(len(first)))
    values = np.array([statistic(weights) for weights in entity_weights(first, second, draws, seed)])
    found: list[Interval | None] = []
    for estimate, drawn in zip(estimates.tolist(), values.T, strict=True):
        defined = drawn[~np.isnan(drawn)]
        if np.isnan(estimate) or not len(defined):
            found.append(None)
            continue
        low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
        found.append(Interval(float(low), float(high), estimate, draws - len(defined)))
    return found


def paired_difference(
    first: Statistic,
    second: Statistic,
    heads: npt.ArrayLike,
    tails: npt.ArrayLike,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    one_pool: bool = True,
) -> Interval:
    """Interval of ``first - second``, both evaluated on the same weights: "better" = ``excludes_zero``.

    Raises:
        ValueError: as :func:`interval`.
    """

    def difference(weights: Floats) -> float | None:
        one, other = first(weights), second(weights)
        return None if one is None or other is None else one - other

    return interval(difference, heads, tails, draws, seed, level, one_pool)


def micro_statistics(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> dict[str, Statistic]:
    """Weighted micro ``precision``, ``recall`` and ``f1``, 0 where nothing is predicted or labelled.

    On weights of one they equal :func:`kgrel.metrics.classification.classification_report`.

    Args:
        labels: bool [n, C].
        predicted: [n], -1 = NO-RELATION.

    Raises:
        ValueError: other shapes or types, a class number out of range.
    """
    truth = booleans("labels", labels, (None, None))
    pairs, classes = truth.shape
    numbers = class_numbers("predicted", predicted, pairs, -1, classes)
    made = numbers >= 0
    correct = np.zeros(pairs)
    correct[made] = truth[np.flatnonzero(made), numbers[made]]
    counts = np.column_stack([correct, made, truth.sum(axis=1)]).astype(np.float64)

    def ratio(top: float, bottom: float) -> float:
        return top / bottom if bottom else 0.0

    def precision(weights: Floats) -> float:
        hits, claims, _ = (weights @ counts).tolist()
        return ratio(hits, claims)

    def recall(weights: Floats) -> float:
        hits, _, support = (weights @ counts).tolist()
        return ratio(hits, support)

    def f1(weights: Floats) -> float:
        hits, claims, support = (weights @ counts).tolist()
        return ratio(2 * hits, claims + support)

    return {"precision": precision, "recall": recall, "f1": f1}


def average_precision_statistic(labels_any: npt.ArrayLike, best_score: npt.ArrayLike) -> Statistic:
    """Weighted average precision, as scikit-learn's ``average_precision_score`` with ``sample_weight``.

    AP = Σ (R_k − R_(k−1))·P_k over distinct scores. The pairs are sorted once, not at each draw, which makes
    it some ten times faster. None where no positive pair has weight.

    Args:
        labels_any: bool [n].
        best_score: finite, [n].

    Raises:
        ValueError: NaN, infinity, other shapes or types.
    """
    truth = booleans("labels_any", labels_any, (None,))
    scores = finite("best_score", best_score, truth.shape)
    order = np.argsort(-scores, kind="stable")
    falling, hit = scores[order], truth[order]
    ends = np.flatnonzero(np.append(falling[:-1] != falling[1:], True)) if len(falling) else order

    def statistic(weights: Floats) -> float | None:
        sorted_weights = weights[order]
        found = np.cumsum(sorted_weights * hit)[ends]
        if not len(found) or found[-1] <= 0:
            return None
        taken = np.cumsum(sorted_weights)[ends]
        precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
        return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])

    return statistic


def _entities(heads: npt.ArrayLike, tails: npt.ArrayLike) -> tuple[Ints, Ints]:
    most = np.iinfo(np.int64).max
    first = class_numbers("heads", heads, None, 0, most)
    second = class_numbers("tails", tails, len(first), 0, most)
    if not len(first):
        raise ValueError("there are no pairs to resample")
    return first, second
