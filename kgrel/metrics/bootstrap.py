"""Entity-clustered bootstrap intervals.

Pairs that share an entity are not independent, so entities are resampled, not pairs: the "pigeonhole"
bootstrap (Owen, Annals of Applied Statistics 2007). In each draw the m entities that occur receive
multinomial counts (m trials), and a pair weighs the product of the counts of its head and its tail.
Statistics are evaluated on weights, so nothing is copied.

The intervals err on the wide side: where no entity is shared, the product of two counts has about three times
the variance of one count, so they are √3 times as wide as those of an ordinary bootstrap over pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgrel.metrics.checks import Floats, Ints, booleans, class_numbers, finite
from kgrel.metrics.classification import ratio

Statistic = Callable[[Floats], float | None]
"""Weights float64 [n] → a figure, or None where these weights leave it undefined."""
Statistics = Callable[[Floats], Floats]
"""Weights float64 [n] → figures [m] that are computed together, NaN where these weights leave one undefined."""
CLASSIFIED = ("precision", "recall", "f1", "macro_f1")
"""What :func:`classification_statistics` computes."""
RANKED = ("average_precision", "auroc")
"""What :func:`ranking_statistics` computes."""


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
    statistics: Statistics,
    heads: npt.ArrayLike,
    tails: npt.ArrayLike,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> list[Interval | None]:
    """As :func:`interval` for m figures that are computed together, one pool of entities.

    Returns:
        None for a figure that is undefined on the pairs or on every draw.

    Raises:
        ValueError: a level outside 0..1, and what :func:`entity_weights` raises.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    first, second = _entities(heads, tails)
    estimates = statistics(np.ones(len(first)))
    values = np.array([statistics(weights) for weights in entity_weights(first, second, draws, seed)])
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


def classification_statistics(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> Statistics:
    """The weighted figures :data:`CLASSIFIED`; a ratio whose denominator is zero counts as 0.

    On weights of one they equal :func:`kgrel.metrics.classification.classification_report`. So the macro F1 is a mean
    over all C classes, also those that a draw leaves without a label.

    Args:
        labels: bool [n, C].
        predicted: [n], -1 = NO-RELATION.

    Raises:
        ValueError: other shapes or types, a class number out of range.
    """
    truth = booleans("labels", labels, (None, None))
    pairs, classes = truth.shape
    numbers = class_numbers("predicted", predicted, pairs, -1, classes)
    made = np.flatnonzero(numbers >= 0)
    hits = made[truth[made, numbers[made]]]
    listed, theirs = np.nonzero(truth)
    # Most pairs are neither listed nor predicted, so only hits, predictions and labels are counted, by class.
    rows = np.concatenate([hits, made, listed])
    cells = np.concatenate([numbers[hits], classes + numbers[made], 2 * classes + theirs])

    def figures(weights: Floats) -> Floats:
        counts = np.bincount(cells, weights[rows], 3 * classes).reshape(3, classes)
        by_class = ratio(2 * counts[0], counts[1] + counts[2])
        hit, claimed, support = counts.sum(axis=1)
        micro = ratio([hit, hit, 2 * hit], [claimed, support, claimed + support])
        return np.append(micro, by_class.mean() if classes else 0.0)

    return figures


def ranking_statistics(labels_any: npt.ArrayLike, best_score: npt.ArrayLike) -> Statistics:
    """The weighted figures :data:`RANKED`, as scikit-learn counts them with ``sample_weight``.

    Over the distinct scores k, from the highest down, with w⁺_k and w⁻_k the weights of the positive and the other
    pairs that have it, and T_k, F_k their sums up to k:

        AP = Σ w⁺_k / T · T_k / (T_k + F_k),   AUROC = Σ w⁺_k / T · (1 − (F_k − w⁻_k / 2) / F)

    Only scores of positive pairs add to either. The pairs are sorted once, not at each draw. Both are NaN where no
    positive pair has weight, AUROC also where no other one has.

    Args:
        labels_any: bool [n].
        best_score: finite, [n].

    Raises:
        ValueError: NaN, infinity, other shapes or types.
    """
    truth = booleans("labels_any", labels_any, (None,))
    scores = finite("best_score", best_score, truth.shape)
    order = np.argsort(-scores, kind="stable")
    rising, hits = -scores[order], np.flatnonzero(truth[order])
    values, firsts = np.unique(rising[hits], return_index=True)
    starts, ends = np.searchsorted(rising, values, "left"), np.searchsorted(rising, values, "right")

    def figures(weights: Floats) -> Floats:
        sorted_weights = weights[order]
        gained = np.add.reduceat(sorted_weights[hits], firsts) if len(firsts) else np.zeros(0)
        total, found = gained.sum(), np.cumsum(gained)
        if not total:
            return np.full(len(RANKED), np.nan)
        taken = np.concatenate([[0.0], np.cumsum(sorted_weights)])
        before, after, others = taken[starts] - (found - gained), taken[ends] - found, taken[-1] - total
        area = 1 - gained @ (before + after) / (2 * total * others) if others else np.nan
        return np.array([gained @ ratio(found, taken[ends]) / total, area])

    return figures


def average_precision_statistic(labels_any: npt.ArrayLike, best_score: npt.ArrayLike) -> Statistic:
    """Average precision alone, see :func:`ranking_statistics`."""
    return scalars(ranking_statistics(labels_any, best_score), RANKED)["average_precision"]


def mean_statistic(values: npt.ArrayLike) -> Statistic:
    """The weighted mean of figures [n], None where all weights are zero.

    Raises:
        ValueError: NaN or infinity.
    """
    figures = finite("values", values, (None,))

    def mean(weights: Floats) -> float | None:
        total = float(weights.sum())
        return float(weights @ figures) / total if total else None

    return mean


def scalars(statistics: Statistics, names: Sequence[str]) -> dict[str, Statistic]:
    """Each figure of ``statistics`` for itself, None where it is undefined."""

    def one(place: int) -> Statistic:
        def figure(weights: Floats) -> float | None:
            value = float(statistics(weights)[place])
            return None if np.isnan(value) else value

        return figure

    return {name: one(place) for place, name in enumerate(names)}


def _entities(heads: npt.ArrayLike, tails: npt.ArrayLike) -> tuple[Ints, Ints]:
    most = np.iinfo(np.int64).max
    first = class_numbers("heads", heads, None, 0, most)
    second = class_numbers("tails", tails, len(first), 0, most)
    if not len(first):
        raise ValueError("there are no pairs to resample")
    return first, second
