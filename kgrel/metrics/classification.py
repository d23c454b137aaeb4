"""Precision, recall and F1 with NO-RELATION left out, and ranking metrics.

There are n pairs and C positive classes. ``labels`` is bool [n, C]: a pair may have several classes, or
none, which is NO-RELATION. A prediction is one class number, or -1 = NO-RELATION. A pair whose positive
class is predicted as another positive class is a false positive of the one **and** a false negative of the
other. So the micro averages are scikit-learn's over the positive labels (single-label) or over the label
indicator matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, matthews_corrcoef, roc_auc_score

from kgrel.metrics.checks import Bools, Floats, Ints, booleans, class_numbers, finite


@dataclass(frozen=True)
class ClassificationReport:
    """Precision, recall and F1, all in 0..1, and counts. A ratio whose denominator is zero counts as 0."""

    precision: float
    """Micro-averaged over the positive classes."""
    recall: float
    """Micro-averaged over the positive classes."""
    f1: float
    """Micro-averaged over the positive classes."""
    macro_precision: float
    """Unweighted mean of ``class_precision`` over all C classes, also those without a label."""
    macro_recall: float
    """Unweighted mean of ``class_recall`` over all C classes, also those without a label."""
    macro_f1: float
    """Unweighted mean of ``class_f1`` over all C classes, also those without a label."""
    class_precision: list[float]
    """Precision of each class, length C."""
    class_recall: list[float]
    """Recall of each class, length C."""
    class_f1: list[float]
    """F1 of each class, length C."""
    support: list[int]
    """Number of labels of each class, length C."""
    predicted: list[int]
    """Number of predictions of each class, length C."""


def best(scores: npt.ArrayLike, possible: npt.ArrayLike | None = None) -> tuple[Ints, Floats]:
    """The best-scored possible class of each pair; the first one when several tie.

    Args:
        scores: finite, [n, C].
        possible: bool [n, C], false where the pair's types rule the class out; None = all are possible.

    Returns:
        best_class: int64 [n].
        best_score: float64 [n].

    Raises:
        ValueError: NaN, infinity, other shapes, no class at all, or a pair without any possible class.
    """
    array = finite("scores", scores, (None, None))
    pairs, classes = array.shape
    if not classes:
        raise ValueError("scores have no class")
    if possible is not None:
        mask = booleans("possible", possible, array.shape)
        if not mask.any(axis=1).all():
            raise ValueError(f"pair {int(np.argmin(mask.any(axis=1)))} has no possible class")
        array = np.where(mask, array, -np.inf)
    best_class = array.argmax(axis=1).astype(np.int64)
    return best_class, array[np.arange(pairs), best_class]


def predict(best_class: npt.ArrayLike, best_score: npt.ArrayLike, thresholds: npt.ArrayLike) -> Ints:
    """The best class where its score exceeds (>) the threshold of that class, else -1.

    Args:
        best_class: [n], 0..C-1.
        best_score: finite, [n]; compared in float64.
        thresholds: finite, [C].

    Returns:
        int64 [n], -1 = NO-RELATION.

    Raises:
        ValueError: NaN, infinity, other shapes, a class number out of range.
    """
    limits = finite("thresholds", thresholds, (None,))
    classes = class_numbers("best_class", best_class, None, 0, len(limits))
    scores = finite("best_score", best_score, classes.shape)
    return np.where(scores > limits[classes], classes, -1)


def classification_report(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> ClassificationReport:
    """Count predictions against labels.

    Args:
        labels: bool [n, C].
        predicted: [n], -1 = NO-RELATION.

    Raises:
        ValueError: other shapes or types, a class number out of range.
    """
    truth = booleans("labels", labels, (None, None))
    pairs, classes = truth.shape
    numbers = class_numbers("predicted", predicted, pairs, -1, classes)
    claimed = numbers[numbers >= 0]
    hits = claimed[truth[np.flatnonzero(numbers >= 0), claimed]]
    true_positive = np.bincount(hits, minlength=classes)
    made = np.bincount(claimed, minlength=classes)
    support = truth.sum(axis=0)
    by_class = ratio([true_positive, true_positive, 2 * true_positive], [made, support, made + support])
    macro = by_class.mean(axis=1) if classes else np.zeros(3)
    return ClassificationReport(
        precision=float(ratio(true_positive.sum(), made.sum())),
        recall=float(ratio(true_positive.sum(), support.sum())),
        f1=float(ratio(2 * true_positive.sum(), made.sum() + support.sum())),
        macro_precision=float(macro[0]),
        macro_recall=float(macro[1]),
        macro_f1=float(macro[2]),
        class_precision=by_class[0].tolist(),
        class_recall=by_class[1].tolist(),
        class_f1=by_class[2].tolist(),
        support=support.tolist(),
        predicted=made.tolist(),
    )


def average_precision(labels_any: npt.ArrayLike, best_score: npt.ArrayLike) -> float | None:
    """Average precision of ranking pairs by score, positive = related at all.

    Args:
        labels_any: bool [n].
        best_score: finite, [n].

    Returns:
        0..1, or None where it is undefined: without a positive pair.

    Raises:
        ValueError: NaN, infinity, other shapes or types.
    """
    truth, scores = _ranking(labels_any, best_score)
    return float(average_precision_score(truth, scores)) if truth.any() else None


def auroc(labels_any: npt.ArrayLike, best_score: npt.ArrayLike) -> float | None:
    """Area under the ROC curve of ranking pairs by score, positive = related at all; ties count one half.

    Args:
        labels_any: bool [n].
        best_score: finite, [n].

    Returns:
        0..1, or None where it is undefined: with positive pairs only, or with none.

    Raises:
        ValueError: NaN, infinity, other shapes or types.
    """
    truth, scores = _ranking(labels_any, best_score)
    return float(roc_auc_score(truth, scores)) if truth.any() and not truth.all() else None


def micro_average_precision(
    labels: npt.ArrayLike, scores: npt.ArrayLike, possible: npt.ArrayLike | None = None
) -> float | None:
    """Average precision of ranking all possible (pair, class) cells together.

    Args:
        labels: bool [n, C].
        scores: finite, [n, C].
        possible: bool [n, C]; None = all are possible.

    Returns:
        0..1, or None without a positive cell.

    Raises:
        ValueError: NaN, infinity, other shapes, or a label in an impossible cell.
    """
    truth = booleans("labels", labels, (None, None))
    array = finite("scores", scores, truth.shape)
    mask = np.ones(truth.shape, bool) if possible is None else booleans("possible", possible, truth.shape)
    if (truth & ~mask).any():
        pair, number = (int(place[0]) for place in np.nonzero(truth & ~mask))
        raise ValueError(f"pair {pair} is labelled with class {number}, which is impossible for it")
    return average_precision(truth[mask], array[mask])


def matthews(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Matthews' correlation of two class numbers of each of n sentences, −1..1; 0 where either has one class only.

    Args:
        labels, predicted: [n], not negative.

    Raises:
        ValueError: other shapes or types, a negative number.
    """
    most = np.iinfo(np.int64).max
    truth = class_numbers("labels", labels, None, 0, most)
    return float(matthews_corrcoef(truth, class_numbers("predicted", predicted, len(truth), 0, most)))


def _ranking(labels_any: npt.ArrayLike, best_score: npt.ArrayLike) -> tuple[Bools, Floats]:
    truth = booleans("labels_any", labels_any, (None,))
    return truth, finite("best_score", best_score, truth.shape)


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Floats:
    """Elementwise quotient, 0 where the denominator is 0."""
    top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
