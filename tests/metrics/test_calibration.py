"""Calibrators keep the order and set probabilities right; a base rate moves the odds by a known factor."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import brier_score_loss

from kgrel.metrics.calibration import (
    Method,
    brier_score,
    calibrator_of,
    expected_calibration_error,
    fit_calibrator,
    logit,
    reliability,
    shift_base_rate,
)

METHODS: list[Method] = ["platt", "isotonic"]
UNIT = st.floats(0, 1)
RATE = st.floats(0.001, 0.999)


def miscalibrated(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that are over-confident and biased, the labels, and the true probabilities."""
    rng = np.random.default_rng(seed)
    truth = expit(rng.normal(-1.0, 1.5, count))
    return expit(2.5 * logit(truth) + 1.0), rng.random(count) < truth, truth


@pytest.mark.parametrize("method", METHODS)
def test_calibrated_scores_have_an_error_near_zero_and_a_better_brier_score(method: Method) -> None:
    scores, labels, _ = miscalibrated(20_000)
    fresh, fresh_labels, truth = miscalibrated(20_000, seed=1)
    after = fit_calibrator(method, scores, labels)(fresh)
    assert expected_calibration_error(fresh, fresh_labels) > 0.1
    assert expected_calibration_error(after, fresh_labels) < 0.015
    assert brier_score(after, fresh_labels) < brier_score(fresh, fresh_labels)
    assert np.abs(after - truth).mean() < 0.02


def test_platt_finds_the_line_that_was_applied() -> None:
    scores, labels, _ = miscalibrated(50_000)
    found = fit_calibrator("platt", scores, labels).state()
    assert found["slope"] == pytest.approx(1 / 2.5, rel=0.05)
    assert found["intercept"] == pytest.approx(-1 / 2.5, abs=0.05)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=30, deadline=None)
@given(data=st.lists(st.tuples(UNIT, st.booleans()), min_size=2, max_size=40), probes=st.lists(UNIT, max_size=20))
def test_no_calibrator_changes_an_order_or_leaves_zero_to_one(
    method: Method, data: list[tuple[float, bool]], probes: list[float]
) -> None:
    scores, labels = np.array([s for s, _ in data]), np.array([y for _, y in data])
    if labels.all() or not labels.any():
        with pytest.raises(ValueError, match="positive and negative"):
            fit_calibrator(method, scores, labels)
        return
    calibrator = fit_calibrator(method, scores, labels)
    values = calibrator(np.sort(np.array(probes, dtype=float)))
    assert (np.diff(values) >= 0).all()
    assert ((values >= 0) & (values <= 1)).all()
    again = calibrator_of(json.loads(json.dumps(calibrator.state())))
    assert again == calibrator
    assert again(scores).tobytes() == calibrator(scores).tobytes()


def test_scores_that_separate_the_labels_give_finite_functions() -> None:
    scores, labels = np.linspace(0.02, 0.98, 40), np.arange(40) >= 20
    for method in METHODS:
        values = fit_calibrator(method, scores, labels)(scores)
        assert 0 < values[0] < 0.1
        assert 0.9 < values[-1] < 1


def test_scores_that_point_the_wrong_way_become_a_constant() -> None:
    scores, labels = np.linspace(0.01, 0.99, 40), np.arange(40) < 10
    values = fit_calibrator("platt", scores, labels)(scores)
    assert np.ptp(values) == 0
    assert values[0] == pytest.approx(0.25, abs=0.05)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(UNIT, st.booleans()), min_size=1, max_size=60), st.integers(1, 12), st.randoms())
def test_bins_hold_every_pair_once_and_do_not_depend_on_the_order(
    data: list[tuple[float, bool]], bins: int, random: object
) -> None:
    values, labels = np.array([s for s, _ in data]), np.array([y for _, y in data])
    curve = reliability(values, labels, bins)
    assert curve.counts.sum() == len(data)
    assert len(curve.counts) <= bins
    assert (curve.counts @ curve.predicted) / len(data) == pytest.approx(values.mean(), abs=1e-9)
    assert (curve.counts @ curve.observed) / len(data) == pytest.approx(labels.mean())
    assert (np.diff(curve.predicted) >= 0).all()
    assert 0 <= curve.error <= 1
    turned = reliability(values[::-1], labels[::-1], bins)
    assert turned.counts.tolist() == curve.counts.tolist()
    assert turned.error == pytest.approx(curve.error)


def test_bins_of_distinct_probabilities_have_equal_mass() -> None:
    values = np.random.default_rng(0).random(1000)
    assert reliability(values, values > 0.5, 10).counts.tolist() == [100] * 10


def test_the_error_is_the_weighted_gap_by_hand() -> None:
    values, labels = np.array([0.1, 0.1, 0.8, 0.8]), np.array([False, True, True, True])
    assert expected_calibration_error(values, labels, 2) == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)
    assert reliability(values, labels, 2).rows() == [
        {"pairs": 2, "predicted": 0.1, "observed": 0.5},
        {"pairs": 2, "predicted": 0.8, "observed": 1.0},
    ]


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    scores, labels, _ = miscalibrated(200)
    assert brier_score(scores, labels) == pytest.approx(brier_score_loss(labels, scores))


@settings(max_examples=30, deadline=None)
@given(st.lists(UNIT, min_size=1, max_size=20), RATE)
def test_equal_rates_change_nothing(values: list[float], rate: float) -> None:
    np.testing.assert_allclose(shift_base_rate(values, rate, rate), values, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=20), RATE, RATE)
def test_every_odds_moves_by_the_ratio_of_the_rates_odds_and_back(values: list[float], old: float, new: float) -> None:
    moved = shift_base_rate(values, old, new)
    np.testing.assert_allclose(logit(moved) - logit(values), logit([new])[0] - logit([old])[0], atol=1e-6)
    np.testing.assert_allclose(shift_base_rate(moved, new, old), values, rtol=1e-6)


def test_certainty_stays_certainty() -> None:
    assert shift_base_rate([0.0, 1.0], 0.5, 0.01).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("rates", [(0.0, 0.5), (0.5, 1.0), (0.5, np.nan), (-1.0, 0.5)])
def test_rates_out_of_range_are_refused(rates: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="base rate"):
        shift_base_rate([0.5], *rates)


@pytest.mark.parametrize("values", [[np.nan, 0.5], [1.5, 0.5], [-0.1, 0.5], [0.5]])
def test_values_that_are_no_probabilities_are_refused(values: list[float]) -> None:
    for function in (reliability, brier_score):
        with pytest.raises(ValueError, match="probabilities"):
            function(values, np.array([True, False]))


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"method": "other"},
        {"method": "platt", "slope": -1.0, "intercept": 0.0},
        {"method": "platt", "slope": float("nan"), "intercept": 0.0},
        {"method": "isotonic", "scores": [0.1, 0.1], "probabilities": [0.1, 0.2]},
        {"method": "isotonic", "scores": [0.1, 0.2], "probabilities": [0.3, 0.2]},
        {"method": "isotonic", "scores": [], "probabilities": []},
        {"method": "isotonic", "scores": [0.1, 0.2], "probabilities": [0.3, 1.2]},
    ],
)
def test_a_state_of_no_calibrator_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        calibrator_of(state)
