"""The calibration report judges scores and probabilities on the same pairs, as the metrics count."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kgrel.evaluate.calibration import calibration_report
from kgrel.evaluate.pairs import evaluate_pairs
from kgrel.evaluate.settings import LEAST_DRAWS, EvaluationSettings
from kgrel.metrics.calibration import Platt, brier_score, expected_calibration_error
from kgrel.train.calibration import CO_MENTIONED, Calibration
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel

FAST = EvaluationSettings(draws=LEAST_DRAWS, baselines=False, bins=5)


@pytest.fixture(scope="module")
def calibrated(pair_model: PairModel) -> PairModel:
    """The trained model with calibrators that are known."""
    seen = {CO_MENTIONED: {name: Platt(0.5, -1.0) for name in pair_model.classes}}
    rates = dict.fromkeys(pair_model.classes, 0.2)
    return replace(pair_model, calibration=Calibration(pair_model.sampling, seen, rates))


def test_without_probabilities_scores_are_judged_on_covered_pairs(given: Any) -> None:
    rows, data = given.data.rows(Part.TEST), given.data
    found = calibration_report(given, rows, FAST)
    inside = rows[data.covered(rows)]
    scores = np.where(data.possible(inside), given.predict(data.heads[inside], data.tails[inside])[0], -1)
    best, values = scores.argmax(axis=1), scores.max(axis=1)
    listed = data.labels[inside, best]
    assert found["which"] == "covered"
    assert (found["pairs"], found["listed"]) == (len(inside), listed.sum())
    assert found["before"]["ece"] == pytest.approx(expected_calibration_error(values, listed, 5))
    assert found["before"]["brier"] == pytest.approx(brier_score(values, listed))
    assert sum(bin_["pairs"] for bin_ in found["before"]["reliability"]) == len(inside)
    assert found["after"] is None
    assert found["probability"] == {"not_calibrated": len(rows)}


def test_both_are_judged_on_the_pairs_that_have_a_probability(calibrated: PairModel) -> None:
    rows = np.arange(len(calibrated.data))
    found = calibration_report(calibrated, rows, FAST)
    assert found["which"] == "calibrated"
    assert found["pairs"] == found["probability"]["calibrated"]
    assert sum(found["probability"].values()) == len(rows)
    difference = found["brier_after_minus_before"]
    assert difference["difference"] == pytest.approx(found["after"]["brier"] - found["before"]["brier"])
    assert difference["interval"][0] <= difference["interval"][1]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_whole_report_holds_it_and_is_the_same_again(given: Any) -> None:
    report = evaluate_pairs(given, FAST)
    assert report["calibration"] == calibration_report(given, given.data.rows(Part.TEST), FAST)
    assert "by_frequency" not in report
