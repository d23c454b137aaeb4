"""The metrics are scikit-learn's with NO-RELATION left out, and refuse what they cannot count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from kgrel.metrics.classification import (
    auroc,
    average_precision,
    best,
    classification_report,
    micro_average_precision,
    predict,
)

Problem = tuple[np.ndarray, np.ndarray]


@st.composite
def single_label_problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    classes = draw(st.integers(1, 4))
    numbers = st.integers(-1, classes - 1)
    pairs = draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30))
    truth, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    return truth, predicted, classes


@st.composite
def multi_label_problems(draw: st.DrawFn) -> Problem:
    classes, pairs = draw(st.integers(1, 4)), draw(st.integers(1, 25))
    row = st.lists(st.booleans(), min_size=classes, max_size=classes)
    labels = np.array(draw(st.lists(row, min_size=pairs, max_size=pairs)))
    numbers = st.integers(-1, classes - 1)
    return labels, np.array(draw(st.lists(numbers, min_size=pairs, max_size=pairs)))


def indicator(numbers: np.ndarray, classes: int) -> np.ndarray:
    return numbers[:, None] == np.arange(classes)


@given(single_label_problems())
def test_single_labels_give_scikit_learns_averages_over_the_positive_classes(
    problem: tuple[np.ndarray, np.ndarray, int],
) -> None:
    truth, predicted, classes = problem
    report = classification_report(indicator(truth, classes), predicted)
    positives = list(range(classes))
    micro = precision_recall_fscore_support(truth, predicted, labels=positives, average="micro", zero_division=0)
    each = precision_recall_fscore_support(truth, predicted, labels=positives, zero_division=0)
    assert (report.precision, report.recall, report.f1) == pytest.approx(micro[:3])
    assert report.class_precision == pytest.approx(each[0].tolist())
    assert report.class_recall == pytest.approx(each[1].tolist())
    assert report.class_f1 == pytest.approx(each[2].tolist())
    assert report.support == each[3].tolist()
    macro = precision_recall_fscore_support(truth, predicted, labels=positives, average="macro", zero_division=0)
    assert (report.macro_precision, report.macro_recall, report.macro_f1) == pytest.approx(macro[:3])


@given(multi_label_problems())
def test_several_labels_give_scikit_learns_micro_average_over_the_indicator_matrix(problem: Problem) -> None:
    labels, predicted = problem
    report = classification_report(labels, predicted)
    # A column of zeros keeps scikit-learn from reading a one-column matrix as a binary problem.
    truth, claims = (
        np.column_stack([matrix, np.zeros(len(matrix), bool)])
        for matrix in (labels, indicator(predicted, labels.shape[1]))
    )
    micro = precision_recall_fscore_support(truth, claims, average="micro", zero_division=0)
    assert (report.precision, report.recall, report.f1) == pytest.approx(micro[:3])
    assert report.predicted == claims.sum(axis=0)[:-1].tolist()


def test_one_positive_class_for_another_is_a_false_positive_and_a_false_negative() -> None:
    report = classification_report(np.array([[True, False], [True, False]]), np.array([0, 1]))
    assert (report.precision, report.recall) == (0.5, 0.5)


def test_nothing_predicted_counts_as_zero() -> None:
    report = classification_report(np.array([[True], [False]]), np.array([-1, -1]))
    assert (report.precision, report.recall, report.f1) == (0.0, 0.0, 0.0)


def test_impossible_classes_are_never_best() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8]])
    number, score = best(scores, np.array([[False, True], [True, True]]))
    assert number.tolist() == [1, 1]
    assert score.tolist() == [0.1, 0.8]
    assert number.dtype == np.int64
    assert score.dtype == np.float64


def test_without_a_mask_the_first_of_tied_classes_is_best() -> None:
    number, score = best(np.array([[0.5, 0.5, 0.1]]))
    assert (number.tolist(), score.tolist()) == ([0], [0.5])


def test_a_class_is_predicted_only_above_its_own_threshold() -> None:
    predicted = predict(np.array([0, 0, 1, 1]), np.array([0.5, 0.6, 0.5, 0.6]), np.array([0.5, 0.6]))
    assert predicted.tolist() == [-1, 0, -1, -1]


def test_scores_in_single_precision_are_compared_in_double_precision() -> None:
    score = np.array([0.1], np.float32)
    between = np.nextafter(np.float64(score[0]), -1)
    assert predict(np.array([0]), score, np.array([between])).tolist() == [0]


def test_no_pairs_give_an_empty_report() -> None:
    report = classification_report(np.zeros((0, 3), bool), np.zeros(0, int))
    assert (report.f1, report.support) == (0.0, [0, 0, 0])


def test_rankings_are_undefined_without_both_kinds_of_pairs() -> None:
    none, every, scores = np.zeros(3, bool), np.ones(3, bool), np.arange(3.0)
    assert average_precision(none, scores) is None
    assert average_precision(every, scores) == 1.0
    assert auroc(none, scores) is None
    assert auroc(every, scores) is None
    assert micro_average_precision(np.zeros((1, 2), bool), np.zeros((1, 2))) is None


def test_auroc_counts_ties_one_half() -> None:
    assert auroc(np.array([True, False]), np.array([0.3, 0.3])) == 0.5
    assert auroc(np.array([True, False]), np.array([0.4, 0.3])) == 1.0


def test_micro_average_precision_ranks_the_possible_cells_alone() -> None:
    labels = np.array([[True, False], [False, True]])
    scores = np.array([[0.7, 0.9], [0.2, 0.4]])
    possible = np.array([[True, False], [True, True]])
    assert micro_average_precision(labels, scores, possible) == pytest.approx(1.0)
    everything = average_precision_score(labels.ravel(), scores.ravel())
    assert micro_average_precision(labels, scores) == pytest.approx(everything)
    assert everything < 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_non_finite_numbers_are_refused(wrong: float) -> None:
    scores = np.array([0.5, wrong])
    truth = np.array([True, False])
    with pytest.raises(ValueError, match="NaN or infinite"):
        best(scores[None])
    with pytest.raises(ValueError, match="NaN or infinite"):
        predict(np.array([0, 0]), scores, np.array([0.5]))
    with pytest.raises(ValueError, match="thresholds holds 1"):
        predict(np.array([0]), np.array([0.5]), np.array([wrong]))
    for metric in (average_precision, auroc):
        with pytest.raises(ValueError, match="NaN or infinite"):
            metric(truth, scores)
    with pytest.raises(ValueError, match="NaN or infinite"):
        micro_average_precision(truth[None], scores[None])


def test_shapes_types_and_ranges_are_checked() -> None:
    labels = np.zeros((2, 3), bool)
    with pytest.raises(ValueError, match=r"predicted has shape \[3\], but \[2\]"):
        classification_report(labels, np.zeros(3, int))
    with pytest.raises(ValueError, match=r"predicted must lie in -1..2"):
        classification_report(labels, np.array([0, 3]))
    with pytest.raises(ValueError, match="predicted must be whole numbers"):
        classification_report(labels, np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="labels must be bool"):
        classification_report(labels.astype(int), np.array([0, 1]))
    with pytest.raises(ValueError, match="pair 1 has no possible class"):
        best(np.zeros((2, 1)), np.array([[True], [False]]))
    with pytest.raises(ValueError, match="no class"):
        best(np.zeros((2, 0)))
    with pytest.raises(ValueError, match="pair 0 is labelled with class 1, which is impossible"):
        micro_average_precision(np.array([[False, True]]), np.array([[0.1, 0.2]]), np.array([[True, False]]))
