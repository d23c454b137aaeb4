"""A probability is given for covered pairs of a calibrated stratum and class, and a reason for every other pair."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.metrics.calibration import Isotonic, Platt, logit
from kgrel.train.calibration import CALIBRATED, CO_MENTIONED, NEVER, NOT_CALIBRATED, OUTSIDE, Calibration, Sampling

CLASSES = ["DaG", "DuG", "GiG"]
SAMPLING = Sampling(8, 17, "both", "fp32", "random")
SEEN = {"DaG": Platt(0.5, -1.0), "DuG": Isotonic((0.1, 0.5, 0.9), (0.05, 0.05, 0.7))}
CALIBRATION = Calibration(SAMPLING, {CO_MENTIONED: SEEN}, {"DaG": 0.2, "DuG": 0.1})
BOTH = replace(CALIBRATION, calibrators={CO_MENTIONED: SEEN, NEVER: {"DaG": Platt(1.0, -3.0)}})

NAMES = np.array(["DaG", "DuG", "GiG", "DaG", "DaG"], dtype=object)
SCORES = np.array([0.8, 0.4, 0.9, 0.8, 0.8])
CONTEXTS = np.array([3, 1, 5, 0, 2])
COVERED = np.array([True, True, True, True, False])


def probabilities(calibration: Calibration, **rates: float) -> tuple[np.ndarray, list[str]]:
    found, reasons = calibration.probabilities(NAMES, SCORES, CONTEXTS, COVERED, rates)
    return found, reasons.tolist()


def test_each_pair_has_a_probability_or_a_reason() -> None:
    found, reasons = probabilities(CALIBRATION)
    assert reasons == [CALIBRATED, CALIBRATED, NOT_CALIBRATED, NEVER, OUTSIDE]
    assert np.isnan(found).tolist() == [False, False, True, True, True]
    assert found[0] == SEEN["DaG"]([0.8])[0]
    assert found[1] == SEEN["DuG"]([0.4])[0]


def test_pairs_never_co_mentioned_have_their_own_calibrator() -> None:
    found, reasons = probabilities(BOTH)
    assert reasons[3] == CALIBRATED
    assert found[3] == Platt(1.0, -3.0)([0.8])[0]
    assert found[0] == SEEN["DaG"]([0.8])[0]


def test_a_pair_outside_coverage_has_no_probability_in_any_stratum() -> None:
    for contexts in (0, 4):
        found, reasons = BOTH.probabilities(NAMES[:1], SCORES[:1], np.array([contexts]), np.array([False]), {})
        assert np.isnan(found).all()
        assert reasons.tolist() == [OUTSIDE]


def test_the_rate_of_validation_changes_nothing_and_another_one_the_odds_of_its_class_alone() -> None:
    plain, _ = probabilities(CALIBRATION)
    np.testing.assert_allclose(probabilities(CALIBRATION, DaG=0.2)[0], plain)
    moved, _ = probabilities(CALIBRATION, DaG=0.02)
    expected = logit([0.02])[0] - logit([0.2])[0]
    assert logit(moved[:1])[0] - logit(plain[:1])[0] == pytest.approx(expected)
    assert moved[1] == plain[1]


def test_the_json_form_comes_back() -> None:
    for calibration in (CALIBRATION, BOTH):
        assert Calibration.from_json(json.loads(json.dumps(calibration.to_json())), CLASSES) == calibration


@pytest.mark.parametrize(
    "change",
    [
        {"base_rates": {"DaG": 0.2}},
        {"base_rates": {"DaG": 0.0, "DuG": 0.1}},
        {"base_rates": None},
        {"sampling": {"samples": 8}},
        {"calibrators": {"elsewhere": {}}},
        {"calibrators": {CO_MENTIONED: {"other": Platt(1.0, 0.0).state()}}},
        {"calibrators": {CO_MENTIONED: {"DaG": {"method": "other"}}}},
    ],
)
def test_a_damaged_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Calibration.from_json(CALIBRATION.to_json() | change, CLASSES)


def test_a_form_that_tells_no_noise_is_of_the_kind_that_was_the_only_one() -> None:
    values = CALIBRATION.to_json()
    del values["sampling"]["noise"]
    assert Calibration.from_json(values, CLASSES).sampling.noise == "random"


@pytest.mark.parametrize(
    ("name", "value"),
    [("samples", 4), ("seed", 18), ("order", "given"), ("precision", "bf16"), ("noise", "sobol")],
)
def test_another_way_of_scoring_is_refused(name: str, value: Any) -> None:
    SAMPLING.require(Sampling(8, 17, "both", "fp32", "random"))
    with pytest.raises(KgrelError, match=f"{name} = .*{value}; run kgrel calibrate again"):
        SAMPLING.require(replace(SAMPLING, **{name: value}))
