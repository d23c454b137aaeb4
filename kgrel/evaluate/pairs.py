"""Pair classification: the model beside every baseline, on all pairs and on covered pairs.

* **covered**: both entities have a training label of a class that is possible for the pair. Relation tables label
  few entities, so most co-mentioned pairs *cannot* be positive, and a model could score "is it in the list".
  Headline figures are on covered pairs.
* **all**: every pair of the part; with the warm split that is the protocol of the paper's Table 6.

Each setting tunes its thresholds on its own validation pairs, never on test pairs. Intervals are percentile
intervals of the entity-clustered bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.baselines.baseline import Baseline, shared_settings
from kgrel.baselines.counts import co_occurrence, degree_product, log_count
from kgrel.baselines.label_only import fit_label_only
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress, Silent
from kgrel.evaluate.calibration import calibration_report
from kgrel.evaluate.frequency import by_frequency
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.metrics.bootstrap import (
    Interval,
    average_precision_statistic,
    interval,
    micro_statistics,
    paired_difference,
)
from kgrel.metrics.classification import auroc, average_precision, best, classification_report, predict
from kgrel.metrics.thresholds import best_threshold, best_thresholds_per_class
from kgrel.train.leakage import refuse_shared_pairs
from kgrel.train.pair_artifact import PairArtifact, refuse_other_split
from kgrel.train.pair_data import PairData, Part, Rows
from kgrel.train.settings import BatchSettings

Floats = npt.NDArray[np.float64]
ScoreRows = Callable[[Rows], Floats]
"""Rows of the pair data (n,) → scores of the positive classes (n, C)."""
LABEL_ONLY = "label-only embeddings"
COVERED, ALL = "covered", "all"
COLD = ("entity-cold", "both-cold")


@dataclass(frozen=True)
class Predictions:
    """One method on one set of pairs."""

    labels: npt.NDArray[np.bool_]
    best_score: Floats
    predicted: npt.NDArray[np.int64]
    thresholds: Floats


def methods(
    model: PairArtifact, beside: Sequence[PairArtifact], with_baselines: bool, progress: Progress
) -> tuple[dict[str, ScoreRows], dict[str, Any]]:
    """Name → scores, the model first; and the settings that were chosen for the baselines.

    Raises:
        KgrelError: two artifacts have one name, or other pairs or another split than the model.
    """
    data, found = model.data, {model.title: scores_of(model, model.data)}
    for other in beside:
        refuse_other_split(model, other)
        if other.title in found:
            raise KgrelError(f"there are two artifacts of {other.title!r}; compare one of each kind at a time")
        found[other.title] = scores_of(other, data)
    if not with_baselines:
        return found, {}
    counted = {
        "co-occurrence": lambda rows: co_occurrence(data, rows),
        "log co-mention count": lambda rows: log_count(data, rows),
        "label-degree product": lambda rows: degree_product(data, rows),
    }
    found |= {name: score for name, score in counted.items() if name not in found}
    if LABEL_ONLY in found:
        return found, {}
    progress.start(LABEL_ONLY, None)
    batches = BatchSettings(**shared_settings(BatchSettings, model.settings))
    label_only, chosen = fit_label_only(data, batches)
    return found | {LABEL_ONLY: label_only.scores}, {LABEL_ONLY: chosen}


def scores_of(model: PairArtifact, data: PairData) -> ScoreRows:
    """The scores of an artifact for pairs of the data."""
    return lambda rows: model.predict(data.heads[rows], data.tails[rows])[0]


def apply(score: ScoreRows, data: PairData, tuning: Rows, rows: Rows, per_class: bool) -> Predictions:
    """Tune thresholds on ``tuning`` pairs and predict ``rows``."""
    classes, values = best(score(tuning), data.possible(tuning))
    if per_class:
        thresholds = np.asarray(best_thresholds_per_class(classes, values, data.labels[tuning]))
    else:
        threshold = best_threshold(classes, values, data.labels[tuning]).value
        thresholds = np.full(len(data.classes.names), threshold)
    classes, values = best(score(rows), data.possible(rows))
    return Predictions(data.labels[rows], values, predict(classes, values, thresholds), thresholds)


def evaluate_pairs(
    model: PairArtifact,
    settings: EvaluationSettings | None = None,
    progress: Progress | None = None,
    beside: Sequence[PairArtifact] = (),
) -> dict[str, Any]:
    """Evaluate a PAIRS artifact or a baseline.

    Args:
        beside: further artifacts, of the same pairs and split, as rows of the same tables.

    Returns:
        For each setting (all; covered, where there can be such pairs): counts, and for each method its figures with
        intervals, figures by class, and the paired difference of the model to it; ``calibration`` of a model whose
        scores are meant as probabilities; and ``by_frequency`` where it is asked for.

    Raises:
        KgrelError: a pair stands on both sides of the split; a setting has no positive pair to evaluate; no
            uncertainty or no text to relate by frequency.
    """
    settings, progress = settings or EvaluationSettings(), progress or Silent()
    refuse_shared_pairs(model.data.heads, model.data.tails, model.data.parts)
    return evaluate_methods(model, *methods(model, beside, settings.baselines, progress), settings, progress)


def evaluate_methods(
    model: PairArtifact,
    scores: dict[str, ScoreRows],
    chosen: dict[str, Any],
    settings: EvaluationSettings,
    progress: Progress,
) -> dict[str, Any]:
    """The report of :func:`evaluate_pairs` for the methods that :func:`methods` found."""
    part, data = Part[settings.part.upper()], model.data
    report: dict[str, Any] = {
        "settings": asdict(settings),
        "model": model.title,
        "classes": model.classes,
        "baseline_settings": chosen,
    }
    tuning_all, rows_all = data.rows(Part.VALIDATION), data.rows(part)
    progress.start("evaluate-pairs", 2 * len(scores))
    # Where an entity of every held-out pair is without training label, no pair is covered.
    for name in (ALL,) if model.settings.split in COLD else (COVERED, ALL):
        tuning, rows = (kept(data, rows, name) for rows in (tuning_all, rows_all))
        if not data.positive[tuning].any() or not data.positive[rows].any():
            raise KgrelError(
                f"no listed pair among the {name} validation or {settings.part} pairs: more relations are needed"
            )
        report[name] = {
            "pairs": len(rows),
            "listed": int(data.positive[rows].sum()),
            "base_rate": float(data.positive[rows].mean()),
            "methods": compare(scores, data, tuning, rows, model.settings.per_class_thresholds, settings, progress),
        }
    if not isinstance(model, Baseline):
        report["calibration"] = calibration_report(model, rows_all, settings)
    if settings.by_frequency:
        progress.start("uncertainty by frequency", None)
        report["by_frequency"] = by_frequency(model, rows_all, settings)
    return report


def kept(data: PairData, rows: Rows, name: str) -> Rows:
    """The rows that belong to a table: all, or the covered ones."""
    return rows[data.covered(rows)] if name == COVERED else rows


def compare(
    scores: dict[str, ScoreRows],
    data: PairData,
    tuning: Rows,
    rows: Rows,
    per_class: bool,
    settings: EvaluationSettings,
    progress: Progress,
) -> dict[str, Any]:
    """Figures of each method on ``rows``, and the paired difference of the first one, the model, to it."""
    results, statistics = {}, {}
    first = next(iter(scores))
    pairs = data.heads[rows], data.tails[rows]
    for name, score in scores.items():
        found = apply(score, data, tuning, rows, per_class)
        statistics[name] = micro_statistics(found.labels, found.predicted)
        statistics[name]["average_precision"] = average_precision_statistic(found.labels.any(axis=1), found.best_score)
        results[name] = figures(found, data.classes.names)
        for key, statistic in statistics[name].items():
            bounds = interval(statistic, *pairs, settings.draws, settings.seed)
            results[name][f"{key}_interval"] = [bounds.low, bounds.high]
        for key in ("f1", "average_precision") if name != first else ():
            ours, theirs = statistics[first][key], statistics[name][key]
            difference = paired_difference(ours, theirs, *pairs, settings.draws, settings.seed)
            results[name][f"model_minus_this_{key}"] = difference_of(difference)
        progress.advance(1)
    return results


def difference_of(found: Interval) -> dict[str, Any]:
    """A paired difference as JSON."""
    return {
        "difference": found.estimate,
        "interval": [found.low, found.high],
        "excludes_zero": found.excludes_zero,
    }


def figures(found: Predictions, classes: list[str]) -> dict[str, Any]:
    """Micro and macro figures, ranking figures, and figures by class."""
    report = classification_report(found.labels, found.predicted)
    related = found.labels.any(axis=1)
    by_class = {
        name: {
            "precision": report.class_precision[row],
            "recall": report.class_recall[row],
            "f1": report.class_f1[row],
            "support": report.support[row],
            "predicted": report.predicted[row],
        }
        for row, name in enumerate(classes)
    }
    return {
        "precision": report.precision,
        "recall": report.recall,
        "f1": report.f1,
        "macro_f1": report.macro_f1,
        "average_precision": average_precision(related, found.best_score),
        "auroc": auroc(related, found.best_score),
        "thresholds": dict(zip(classes, found.thresholds.tolist(), strict=True)),
        "by_class": by_class,
    }
