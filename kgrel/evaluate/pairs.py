"""Pair classification: the model beside every baseline, on covered pairs, on all, on those in text and not in text.

* **covered**: both entities have a training label of a class that is possible for the pair. Relation tables label
  few entities, so most co-mentioned pairs *cannot* be positive, and a model could score "is it in the list".
  Headline figures are on covered pairs.
* **all**: every pair of the part; with the warm split that is the protocol of the paper's Table 6.
* **seen_in_text**, **not_seen_in_text**: pairs that some context mentions together, and pairs that none does, where a
  part holds both. Whether text says anything of a pair is a clue of its own, which a figure on all of them rewards.

Each setting tunes its thresholds on its own validation pairs, never on test pairs; one that has no listed pair to tune
them on or to find is left out. Intervals are percentile intervals of the entity-clustered bootstrap.
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
from kgrel.evaluate.tables import TITLES
from kgrel.metrics.bootstrap import (
    CLASSIFIED,
    RANKED,
    Interval,
    Statistics,
    classification_statistics,
    ranking_statistics,
    vector_interval,
)
from kgrel.metrics.checks import Floats
from kgrel.metrics.classification import auroc, average_precision, best, classification_report, predict
from kgrel.metrics.thresholds import best_threshold, best_thresholds_per_class
from kgrel.train.leakage import refuse_shared_pairs
from kgrel.train.pair_artifact import PairArtifact, refuse_other_split
from kgrel.train.pair_data import Flags, PairData, Part, Rows
from kgrel.train.settings import BatchSettings

ScoreRows = Callable[[Rows], Floats]
"""Rows of the pair data (n,) → scores of the positive classes (n, C)."""
LABEL_ONLY = "label-only embeddings"
COVERED, ALL, SEEN, NOT_SEEN = "covered", "all", "seen_in_text", "not_seen_in_text"
KINDS: dict[str, Callable[[PairData, Rows], Flags]] = {
    COVERED: PairData.covered,
    ALL: lambda data, rows: np.ones(len(rows), dtype=np.bool_),
    SEEN: lambda data, rows: data.contexts[rows] > 0,
    NOT_SEEN: lambda data, rows: data.contexts[rows] == 0,
}
"""Which pairs belong to the table of that name."""
COLD = ("entity-cold", "both-cold")
RESAMPLED = (*CLASSIFIED, *RANKED)
"""Figures with an interval."""
PAIRED = ("f1", "average_precision")
"""Figures with an interval of the model's difference to each other method."""


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
        For each setting (see :func:`settings_for`): counts, and for each method its figures with intervals, figures by
        class, and the paired difference of the model to it; ``left_out``, where a setting is, why; ``calibration`` of
        a model whose scores are meant as probabilities; and ``by_frequency`` where it is asked for.

    Raises:
        KgrelError: a pair stands on both sides of the split; among all validation or all reported pairs is no
            listed one; no uncertainty or no text to relate by frequency.
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
    left_out = {}
    for name in settings_for(model, rows_all):
        tuning, rows = (kept(data, rows, name) for rows in (tuning_all, rows_all))
        reason = without_listed(data, name, {"validation": tuning, settings.part: rows})
        if reason is not None:
            if name == ALL:
                raise KgrelError(f"{reason}: more relations are needed")
            left_out[name] = reason
            continue
        report[name] = {
            "pairs": len(rows),
            "listed": int(data.positive[rows].sum()),
            "base_rate": float(data.positive[rows].mean()),
            "methods": compare(scores, data, tuning, rows, model.settings.per_class_thresholds, settings, progress),
        }
    if left_out:
        report["left_out"] = left_out
    if not isinstance(model, Baseline):
        report["calibration"] = calibration_report(model, rows_all, settings)
    if settings.by_frequency:
        progress.start("uncertainty by frequency", None)
        report["by_frequency"] = by_frequency(model, rows_all, settings)
    return report


def settings_for(model: PairArtifact, rows: Rows) -> list[str]:
    """The tables that pairs of a part call for, left out or not.

    Where an entity of every held-out pair is without training label, no pair is covered. Where all pairs are in text,
    or none is, these are all pairs.
    """
    seen = KINDS[SEEN](model.data, rows)
    names = [ALL] if model.settings.split in COLD else [COVERED, ALL]
    return names + ([SEEN, NOT_SEEN] if seen.any() and not seen.all() else [])


def kept(data: PairData, rows: Rows, name: str) -> Rows:
    """The rows that belong to a table."""
    return rows[KINDS[name](data, rows)]


def without_listed(data: PairData, name: str, rows_of: dict[str, Rows]) -> str | None:
    """Why a table cannot be made of the rows of these parts; None where each of them has a listed pair."""
    without = [part for part, rows in rows_of.items() if not data.labels[rows].any()]
    if not without:
        return None
    pairs = " and ".join(without) + " pairs"
    return f"no listed pair among {TITLES[name].format(pairs=pairs)}"


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
    progress.start("evaluate-pairs", len(scores))
    found = []
    for score in scores.values():
        found.append(apply(score, data, tuning, rows, per_class))
        progress.advance(1)
    results = {name: figures(one, data.classes.names) for name, one in zip(scores, found, strict=True)}
    progress.start("resample entities", settings.draws + 1)  # and once as they are
    statistics = statistics_of(found, progress)
    bounds = iter(vector_interval(statistics, data.heads[rows], data.tails[rows], settings.draws, settings.seed))
    for result in results.values():
        result |= {f"{key}_interval": bounds_of(next(bounds)) for key in RESAMPLED}
    for result in list(results.values())[1:]:
        result |= {f"model_minus_this_{key}": difference_of(next(bounds)) for key in PAIRED}
    return results


def statistics_of(found: Sequence[Predictions], progress: Progress) -> Statistics:
    """:data:`RESAMPLED` of each method, then :data:`PAIRED` of the first one less those of each other.

    Together, so that weights are drawn once for all methods, and differences are of figures on the same weights.
    """
    classified = [classification_statistics(one.labels, one.predicted) for one in found]
    ranked = [ranking_statistics(one.labels.any(axis=1), one.best_score) for one in found]
    columns = [RESAMPLED.index(key) for key in PAIRED]

    def figures(weights: Floats) -> Floats:
        progress.advance(1)
        halves = ([one(weights) for one in half] for half in (classified, ranked))
        values = np.concatenate([np.array(half) for half in halves], axis=1)
        differences = values[0, columns] - values[1:, columns]
        return np.concatenate([values.ravel(), differences.ravel()])

    return figures


def bounds_of(found: Interval | None) -> list[float] | None:
    """An interval as JSON; None where the figure is undefined."""
    return None if found is None else [found.low, found.high]


def difference_of(found: Interval | None) -> dict[str, Any] | None:
    """A paired difference as JSON; None where it is undefined."""
    if found is None:
        return None
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
        "macro_precision": report.macro_precision,
        "macro_recall": report.macro_recall,
        "macro_f1": report.macro_f1,
        "average_precision": average_precision(related, found.best_score),
        "auroc": auroc(related, found.best_score),
        "thresholds": dict(zip(classes, found.thresholds.tolist(), strict=True)),
        "by_class": by_class,
    }
