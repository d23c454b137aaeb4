"""What the panels show agrees with the figures of the tables."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from kgrel.evaluate.pair_plots import (
    NO_RELATION,
    Evaluated,
    confusion,
    draw_evaluation,
    scores_by_frequency,
    threshold_curve,
)  # fmt: skip
from kgrel.evaluate.pairs import Predictions
from kgrel.metrics.classification import classification_report, predict

CLASSES = ["DaG", "DuG", "GENE-GENE"]


@pytest.fixture(scope="module")
def found() -> Evaluated:
    """300 pairs; one in five listed, some for two classes."""
    rng = np.random.default_rng(1)
    labels = rng.random((300, 3)) < 0.08
    best_class = rng.integers(0, 3, 300)
    scores = np.round(rng.random(300) * 0.6 + 0.3 * labels.any(axis=1), 2)  # with ties
    thresholds = np.full(3, 0.5)
    model = Predictions(labels, scores, predict(best_class, scores, thresholds), thresholds)
    return Evaluated({"kgrel": model}, best_class, rng.integers(0, 40, 300), CLASSES, None)


def test_each_point_of_the_threshold_curve_is_what_scikit_learn_counts(found: Evaluated) -> None:
    points = threshold_curve(found.best_class, found.model)
    assert len(points) > 50
    truth = np.column_stack([found.model.labels, ~found.model.labels.any(axis=1)])
    for cut, *expected in points[::7]:
        predicted = predict(found.best_class, found.model.best_score, np.full(3, cut))
        made = np.eye(4, dtype=bool)[predicted]
        counted = precision_recall_fscore_support(truth, made, labels=[0, 1, 2], average="micro", zero_division=0)
        np.testing.assert_allclose(expected, counted[:3], atol=1e-12)


def test_equal_scores_give_no_threshold_that_accepts_something() -> None:
    one = Predictions(np.ones((4, 1), dtype=np.bool_), np.full(4, 0.5), np.zeros(4, np.int64), np.zeros(1))
    assert threshold_curve(np.zeros(4, np.int64), one).shape == (0, 4)


def test_the_confusion_matrix_counts_each_pair_once_and_agrees_with_the_tables(found: Evaluated) -> None:
    counts = confusion(found.model)
    report = classification_report(found.model.labels, found.model.predicted)
    assert counts.sum() == 300
    assert counts[:, :3].sum(axis=0).tolist() == report.predicted
    assert np.diag(counts)[:3].sum() / counts[:, :3].sum() == pytest.approx(report.precision)
    assert counts[3].sum() == (~found.model.labels.any(axis=1)).sum()


def test_quartiles_by_frequency_keep_pairs_without_text_apart() -> None:
    contexts = np.array([0, 0, 0, 1, 5, 9, 200])
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9])
    chosen = np.array([True] * 6 + [False])
    points = scores_by_frequency(scores, contexts, chosen)
    np.testing.assert_allclose(points[0], [0, 0.15, 0.2, 0.25])
    assert (points[1:, 0] > 0).all()
    assert points[:, 0].max() == 9  # the last pair was not chosen
    assert scores_by_frequency(scores, contexts, np.zeros(7, dtype=np.bool_)).shape == (0, 4)


def test_every_method_has_a_curve_and_every_class_a_row(found: Evaluated) -> None:
    other = {"other": found.model}
    axes = draw_evaluation(Evaluated(found.methods | other, found.best_class, found.contexts, CLASSES, None)).axes
    labels = [str(line.get_label()) for line in axes[0].lines]
    assert [label.split(":")[0] for label in labels] == ["kgrel", "other", "chance"]
    assert [tick.get_text() for tick in axes[3].get_yticklabels()] == [*CLASSES, NO_RELATION]


@pytest.mark.parametrize(("fewest", "scale"), [(0, "symlog"), (1, "log")])
def test_pairs_without_text_have_a_place_on_the_axis_of_contexts(found: Evaluated, fewest: int, scale: str) -> None:
    contexts = np.maximum(found.contexts, fewest)
    assert (contexts == 0).any() == (fewest == 0)
    axes = draw_evaluation(Evaluated(found.methods, found.best_class, contexts, CLASSES, None)).axes
    assert axes[4].get_xscale() == scale
