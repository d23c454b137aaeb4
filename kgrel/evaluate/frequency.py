"""Are pairs that are rare in text scored less confidently?

Spread, entropy and disagreement of each co-mentioned pair are set against its number of contexts. Pairs of frequent
entities are mentioned more often, and listed pairs too, so the contexts of both entities and the label are held
constant: by partial rank correlation, and within strata. Spread also depends on the score itself (p̄ near 0 leaves
no room for it); the last set of controls holds the score constant as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import KgrelError
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.metrics.association import partial_spearman
from kgrel.metrics.bootstrap import Interval, vector_interval
from kgrel.metrics.checks import Floats
from kgrel.metrics.classification import best
from kgrel.score.confidence import Uncertain
from kgrel.score.scorer import entity_contexts
from kgrel.train.pair_artifact import PairArtifact
from kgrel.train.pair_data import Flags, Rows

MEASURES = ("score_std", "entropy", "disagreement")
LABEL, SCORE = "entity_counts_and_label", "entity_counts_label_and_score"
CURVE_BINS = 6
"""Most groups of contexts on a curve, with about as many pairs each."""


def by_frequency(model: PairArtifact, rows: Rows, settings: EvaluationSettings) -> dict[str, Any]:
    """Relate uncertainty to the number of contexts of a pair.

    Args:
        rows: pairs of the data; those that no sentence mentions are left out.

    Returns:
        ``correlations``: what is held constant → measure → estimate, interval, and whether rare pairs are less
        confident (the interval lies below zero); ``strata`` and ``curves``, see :func:`strata` and :func:`curves`.

    Raises:
        KgrelError: the model gives no uncertainty, or fewer than three of the pairs are co-mentioned.
    """
    if not isinstance(model, Uncertain):
        raise KgrelError("this model gives no uncertainty; leave out --by-frequency")
    data = model.data
    rows = rows[data.contexts[rows] > 0]
    if len(rows) < 3:
        raise KgrelError("fewer than three of the pairs are mentioned in text; leave out --by-frequency")
    heads, tails, contexts = data.heads[rows], data.tails[rows], data.contexts[rows]
    predicted = model.predict_with_uncertainty(heads, tails)
    classes, scores = best(predicted.mean, data.possible(rows))
    spread = predicted.std[np.arange(len(rows)), classes]
    measures = np.column_stack([spread, predicted.entropy, predicted.disagreement])
    of_entity = entity_contexts(model)
    counts = np.sort(np.stack([of_entity[side] for side in (heads, tails)], axis=1), axis=1)
    held = np.column_stack([counts, data.labels[rows]]).astype(np.float64)
    controls = {"nothing": held[:, :0], LABEL: held, SCORE: np.column_stack([held, scores])}
    pairs, listed = (heads, tails), data.positive[rows]
    return {
        "pairs": len(rows),
        "correlations": {
            name: by_measure(correlated(contexts, measures, control, pairs, settings))
            for name, control in controls.items()
        },
        "strata": strata(contexts, measures, counts[:, 0], listed, pairs, settings),
        "curves": curves(contexts, measures, listed, pairs, settings),
    }


def correlated(
    contexts: Rows, measures: Floats, controls: Floats, pairs: tuple[Rows, Rows], settings: EvaluationSettings
) -> list[Interval | None]:
    """Partial rank correlation of each measure with the number of contexts."""
    statistic = partial_spearman(contexts, measures, controls)
    return vector_interval(statistic, *pairs, settings.draws, settings.seed)


def by_measure(found: list[Interval | None]) -> dict[str, Any]:
    """Intervals of the measures as JSON."""
    return {
        name: None
        if value is None
        else {
            "estimate": value.estimate,
            "interval": [value.low, value.high],
            "rare_pairs_less_confident": value.high < 0,
        }
        for name, value in zip(MEASURES, found, strict=True)
    }


def strata(
    contexts: Rows,
    measures: Floats,
    rarer: Rows,
    listed: Flags,
    pairs: tuple[Rows, Rows],
    settings: EvaluationSettings,
) -> list[dict[str, Any]]:
    """Rank correlations among listed and among unlisted pairs, in thirds of the contexts of the rarer entity."""
    third = groups(rarer, 3)
    found = []
    for value in (True, False):
        for number in np.unique(third):
            inside = np.flatnonzero((third == number) & (listed == value))
            if len(inside) < 3:
                continue
            inner = pairs[0][inside], pairs[1][inside]
            none = np.zeros((len(inside), 0))
            intervals = correlated(contexts[inside], measures[inside], none, inner, settings)
            bounds = [int(rarer[inside].min()), int(rarer[inside].max())]
            place = {"listed": value, "contexts_of_rarer_entity": bounds, "pairs": len(inside)}
            found.append(place | {"correlations": by_measure(intervals)})
    return found


def curves(
    contexts: Rows, measures: Floats, listed: Flags, pairs: tuple[Rows, Rows], settings: EvaluationSettings
) -> list[dict[str, Any]]:
    """Mean of each measure in groups of contexts, for listed and for unlisted pairs."""
    group = groups(contexts, CURVE_BINS)
    found = []
    for value in (True, False):
        for number in np.unique(group):
            inside = np.flatnonzero((group == number) & (listed == value))
            if not len(inside):
                continue
            inner = measures[inside]

            def means(weights: Floats, inner: Floats = inner) -> Floats:
                total = weights.sum()
                return weights @ inner / total if total else np.full(inner.shape[1], np.nan)

            intervals = vector_interval(means, pairs[0][inside], pairs[1][inside], settings.draws, settings.seed)
            point: dict[str, Any] = {"listed": value, "contexts": float(contexts[inside].mean()), "pairs": len(inside)}
            for name, bounds in zip(MEASURES, intervals, strict=True):
                point[name] = None if bounds is None else [bounds.estimate, bounds.low, bounds.high]
            found.append(point)
    return found


def groups(values: Rows, most: int) -> npt.NDArray[np.int64]:
    """A group number for each value: at most ``most`` groups of about as many; equal values share a group."""
    edges = np.unique(np.quantile(values, np.arange(1, most) / most))
    return np.searchsorted(edges, values, side="left").astype(np.int64)
