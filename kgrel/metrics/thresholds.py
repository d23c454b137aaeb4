"""The threshold that maximises F1, exactly: every distinct score is tried, by one sort and one running sum.

The rule is ``score > threshold``. After sorting by falling score, accepting the k best pairs has F1 =
2·TP(k) / (k + P), where P is the number of labels. Cuts lie only between distinct scores. When F1 ties, the
higher threshold wins: fewer predictions for the same F1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgrel.metrics.checks import Bools, Floats, Ints, booleans, class_numbers, finite


@dataclass(frozen=True)
class Threshold:
    """A finite threshold and the F1 (0..1) that it reaches on the pairs it was tuned on."""

    value: float
    f1: float


def best_threshold(best_class: npt.ArrayLike, best_score: npt.ArrayLike, labels: npt.ArrayLike) -> Threshold:
    """The one threshold for all classes that maximises micro-F1 (NO-RELATION left out).

    Args:
        best_class: [n], 0..C-1.
        best_score: finite, [n].
        labels: bool [n, C].

    Returns:
        The threshold lies halfway between the last accepted and the first rejected score. When all pairs are
        accepted it is 0 for positive probabilities, else the next number below the lowest score. When nothing
        is gained by accepting, it is the highest score, which accepts nothing.

    Raises:
        ValueError: no pairs, NaN, infinity, other shapes, a class number out of range.
    """
    numbers, scores, truth = _checked(best_class, best_score, labels)
    correct = truth[np.arange(len(numbers)), numbers]
    return _optimum(scores, correct, int(truth.sum()), bool(scores.min() > 0 and scores.max() <= 1))


def best_thresholds_per_class(best_class: npt.ArrayLike, best_score: npt.ArrayLike, labels: npt.ArrayLike) -> Floats:
    """For each class the threshold that maximises its own F1.

    A class is predicted only for pairs whose best class it is; its labels are counted over all pairs, so
    this is ``class_f1`` of :func:`kgrel.metrics.classification.classification_report`. A class that is
    nowhere the best one gets the highest score of all pairs.

    Args:
        best_class: [n], 0..C-1.
        best_score: finite, [n].
        labels: bool [n, C].

    Returns:
        float64 [C], finite.

    Raises:
        ValueError: no pairs, NaN, infinity, other shapes, a class number out of range.
    """
    numbers, scores, truth = _checked(best_class, best_score, labels)
    probabilities = bool(scores.min() > 0 and scores.max() <= 1)
    thresholds = np.full(truth.shape[1], scores.max())
    for number in range(truth.shape[1]):
        chosen = numbers == number
        if chosen.any():
            support = int(truth[:, number].sum())
            thresholds[number] = _optimum(scores[chosen], truth[chosen, number], support, probabilities).value
    return thresholds


def _checked(best_class: npt.ArrayLike, best_score: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Ints, Floats, Bools]:
    truth = booleans("labels", labels, (None, None))
    pairs, classes = truth.shape
    if not pairs:
        raise ValueError("there are no pairs to tune a threshold on")
    return (
        class_numbers("best_class", best_class, pairs, 0, classes),
        finite("best_score", best_score, (pairs,)),
        truth,
    )


def _optimum(scores: Floats, correct: Bools, support: int, probabilities: bool) -> Threshold:
    """Args: scores [m], correct [m] (accepting this pair is a true positive), support = number of labels."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    accepted = np.arange(1, len(falling) + 1)
    f1 = 2 * np.cumsum(correct[order]) / (accepted + support)
    f1[:-1][falling[:-1] == falling[1:]] = -1  # no cut between equal scores
    last = int(np.argmax(f1))  # the first maximum: the highest of the tied thresholds
    if f1[last] <= 0:
        return Threshold(float(falling[0]), 0.0)
    return Threshold(_cut(falling, last, probabilities), float(f1[last]))


def _cut(falling: Floats, last: int, probabilities: bool) -> float:
    """A number t with falling[last + 1] <= t < falling[last]."""
    lowest_accepted = float(falling[last])
    if last + 1 == len(falling):
        return 0.0 if probabilities else float(np.nextafter(lowest_accepted, -np.inf))
    rejected = float(falling[last + 1])
    middle = lowest_accepted / 2 + rejected / 2  # halved first: the sum may overflow
    return middle if rejected < middle < lowest_accepted else rejected
