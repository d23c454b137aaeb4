"""The threshold is the exact optimum: no cut has a higher F1, and none with as high a one is stricter."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.metrics.classification import classification_report, predict
from kgrel.metrics.thresholds import best_threshold, best_thresholds_per_class

Problem = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Few distinct scores, so that ties are common; or any finite scores."""
    classes, pairs = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    few = st.sampled_from([0.1, 0.2, 0.3, 0.7, 1.0])
    wild = st.floats(-1e300, 1e300)
    scores = draw(st.lists(draw(st.sampled_from([few, wild])), min_size=pairs, max_size=pairs))
    numbers = draw(st.lists(st.integers(0, classes - 1), min_size=pairs, max_size=pairs))
    row = st.lists(st.booleans(), min_size=classes, max_size=classes)
    labels = draw(st.lists(row, min_size=pairs, max_size=pairs))
    return np.array(numbers), np.array(scores), np.array(labels)


def all_cuts(scores: np.ndarray) -> list[float]:
    """One threshold for each distinct outcome, the strictest first."""
    distinct = np.unique(scores)
    return [*distinct[::-1].tolist(), float(np.nextafter(distinct[0], -np.inf))]


@given(problems())
def test_the_global_threshold_has_the_highest_micro_f1_with_the_fewest_predictions(problem: Problem) -> None:
    numbers, scores, labels = problem
    classes = labels.shape[1]

    def outcome(threshold: float) -> tuple[float, int]:
        predicted = predict(numbers, scores, np.full(classes, threshold))
        return classification_report(labels, predicted).f1, -int((predicted >= 0).sum())

    found = best_threshold(numbers, scores, labels)
    assert outcome(found.value) == max(outcome(cut) for cut in all_cuts(scores))
    assert found.f1 == outcome(found.value)[0]


@given(problems())
def test_each_class_threshold_has_the_highest_f1_of_its_class(problem: Problem) -> None:
    numbers, scores, labels = problem
    classes = labels.shape[1]
    found = best_thresholds_per_class(numbers, scores, labels)
    assert found.shape == (classes,)
    reached = classification_report(labels, predict(numbers, scores, found))
    for cut in all_cuts(scores):
        other = classification_report(labels, predict(numbers, scores, np.full(classes, cut)))
        for number in range(classes):
            better = reached.class_f1[number] > other.class_f1[number]
            as_good = reached.class_f1[number] == other.class_f1[number]
            assert better or (as_good and reached.predicted[number] <= other.predicted[number])


@given(problems())
def test_thresholds_are_json_numbers(problem: Problem) -> None:
    values = [best_threshold(*problem).value, *best_thresholds_per_class(*problem).tolist()]
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def one_class(scores: list[float], correct: list[bool]) -> float:
    return best_threshold(np.zeros(len(scores), int), np.array(scores), np.array(correct)[:, None]).value


def test_the_threshold_lies_halfway_between_the_scores_it_parts() -> None:
    assert one_class([0.75, 0.25], [True, False]) == 0.5


def test_between_neighbouring_floats_it_falls_back_to_the_rejected_score() -> None:
    for rejected in (0.5, float(np.nextafter(0.5, 1))):  # the number halfway is rounded to the one or to the other
        accepted = float(np.nextafter(rejected, 1))
        assert one_class([accepted, rejected], [True, False]) == rejected


def test_scores_near_the_largest_float_do_not_overflow() -> None:
    assert 1e308 < one_class([1.7e308, 1.1e308], [True, False]) < 1.7e308


def test_accepting_all_probabilities_gives_zero_and_all_other_scores_the_next_number_below() -> None:
    assert one_class([0.9, 0.2], [True, True]) == 0.0
    assert one_class([1.0, 0.2], [True, True]) == 0.0
    assert one_class([1.5, 0.2], [True, True]) == np.nextafter(0.2, -np.inf)
    for highest, expected in ((1.0, 0.0), (1.5, np.nextafter(0.2, -np.inf))):
        found = best_thresholds_per_class(np.array([0, 0]), np.array([highest, 0.2]), np.ones((2, 1), bool))
        assert found.tolist() == [expected]
    assert one_class([3.0, -2.0], [True, True]) == np.nextafter(-2.0, -np.inf)
    assert one_class([1.0, 0.0], [True, True]) < 0


def test_without_a_correct_pair_nothing_is_accepted() -> None:
    assert one_class([0.9, 0.2], [False, False]) == 0.9


def test_a_class_that_is_nowhere_best_accepts_nothing() -> None:
    found = best_thresholds_per_class(np.array([0, 0]), np.array([0.9, 0.2]), np.ones((2, 2), bool))
    assert found.tolist() == [0.0, 0.9]


def test_tied_scores_are_accepted_or_rejected_together() -> None:
    assert one_class([0.5, 0.5, 0.1], [True, False, False]) < 0.5


def test_wrong_input_is_refused() -> None:
    for tune in (best_threshold, best_thresholds_per_class):
        with pytest.raises(ValueError, match=r"^labels must be bool, not int64"):
            tune(np.array([0]), np.array([0.1]), np.array([[1]]))
        with pytest.raises(ValueError, match=r"^best_class has shape \[2\]"):
            tune(np.array([0, 0]), np.array([0.1]), np.array([[True]]))
        with pytest.raises(ValueError, match=r"^there are no pairs to tune a threshold on$"):
            tune(np.zeros(0, int), np.zeros(0), np.zeros((0, 1), bool))
        with pytest.raises(ValueError, match="NaN or infinite"):
            tune(np.array([0]), np.array([np.nan]), np.array([[True]]))
        with pytest.raises(ValueError, match=r"best_score has shape \[2\]"):
            tune(np.array([0]), np.array([0.1, 0.2]), np.array([[True]]))
        with pytest.raises(ValueError, match=r"best_class must lie in 0..0"):
            tune(np.array([1]), np.array([0.1]), np.array([[True]]))
