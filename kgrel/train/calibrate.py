"""``calibrate``: fit the probabilities of a PAIRS artifact on its validation pairs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.artifact import Kind, Manifest, create_artifact
from kgrel.data.errors import KgrelError
from kgrel.data.settings import to_json
from kgrel.metrics.calibration import Isotonic, Platt, brier_score, expected_calibration_error, fit_calibrator
from kgrel.train.calibration import CO_MENTIONED, NEVER, Calibration
from kgrel.train.pair_artifact import PairArtifact
from kgrel.train.pair_data import Flags, Part, Rows
from kgrel.train.pair_model import PairModel
from kgrel.train.settings import CalibrationSettings

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Cells:
    """Covered validation pairs of one class and stratum: scores (n,), and whether the class is listed (n,)."""

    scores: Floats
    listed: Flags


def calibrate(
    model: PairModel, out: str | Path, settings: CalibrationSettings | None = None, overwrite: bool = False
) -> dict[str, Any]:
    """Calibrate a pair classifier and write a new PAIRS artifact.

    Returns:
        By stratum and class: pairs, listed, base rate, and ECE and Brier score before and, cross-fitted, after.

    Raises:
        KgrelError: no class has enough covered validation pairs; ``out`` exists and ``overwrite`` is false.
    """
    assert model.artifact is not None
    settings = settings or CalibrationSettings()
    calibration, found = fit_calibration(model, settings)
    calibrated = dataclasses.replace(model, calibration=calibration)
    old = model.artifact.manifest
    parents = {**old.parents, "pairs": model.artifact.hash}
    manifest = Manifest(Kind.PAIRS, to_json(model.settings), model.settings.seed, parents)
    with create_artifact(out, manifest, overwrite) as draft:
        calibrated.write(draft.path)
        draft.summary |= {**old.summary, "calibration": {"settings": to_json(settings), **found}}
    return found


def fit_calibration(model: PairModel, settings: CalibrationSettings) -> tuple[Calibration, dict[str, Any]]:
    """Calibrators of each stratum and class that has enough validation pairs, and the figures of each.

    Raises:
        KgrelError: none has enough.
    """
    calibrators: dict[str, dict[str, Platt | Isotonic]] = {}
    figures: dict[str, Any] = {}
    listed: dict[str, list[Flags]] = {}
    for (stratum, name), cells in validation_cells(model).items():
        if not len(cells.listed):
            continue
        figures.setdefault(stratum, {})[name] = counts = {"pairs": len(cells.listed), "listed": int(cells.listed.sum())}
        if min(counts["listed"], counts["pairs"] - counts["listed"]) < settings.least:
            counts["calibrated"] = False
            continue
        calibrators.setdefault(stratum, {})[name] = fit_calibrator(settings.method, cells.scores, cells.listed)
        listed.setdefault(name, []).append(cells.listed)
        figures[stratum][name] |= {"calibrated": True, **cross_fitted(cells, settings)}
    if not calibrators:
        raise KgrelError(
            f"no class has {settings.least} listed and as many unlisted validation pairs of which both entities have a "
            "training label; give train-pairs more relations, or calibrate with a smaller --least"
        )
    rates = {name: float(np.concatenate(parts).mean()) for name, parts in listed.items()}
    return Calibration(model.sampling, calibrators, rates), {"base_rates": rates, **figures}


def validation_cells(model: PairModel) -> dict[tuple[str, str], Cells]:
    """The covered validation pairs by stratum and class."""
    rows, data = model.data.rows(Part.VALIDATION), model.data
    scores, labels = model.predict(data.heads[rows], data.tails[rows])[0], data.labels[rows]
    columns = {name: column for column, name in enumerate(model.classes)}
    return {
        (stratum, name): Cells(scores[places, columns[name]], labels[places, columns[name]])
        for (stratum, name), places in covered_validation(model).items()
    }


def covered_validation(model: PairArtifact) -> dict[tuple[str, str], Rows]:
    """Stratum and class → places of the covered ones among the validation pairs."""
    rows, data = model.data.rows(Part.VALIDATION), model.data
    covered, seen = model.covered(data.heads[rows], data.tails[rows]), data.contexts[rows] > 0
    return {
        (stratum, name): np.flatnonzero(inside & covered[:, column])
        for stratum, inside in ((CO_MENTIONED, seen), (NEVER, ~seen))
        for column, name in enumerate(model.classes)
    }


def cross_fitted(cells: Cells, settings: CalibrationSettings) -> dict[str, float]:
    """ECE and Brier score before, and after on pairs that the calibrator has not seen."""
    after = np.empty(len(cells.scores))
    fold = folds(cells.listed, settings.folds, settings.seed)
    for number in range(settings.folds):
        out = fold == number
        after[out] = fit_calibrator(settings.method, cells.scores[~out], cells.listed[~out])(cells.scores[out])
    figures = {"base_rate": float(cells.listed.mean())}
    for name, values in (("before", cells.scores), ("after", after)):
        figures[f"ece_{name}"] = expected_calibration_error(values, cells.listed, settings.bins)
        figures[f"brier_{name}"] = brier_score(values, cells.listed)
    return figures


def folds(listed: Flags, count: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each pair, at random; listed and unlisted pairs are each spread evenly."""
    rng, found = np.random.default_rng(seed), np.empty(len(listed), dtype=np.int64)
    for value in (True, False):
        rows = rng.permutation(np.flatnonzero(listed == value))
        found[rows] = np.arange(len(rows)) % count
    return found
