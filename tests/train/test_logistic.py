"""Weights are of the features as they came; classes with few labels lean on the others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from kgrel.train.logistic import Line, fit_line, fit_lines

TRUTH = np.array([1.5, -1.0, 0.0])


def drawn(seed: int, count: int, weights: np.ndarray = TRUTH, intercept: float = -1.0) -> tuple[np.ndarray, np.ndarray]:
    """Features (count, 3), the last one constant, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=(count, 2)) * [1.0, 3.0] + [0.0, 5.0], np.full(count, 7.0)])
    return x, rng.random(count) < expit(intercept + (x - [0.0, 5.0, 7.0]) @ weights)


def logits(line: Line, x: np.ndarray) -> np.ndarray:
    return np.asarray(line.intercept + x @ line.weights)


def test_many_labels_of_every_class_give_each_its_own_weights() -> None:
    other = np.array([-0.5, 0.4, 0.0])
    (x, labels), (x_other, labels_other) = drawn(0, 4000), drawn(1, 4000, other)
    for found, truth in zip(fit_lines([x, x_other], [labels, labels_other], 100.0), (TRUTH, other), strict=True):
        np.testing.assert_allclose(found.weights, truth, atol=0.15)
        assert logits(found, np.array([[0.0, 5.0, 7.0]]))[0] == pytest.approx(-1.0, abs=0.15)


def test_a_class_with_few_labels_leans_on_those_with_many() -> None:
    x, labels = drawn(0, 4000)
    gains = []
    for seed in range(10):
        few, few_labels = drawn(100 + seed, 40)
        unseen, unseen_labels = drawn(200 + seed, 2000)
        together, alone = fit_lines([x, few], [labels, few_labels], 0.3)[1], fit_line(few, few_labels, 0.3)
        signs = np.where(unseen_labels, 1, -1)
        losses = [np.logaddexp(0, -signs * logits(line, unseen)).mean() for line in (alone, together)]
        gains.append(losses[0] - losses[1])
    assert np.mean(gains) > 0.02


def test_a_class_without_a_label_is_less_likely_than_others_and_finite() -> None:
    x, labels = drawn(0, 2000)
    found, never = fit_lines([x, x], [labels, np.zeros(len(x), np.bool_)], 1.0)
    assert np.isfinite([never.intercept, *never.weights]).all()
    assert expit(logits(never, x)).max() < 0.1 < expit(logits(found, x)).max()


def test_features_on_another_scale_give_the_same_answers() -> None:
    (x, labels), (other, labels_other) = drawn(0, 1000), drawn(1, 300)
    scale, shift = np.array([1e3, 1e-3, 1.0]), np.array([-50.0, 2.0, 0.0])
    plain = fit_lines([x, other], [labels, labels_other], 0.3)
    moved = fit_lines([x * scale + shift, other * scale + shift], [labels, labels_other], 0.3)
    for one, same in zip(plain, moved, strict=True):
        np.testing.assert_allclose(logits(one, x), logits(same, x * scale + shift), atol=1e-3)
        assert one.weights[2] == same.weights[2] == 0.0  # what never moves tells nothing


def test_a_feature_that_moves_by_rounding_alone_tells_nothing() -> None:
    x, labels = drawn(0, 999)
    x[:, 2] = np.log(1e-6) * (1 + 1e-14 * x[:, 0])
    assert x[:, 2].std() > 0
    assert fit_line(x, labels, 1.0).weights[2] == 0.0
    assert [line.weights[2] for line in fit_lines([x, x[:500]], [labels, labels[:500]], 1.0)] == [0.0, 0.0]


def test_labels_that_are_all_alike_give_their_share() -> None:
    x, _ = drawn(0, 9)
    line = fit_line(x, np.zeros(9, np.bool_), 1.0)
    assert not line.weights.any()
    assert expit(line.intercept) == pytest.approx(0.5 / 10)
