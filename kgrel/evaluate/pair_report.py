"""The evaluation of a pair classifier as sections of a page: curves, matrix, scores by frequency, novel predictions."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from kgrel.data.errors import KgrelError
from kgrel.evaluate.calibration import calibration_report
from kgrel.evaluate.pairs import refuse_other_split
from kgrel.evaluate.plots import draw_reliability, inline_svg
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.metrics.classification import best, predict
from kgrel.text.corpus import Corpus
from kgrel.text.evidence import EvidenceIndex
from kgrel.train.leakage import refuse_shared_pairs
from kgrel.train.pair_artifact import Floats, PairArtifact
from kgrel.train.pair_data import Part, Rows

NOVEL, SENTENCES = 20, 2
"""Novel predictions on the page, and sentences shown of each."""
POINTS = 400
"""Most points of a curve, so that the page stays small."""
NO_RELATION = "NO-RELATION"


def pair_sections(
    model: PairArtifact, beside: Sequence[PairArtifact], corpus: Corpus | None, settings: EvaluationSettings
) -> list[str]:
    """HTML of each section, the model's own thresholds applied.

    Args:
        beside: further artifacts of the same pairs and split, in the plot of precision and recall.
        corpus: that of the model, for sentences of the novel predictions; None leaves them out.

    Raises:
        KgrelError: another artifact has other pairs, the corpus is another one, or no pair of the part is listed.
    """
    data = model.data
    rows = data.rows(Part[settings.part.upper()])
    refuse_shared_pairs(data.heads, data.tails, data.parts)
    if not data.positive[rows].any():
        raise KgrelError(f"none of the {settings.part} pairs is listed, so that there is nothing to report")
    if corpus is not None and model.artifact is not None:
        made_of = model.artifact.manifest.parents.get("corpus")
        if made_of != corpus.artifact.hash:
            raise KgrelError(f"{corpus.artifact.path}: is not the corpus that {model.artifact.path} was trained on")
    named = {model.title: model}
    for other in beside:
        refuse_other_split(model, other)
        if other.title in named:
            raise KgrelError(f"there are two artifacts of {other.title!r}; report one of each kind at a time")
        named[other.title] = other
    found = {name: best_of(one, data.heads[rows], data.tails[rows]) for name, one in named.items()}
    classes, scores = found[model.title]
    listed = data.labels[rows].any(axis=1)
    facts = f"{settings.part} pairs: {len(rows):,}, of them listed: {listed.sum():,} ({100 * listed.mean():.2f} %)."
    calibration = calibration_report(model, rows, settings) if hasattr(model, "calibration") else None
    curves = {name: values for name, (_, values) in found.items()}
    return [
        f"<h2>Evaluation on {settings.part} pairs</h2><p>{facts}</p>",
        draw(model, rows, curves, classes, scores, calibration),
        "<h2>Confusion matrix</h2><p class=note>rows: listed (a pair of several classes once in each); columns: "
        "predicted</p>" + confusion(model, rows, classes, scores),
        novel(model, rows, classes, scores, corpus),
    ]


def best_of(model: PairArtifact, heads: Rows, tails: Rows) -> tuple[Rows, Floats]:
    """The best possible class of each pair, and its score: (n,) each."""
    return best(model.predict(heads, tails)[0], model.possible(heads, tails))


def draw(
    model: PairArtifact, rows: Rows, curves: dict[str, Floats], classes: Rows, scores: Floats, calibration: Any
) -> str:
    """The four panels as inline SVG; the reliability diagram only of scores that are meant as probabilities."""
    figure = Figure(figsize=(11, 8), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    draw_precision_recall(axes[0], model.data.labels[rows].any(axis=1), curves)
    draw_thresholds(axes[1], model, rows, classes, scores)
    draw_by_frequency(axes[2], model, rows, scores)
    if calibration is None:
        axes[3].set_axis_off()
    else:
        draw_reliability(axes[3], calibration)
        axes[3].set_title(f"Reliability, {calibration['which']} pairs")
    return inline_svg(figure)


def thinned(*columns: Floats) -> list[Floats]:
    """Columns at evenly spaced places, at most :data:`POINTS`, both ends among them."""
    places = np.unique(np.linspace(0, len(columns[0]) - 1, POINTS).astype(np.int64))
    return [column[places] for column in columns]


def draw_precision_recall(axes: Axes, listed: np.ndarray, curves: dict[str, Floats]) -> None:
    """Precision against recall of "listed", a curve for each method."""
    axes.axhline(listed.mean(), color="0.7", linewidth=1, label=f"share listed {listed.mean():.3f}")
    for name, scores in curves.items():
        precision, recall, _ = precision_recall_curve(listed, scores)
        axes.plot(*reversed(thinned(precision, recall)), label=name)
    axes.set(title="Precision and recall of “listed”", xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
    axes.legend(fontsize="small")


def draw_thresholds(axes: Axes, model: PairArtifact, rows: Rows, classes: Rows, scores: Floats) -> None:
    """Micro precision, recall and F1 under every global threshold, and the one in use."""
    labels = model.data.labels[rows]
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order, classes[order]])
    given = np.arange(1, len(rows) + 1)
    last = np.append(scores[order][1:] != scores[order][:-1], True)  # a threshold cannot divide equal scores
    precision, recall = (hits / given)[last], (hits / labels.sum())[last]
    f1 = 2 * hits[last] / (given[last] + labels.sum())
    values, *figures = thinned(scores[order][last], precision, recall, f1)
    for figure, name in zip(figures, ("precision", "recall", "F1"), strict=True):
        axes.plot(values, figure, label=name)
    for number, threshold in enumerate(np.unique(model.thresholds)):
        axes.axvline(threshold, color="0.5", linestyle="--", linewidth=1, label="threshold" if not number else None)
    axes.set(title="Figures by threshold", xlabel="threshold", ylim=(0, 1))
    axes.legend(fontsize="small")


def draw_by_frequency(axes: Axes, model: PairArtifact, rows: Rows, scores: Floats) -> None:
    """Median and quartiles of the score by number of contexts, of listed and unlisted pairs."""
    data = model.data
    bins = np.ceil(np.log2(1.0 + data.contexts[rows])).astype(np.int64)  # 0, 1, 2–3, 4–7, …
    names = ["0", "1", *(f"{2 ** (b - 1)}–{2**b - 1}" for b in range(2, int(bins.max()) + 1))]
    for listed, label in ((True, "listed"), (False, "not listed")):
        chosen = data.positive[rows] == listed
        present = np.unique(bins[chosen])
        if not len(present):
            continue
        quartiles = np.array([np.quantile(scores[chosen & (bins == b)], (0.25, 0.5, 0.75)) for b in present])
        axes.plot(present, quartiles[:, 1], marker="o", label=label)
        axes.fill_between(present, quartiles[:, 0], quartiles[:, 2], alpha=0.2)
    shown = np.arange(bins.max() + 1)
    axes.set_xticks(shown, [names[b] for b in shown], rotation=45)
    axes.set(title="Score by frequency: median, quartiles", xlabel="contexts of the pair", ylabel="score")
    axes.legend(fontsize="small")


def confusion(model: PairArtifact, rows: Rows, classes: Rows, scores: Floats) -> str:
    """The table of listed against predicted classes."""
    names = [NO_RELATION, *model.classes]
    predicted = 1 + predict(classes, scores, model.thresholds)  # −1 = NO-RELATION
    labels = model.data.labels[rows]
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (0, predicted[~labels.any(axis=1)]), 1)
    pairs, listed = np.nonzero(labels)
    np.add.at(counts, (1 + listed, predicted[pairs]), 1)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr><th>{html.escape(name)}</th>{''.join(f'<td>{count:,}</td>' for count in line)}</tr>"
        for name, line in zip(names, counts.tolist(), strict=True)
    )
    return f"<table><tr><th></th>{head}</tr>{body}</table>"


def novel(model: PairArtifact, rows: Rows, classes: Rows, scores: Floats, corpus: Corpus | None) -> str:
    """Unlisted pairs with the highest scores, each with some of the sentences that name both."""
    unlisted = np.flatnonzero(~model.data.positive[rows])
    top = unlisted[np.argsort(-scores[unlisted], kind="stable")[:NOVEL]]
    evidence, of_corpus = (None, {}) if corpus is None else (EvidenceIndex.of(corpus), rows_by_key(corpus))
    table, lines = model.entities, []
    for place in top.tolist():
        ends = [int(side[rows[place]]) for side in (model.data.heads, model.data.tails)]
        names = " – ".join(
            f"{html.escape(table.names[end])} <small>{html.escape(table.ids[end])}</small>" for end in ends
        )
        sentences = []
        keys = [of_corpus.get((table.types[end], table.ids[end])) for end in ends]
        if evidence is not None and keys[0] is not None and keys[1] is not None:
            sentences = [one.text for one in evidence.sentences(keys[0], keys[1], SENTENCES)]
        text = "".join(f"<br><span class=note>{html.escape(sentence)}</span>" for sentence in sentences)
        count = int(model.data.contexts[rows[place]])
        cells = f"<td>{scores[place]:.3f}</td><td>{html.escape(model.classes[classes[place]])}</td><td>{count:,}</td>"
        lines.append(f"<tr>{cells}<td>{names}{text}</td></tr>")
    note = "" if corpus is not None else " Sentences are shown where --corpus is given."
    head = "<tr><th>score</th><th>class</th><th>contexts</th><th>pair</th></tr>"
    intro = f"<p class=note>Pairs of the part that are not listed, highest scores first.{note}</p>"
    return f"<h2>Top novel predictions</h2>{intro}<table>{head}{''.join(lines)}</table>"


def rows_by_key(corpus: Corpus) -> dict[tuple[str, str], int]:
    """Type and identifier → row of the corpus."""
    keys = zip(corpus.entities.types, corpus.entities.ids, strict=True)
    return {key: row for row, key in enumerate(keys)}
