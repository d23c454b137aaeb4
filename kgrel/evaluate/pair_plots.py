"""An evaluation of pairs as one figure: precision and recall, threshold, reliability, confusion, frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter
from sklearn.metrics import precision_recall_curve

from kgrel.evaluate.frequency import CURVE_BINS, groups
from kgrel.evaluate.pairs import Predictions
from kgrel.evaluate.plots import draw_reliability
from kgrel.metrics.classification import average_precision
from kgrel.train.pair_data import Rows

NO_RELATION = "NO-RELATION"
MOST_THRESHOLDS = 400
"""Points of the threshold curve, at quantiles of the scores: more cannot be told apart."""
MOST_ANNOTATED = 8
"""With more classes, numbers in the cells of the confusion matrix would overlap."""


@dataclass(frozen=True)
class Evaluated:
    """What the figure shows: n pairs, C classes.

    Attributes:
        methods: name → its predictions, the model first.
        best_class: int64 [n], the class that the model holds most probable.
        contexts: int64 [n], contexts of each pair.
        classes: names of the C classes.
        calibration: what :func:`~kgrel.evaluate.calibration.calibration_report` found; None for a baseline.
    """

    methods: dict[str, Predictions]
    best_class: npt.NDArray[np.int64]
    contexts: Rows
    classes: list[str]
    calibration: dict[str, Any] | None

    @property
    def model(self) -> Predictions:
        """The predictions of the model."""
        return next(iter(self.methods.values()))


def draw_evaluation(found: Evaluated) -> Figure:
    """All panels."""
    figure = Figure(figsize=(11, 13), layout="constrained")
    axes = figure.subplots(3, 2).ravel()
    draw_precision_recall(axes[0], found.methods)
    draw_thresholds(axes[1], found)
    if found.calibration is not None:
        draw_reliability(axes[2], found.calibration)
        axes[2].set_title(f"Reliability, {found.calibration['which']} pairs")
    else:
        axes[2].set_axis_off()
    draw_confusion(axes[3], found)
    draw_scores_by_frequency(axes[4], found)
    axes[5].set_axis_off()
    # The legend of the first panel names every method; beside the curves it would cover them.
    axes[5].legend(*axes[0].get_legend_handles_labels(), loc="upper left", title="Precision and recall", frameon=False)
    return figure


def draw_precision_recall(axes: Axes, methods: dict[str, Predictions]) -> None:
    """Precision against recall of "related at all", the ranking whose average precision the tables give."""
    for number, (name, found) in enumerate(methods.items()):
        related = found.labels.any(axis=1)
        precision, recall, _ = precision_recall_curve(related, found.best_score)
        area = average_precision(related, found.best_score)
        shown = f"{name}: AP {100 * (area or 0):.1f} %"
        axes.step(recall, precision, where="post", label=shown, linewidth=1 if number else 2.2, zorder=2 - (number > 0))
    axes.axhline(related.mean(), color="0.7", linewidth=1, label=f"chance: {100 * related.mean():.1f} %")
    axes.set(title="Precision and recall", xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))


def threshold_curve(best_class: Rows, found: Predictions) -> npt.NDArray[np.float64]:
    """Threshold, precision, recall and F1 where ``score > threshold`` accepts the best class: (T, 4).

    Precision and recall are micro-averaged with NO-RELATION left out, as in the tables:
    P = TP / accepted, R = TP / labels, F1 = 2 TP / (accepted + labels).
    """
    order = np.argsort(found.best_score, kind="stable")
    scores = found.best_score[order]
    hits = found.labels[np.arange(len(order)), best_class][order]
    labels = found.labels.sum()
    cuts = np.unique(np.quantile(scores, np.linspace(0, 1, MOST_THRESHOLDS, endpoint=False), method="lower"))
    first = np.searchsorted(scores, cuts, side="right")
    cuts, first = cuts[first < len(scores)], first[first < len(scores)]
    accepted = len(scores) - first
    true = np.concatenate([np.cumsum(hits[::-1])[::-1], [0]])[first]
    return np.column_stack([cuts, true / accepted, true / labels, 2 * true / (accepted + labels)])


def draw_thresholds(axes: Axes, found: Evaluated) -> None:
    """Micro precision, recall and F1 against one threshold for all classes, and the tuned ones."""
    points = threshold_curve(found.best_class, found.model)
    for column, name in enumerate(("precision", "recall", "F1"), 1):
        axes.plot(points[:, 0], points[:, column], label=name)
    for number, value in enumerate(np.unique(found.model.thresholds)):
        axes.axvline(
            value, color="0.4", linewidth=1, linestyle=":", label="tuned on validation" if not number else None
        )
    axes.set(title="Threshold", xlabel="threshold of the score", ylim=(0, 1.02))
    axes.legend(fontsize="small")


def confusion(found: Predictions) -> npt.NDArray[np.int64]:
    """Pairs by listed class (rows) and predicted class (columns), NO-RELATION last: (C + 1, C + 1).

    A pair that is listed for several classes counts once: under the predicted one if that is listed, else under the
    first of them.
    """
    classes = found.labels.shape[1]
    listed = np.where(found.labels.any(axis=1), found.labels.argmax(axis=1), classes)
    predicted = np.where(found.predicted >= 0, found.predicted, classes)
    padded = np.pad(found.labels, ((0, 0), (0, 1)))
    right = padded[np.arange(len(predicted)), predicted]
    counts = np.zeros((classes + 1, classes + 1), dtype=np.int64)
    np.add.at(counts, (np.where(right, predicted, listed), predicted), 1)
    return counts


def draw_confusion(axes: Axes, found: Evaluated) -> None:
    """Shares of each row as shades, pairs as numbers."""
    counts = confusion(found.model)
    names = [*found.classes, NO_RELATION]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    places = np.arange(len(names))  # cells as shapes: an image would be embedded as PNG
    axes.pcolormesh(places, places, shares, cmap="Blues", vmin=0, vmax=1, shading="nearest")
    axes.invert_yaxis()
    if len(names) <= MOST_ANNOTATED + 1:
        for (row, column), count in np.ndenumerate(counts):
            shade = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize="small", color=shade)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize="small")
    axes.set_yticks(range(len(names)), names, fontsize="small")
    axes.set(title="Confusion, shade = share of the row", xlabel="predicted", ylabel="listed")


def scores_by_frequency(
    scores: npt.NDArray[np.float64], contexts: Rows, chosen: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Mean contexts, and quartiles of the score of the chosen pairs, in groups of contexts: (G, 4) float64.

    Pairs without any context are a group of their own.
    """
    group = np.zeros(len(contexts), dtype=np.int64)
    if (contexts > 0).any():
        group[contexts > 0] = 1 + groups(contexts[contexts > 0], CURVE_BINS)
    points = [
        [contexts[inside].mean(), *np.quantile(scores[inside], (0.25, 0.5, 0.75))]
        for number in np.unique(group)
        if len(inside := np.flatnonzero((group == number) & chosen))
    ]
    return np.array(points).reshape(-1, 4)


def draw_scores_by_frequency(axes: Axes, found: Evaluated) -> None:
    """Median and quartiles of the score against the number of contexts, for listed and for unlisted pairs."""
    listed = np.asarray(found.model.labels.any(axis=1), dtype=np.bool_)
    for chosen, name in ((listed, "listed"), (~listed, "not listed")):
        points = scores_by_frequency(found.model.best_score, found.contexts, chosen)
        axes.plot(points[:, 0], points[:, 2], marker="o", label=f"{name}: median")
        axes.fill_between(points[:, 0], points[:, 1], points[:, 3], alpha=0.2, label=f"{name}: quartiles")
    if (found.contexts > 0).all():
        axes.set_xscale("log")
    else:
        axes.set_xscale("symlog", linthresh=1)  # pairs that no sentence mentions stand at 0
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.set(title="Scores by frequency", xlabel="contexts of the pair", ylabel="score of the best class")
    axes.legend(fontsize="small")
