"""Embeddings of labels alone find a planted structure, and see neither text nor held-out labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kgrel.baselines import label_only
from kgrel.baselines.counts import degree_product
from kgrel.baselines.label_only import GRID, LabelOnlyTask, fit_label_only
from kgrel.baselines.settings import LabelOnlySettings
from kgrel.data.progress import Silent
from kgrel.metrics.classification import average_precision, best
from kgrel.train.loop import LoopSettings, train
from kgrel.train.pair_data import PairData, Part
from kgrel.train.pairs import PairBatches
from kgrel.train.settings import PairSettings

SETTINGS = LabelOnlySettings(steps=300, validate_every=50, patience=3, learning_rate=2e-2)
SHORT = LabelOnlySettings(steps=40, validate_every=20)


def ranking(data: PairData, scores: np.ndarray, rows: np.ndarray) -> float:
    """Average precision of "listed" by the best possible class."""
    found = average_precision(data.positive[rows], best(scores, data.possible(rows))[1])
    assert found is not None
    return found


@pytest.fixture(scope="module")
def fitted(data: PairData, pair_settings: PairSettings) -> tuple[LabelOnlyTask, dict[str, float]]:
    return fit_label_only(data, pair_settings, SETTINGS)


def scores_after(data: PairData, pair_settings: PairSettings, settings: LabelOnlySettings = SHORT) -> np.ndarray:
    return fit_label_only(data, pair_settings, settings)[0].scores(np.arange(len(data)))


def test_a_planted_block_structure_is_found_on_pairs_never_trained_on(
    data: PairData, fitted: tuple[LabelOnlyTask, dict[str, float]], test_rows: np.ndarray
) -> None:
    base_rate = data.positive[test_rows].mean()
    assert base_rate < 0.3
    assert ranking(data, fitted[0].scores(test_rows), test_rows) > 0.7
    assert ranking(data, degree_product(data, test_rows), test_rows) < 0.5


def test_what_was_chosen_is_the_best_of_the_grid_on_validation(
    data: PairData, fitted: tuple[LabelOnlyTask, dict[str, float]]
) -> None:
    task, chosen = fitted
    rows = data.rows(Part.VALIDATION)
    assert (chosen["dimensions"], chosen["weight_decay"]) in GRID
    assert chosen["dimensions"] == task.module.embedding.embedding_dim
    assert ranking(data, task.scores(rows), rows) == pytest.approx(chosen["validation_average_precision"])


def test_no_other_entry_of_the_grid_is_better_on_validation(
    data: PairData, pair_settings: PairSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = fit_label_only(data, pair_settings, SHORT)[1]
    found = []
    for entry in GRID:
        monkeypatch.setattr(label_only, "GRID", [entry])
        found.append(fit_label_only(data, pair_settings, SHORT)[1])
    assert len({alone["validation_average_precision"] for alone in found}) > 1
    assert chosen == max(found, key=lambda alone: alone["validation_average_precision"])


def test_the_same_seed_gives_the_same_scores_and_another_seed_others(
    data: PairData, pair_settings: PairSettings
) -> None:
    first = scores_after(data, pair_settings)
    assert np.array_equal(first, scores_after(data, pair_settings))
    assert not np.array_equal(first, scores_after(data, replace(pair_settings, seed=pair_settings.seed + 1)))


def test_text_is_not_seen(data: PairData, pair_settings: PairSettings) -> None:
    shuffled = replace(data, contexts=np.random.default_rng(0).permutation(data.contexts))
    without = replace(data, contexts=np.zeros_like(data.contexts))
    expected = scores_after(data, pair_settings)
    assert np.array_equal(expected, scores_after(shuffled, pair_settings))
    assert np.array_equal(expected, scores_after(without, pair_settings))


def flipped(data: PairData, part: Part) -> PairData:
    """Every label of a part turned into its opposite, as far as the types allow."""
    rows = data.rows(part)
    labels = data.labels.copy()
    labels[rows] = data.possible(rows) & ~labels[rows]
    return replace(data, labels=labels)


def test_test_labels_have_no_influence(data: PairData, pair_settings: PairSettings) -> None:
    expected = scores_after(data, pair_settings)
    assert np.array_equal(expected, scores_after(flipped(data, Part.TEST), pair_settings))


def test_validation_labels_choose_but_never_train(data: PairData, pair_settings: PairSettings) -> None:
    """Without early stopping, which looks at validation pairs and nothing else does, they have no influence."""

    def trained(data: PairData) -> np.ndarray:
        task = LabelOnlyTask(data, PairBatches(data, pair_settings), 8, pair_settings.seed)
        loop = LoopSettings(steps=40, learning_rate=1e-2, validate_every=20, patience=0, device="cpu")
        train(task, loop, None, Silent(), "label-only")
        return task.scores(np.arange(len(data)))

    expected = trained(data)
    assert np.array_equal(expected, trained(flipped(data, Part.VALIDATION)))
    assert np.array_equal(expected, trained(flipped(data, Part.TEST)))
    assert not np.array_equal(expected, trained(flipped(data, Part.TRAINING)))


def test_scores_are_probabilities_and_impossible_classes_have_none(
    data: PairData, fitted: tuple[LabelOnlyTask, dict[str, float]]
) -> None:
    rows = np.arange(len(data))
    scores = fitted[0].scores(rows)
    assert scores.shape == (len(data), 2)
    assert (scores >= 0).all()
    assert (scores.sum(axis=1) < 1).all()
    assert (scores[~data.possible(rows)] == 0).all()
    assert (scores[data.possible(rows)] > 0).all()


def test_scores_do_not_depend_on_the_order_of_the_two(
    data: PairData, fitted: tuple[LabelOnlyTask, dict[str, float]], test_rows: np.ndarray
) -> None:
    task = fitted[0]
    expected = task.scores(test_rows)
    task.data = replace(data, heads=data.tails, tails=data.heads)
    try:
        np.testing.assert_allclose(task.scores(test_rows), expected, rtol=1e-6)
    finally:
        task.data = data


def test_scores_do_not_depend_on_the_chunk(
    fitted: tuple[LabelOnlyTask, dict[str, float]], test_rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fitted[0].scores(test_rows)
    monkeypatch.setattr(label_only, "CHUNK", 7)
    np.testing.assert_allclose(fitted[0].scores(test_rows), expected, rtol=1e-6)
    assert fitted[0].scores(test_rows[:0]).shape == (0, 2)
