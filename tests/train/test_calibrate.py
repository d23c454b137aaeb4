"""Calibration is fitted on covered validation pairs alone, and comes back with the artifact."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.data.artifact import finish_artifact, open_artifact
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.train.calibrate import calibrate, fit_calibration, folds, validation_cells
from kgrel.train.calibration import CALIBRATED, CO_MENTIONED, NEVER, NOT_CALIBRATED, OUTSIDE
from kgrel.train.pair_data import PairData, Part
from kgrel.train.pair_model import CALIBRATION, PairModel
from kgrel.train.settings import CalibrationSettings

SETTINGS = CalibrationSettings(folds=2)


@pytest.fixture(scope="module")
def mixed(pair_model: PairModel) -> PairModel:
    """The trained model over pairs, most of them never co-mentioned, that are listed more often if they score high."""
    rng, size = np.random.default_rng(0), len(pair_model.entities)
    keys = rng.choice(size * size, 6000, replace=False)
    heads, tails = np.divmod(keys[keys // size < keys % size], size)
    chosen = np.flatnonzero(pair_model.possible(heads, tails).any(axis=1))
    heads, tails = heads[chosen], tails[chosen]
    scores, possible = pair_model.predict(heads, tails)[0], pair_model.possible(heads, tails)
    middle = np.median(scores[possible])
    labels = possible & (rng.random(scores.shape) < np.where(scores > middle, 0.9, 0.5))
    parts = rng.integers(0, 3, len(heads)).astype(np.int8)
    contexts = pair_model.contexts(heads, tails)
    data = PairData(pair_model.data.classes, pair_model.data.type_rows, heads, tails, labels, parts, contexts)
    return replace(pair_model, data=data)


def test_every_class_of_both_strata_is_calibrated_and_the_figures_are_better(mixed: PairModel) -> None:
    calibration, found = fit_calibration(mixed, SETTINGS)
    assert set(calibration.calibrators[NEVER]) == set(mixed.classes)
    for stratum, by_class in calibration.calibrators.items():
        for name in by_class:
            figures = found[stratum][name]
            assert figures["calibrated"] is True
            assert figures["brier_after"] < figures["brier_before"]
            assert figures["ece_after"] < figures["ece_before"]
            assert min(figures["listed"], figures["pairs"] - figures["listed"]) >= SETTINGS.least
    assert calibration.base_rates == found["base_rates"]
    assert calibration.sampling == mixed.sampling


def test_the_rate_of_a_class_is_that_of_its_covered_validation_pairs(mixed: PairModel) -> None:
    calibration, _ = fit_calibration(mixed, SETTINGS)
    rows, data = mixed.data.rows(Part.VALIDATION), mixed.data
    training = data.rows(Part.TRAINING)
    for column, name in enumerate(mixed.classes):
        labelled = training[data.labels[training, column]]
        known = set(data.heads[labelled]) | set(data.tails[labelled])
        inside = [r for r in rows if data.heads[r] in known and data.tails[r] in known]
        inside = [r for r in inside if data.possible(np.array([r]))[0, column]]
        strata = [s for s in (CO_MENTIONED, NEVER) if name in calibration.calibrators.get(s, {})]
        inside = [r for r in inside if (NEVER if data.contexts[r] == 0 else CO_MENTIONED) in strata]
        assert calibration.base_rates[name] == pytest.approx(data.labels[inside, column].mean())


def test_only_validation_labels_move_the_calibrators(mixed: PairModel) -> None:
    expected, _ = fit_calibration(mixed, SETTINGS)
    for part, same in ((Part.TEST, True), (Part.VALIDATION, False)):
        labels = mixed.data.labels.copy()
        rows = mixed.data.rows(part)
        labels[rows] = mixed.data.possible(rows) & ~labels[rows]
        found, _ = fit_calibration(replace(mixed, data=replace(mixed.data, labels=labels)), SETTINGS)
        assert (found == expected) is same


def test_the_same_seed_gives_the_same_folds_and_figures(mixed: PairModel) -> None:
    assert fit_calibration(mixed, SETTINGS) == fit_calibration(mixed, SETTINGS)
    cells = validation_cells(mixed)[NEVER, mixed.classes[0]]
    numbers = folds(cells.listed, SETTINGS.folds, SETTINGS.seed)
    assert np.ptp(np.bincount(numbers[cells.listed], minlength=2)) <= 1
    assert np.ptp(np.bincount(numbers[~cells.listed], minlength=2)) <= 1


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_the_artifact_gives_the_probabilities_back(mixed: PairModel, tmp_path: Path, method: Any) -> None:
    settings = replace(SETTINGS, method=method)
    calibrate(mixed, tmp_path / "calibrated", settings)
    again = PairModel.open(tmp_path / "calibrated")
    assert again.calibration == fit_calibration(mixed, settings)[0]
    assert np.array_equal(again.thresholds, mixed.thresholds)
    assert again.artifact is not None
    assert mixed.artifact is not None
    assert again.artifact.manifest.parents["pairs"] == mixed.artifact.hash
    assert CALIBRATION in again.artifact.manifest.files
    heads, tails = mixed.data.heads[:300], mixed.data.tails[:300]
    classes = mixed.possible(heads, tails).argmax(axis=1)
    scores = mixed.predict(heads, tails)[0][np.arange(300), classes]
    found, reasons = again.probabilities(heads, tails, classes, scores, {})
    assert ((found >= 0) & (found <= 1) | np.isnan(found)).all()
    assert (np.isnan(found) == (reasons != CALIBRATED)).all()
    covered = again.covered(heads, tails)[np.arange(300), classes]
    assert (reasons[~covered] == OUTSIDE).all()
    assert set(reasons[covered]) <= {CALIBRATED, NOT_CALIBRATED}
    swapped, _ = again.probabilities(tails, heads, classes, scores, {})
    np.testing.assert_array_equal(swapped, found)


def test_scores_made_in_another_way_have_no_probability(mixed: PairModel) -> None:
    calibration, _ = fit_calibration(mixed, SETTINGS)
    other = replace(mixed, calibration=calibration, settings=replace(mixed.settings, prediction_samples=3))
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(KgrelError, match=r"samples = 8, but the scores are made with samples = 3; run kgrel calibrate"):
        other.probabilities(one, one + 1, one, np.array([0.5]), {})


def test_without_calibration_there_is_a_reason_and_no_base_rate(pair_model: PairModel) -> None:
    one = np.zeros(1, dtype=np.int64)
    found, reasons = pair_model.probabilities(one, one + 1, one, np.array([0.5]), {})
    assert np.isnan(found).all()
    assert reasons.tolist() == [NOT_CALIBRATED]
    with pytest.raises(KgrelError, match="run kgrel calibrate first"):
        pair_model.probabilities(one, one + 1, one, np.array([0.5]), {pair_model.classes[0]: 0.1})


def test_too_few_pairs_and_settings_out_of_range_are_refused(mixed: PairModel, tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="no class has 9999 listed"):
        calibrate(mixed, tmp_path / "out", replace(SETTINGS, least=9999))
    assert not (tmp_path / "out").exists()
    with pytest.raises(KgrelError, match="least must be at least folds"):
        CalibrationSettings(least=2, folds=3)
    with pytest.raises(KgrelError, match="folds must be at least 2"):
        CalibrationSettings(folds=1)


def test_a_damaged_calibration_is_refused_by_name(mixed: PairModel, tmp_path: Path) -> None:
    out = tmp_path / "calibrated"
    calibrate(mixed, out, SETTINGS)
    values = json.loads((out / CALIBRATION).read_text())
    values["base_rates"] = {}
    (out / CALIBRATION).write_text(json.dumps(values))
    finish_artifact(out, open_artifact(out, "pairs", verify=False).manifest, 0.0)
    with pytest.raises(ArtifactError, match=rf"{CALIBRATION} is damaged .*run kgrel calibrate again"):
        PairModel.open(out)
