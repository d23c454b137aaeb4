"""The sections of ``kgrel report`` that show an evaluation of pairs: figures, curves, and the best unlisted pairs."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgrel.data.entities import Entity
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress, Silent
from kgrel.evaluate.pair_plots import Evaluated, draw_evaluation
from kgrel.evaluate.pairs import ALL, COVERED, apply, evaluate_methods, kept, methods
from kgrel.evaluate.report import inline_svg, plain, table, write_report
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.evaluate.tables import TITLES, table_rows
from kgrel.metrics.classification import best
from kgrel.text.corpus import Corpus
from kgrel.text.evidence import EvidenceIndex, marked
from kgrel.train.leakage import refuse_shared_pairs
from kgrel.train.pair_artifact import Floats, PairArtifact
from kgrel.train.pair_data import Part, Rows

NOVEL = 20
"""Unlisted pairs that are shown."""
SENTENCES = 3
"""Sentences of each of them that are shown."""


def write_pair_report(
    model: PairArtifact,
    out: str | Path,
    settings: EvaluationSettings | None = None,
    beside: Sequence[PairArtifact] = (),
    corpus: Corpus | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Evaluate a saved PAIRS artifact or baseline, and write the page of its run with the evaluation.

    Args:
        beside: further artifacts, of the same pairs and split, as rows and curves beside the model.
        corpus: where the sentences of the best unlisted pairs are taken from; without it the page shows none.

    Returns:
        The report of :func:`~kgrel.evaluate.pairs.evaluate_pairs`.

    Raises:
        KgrelError: the artifact was not saved; ``out`` exists and ``overwrite`` is false; and whatever
            :func:`~kgrel.evaluate.pairs.evaluate_pairs` raises.
    """
    if model.artifact is None:
        raise KgrelError("only a saved artifact has a page; save it first")
    if Path(out).exists() and not overwrite:  # said before the evaluation, not after it
        raise KgrelError(f"{out} exists already; choose another name or pass --overwrite")
    settings, progress = settings or EvaluationSettings(), progress or Silent()
    data = model.data
    refuse_shared_pairs(data.heads, data.tails, data.parts)
    found, chosen = methods(model, beside, settings.baselines, progress)
    report = evaluate_methods(model, found, chosen, settings, progress)
    which = COVERED if COVERED in report else ALL
    every = data.rows(Part[settings.part.upper()])
    tuning, rows = (kept(data, of_part, which) for of_part in (data.rows(Part.VALIDATION), every))
    per_class = model.settings.per_class_thresholds
    predictions = {name: apply(score, data, tuning, rows, per_class) for name, score in found.items()}
    classes, _ = best(next(iter(found.values()))(rows), data.possible(rows))
    shown = Evaluated(predictions, classes, data.contexts[rows], model.classes, report.get("calibration"))
    sections = [
        *figures(report, settings),
        f"<h2>Curves of the {which} {settings.part} pairs</h2>",
        inline_svg(draw_evaluation(shown)),
        *novel(model, every, next(iter(found.values()))(every), None if corpus is None else EvidenceIndex.of(corpus)),
        "<h2>Settings of the evaluation</h2>",
        table({name: (plain(value), "") for name, value in report["settings"].items()}),
    ]
    write_report(model.artifact.path, out, overwrite, sections)
    return report


def figures(report: dict[str, Any], settings: EvaluationSettings) -> list[str]:
    """The tables of :mod:`kgrel.evaluate.tables`, in per cent, with intervals."""
    parts = []
    for name, title in TITLES.items():
        heading = f"<h2>{title.format(pairs=f'{settings.part} pairs').capitalize()}</h2>"
        if name in report:
            part = report[name]
            parts += [
                heading,
                f"<p>{part['pairs']:,} pairs, {part['listed']:,} of them listed ({100 * part['base_rate']:.2f} %). "
                "Per cent, with 95 % intervals of the entity-clustered bootstrap; "
                "thresholds are tuned on validation pairs.</p>",
                grid(*table_rows(part["methods"])),
            ]
        elif name in report.get("left_out", ()):
            parts += [heading, f"<p>Left out: {report['left_out'][name]}.</p>"]
    return parts


def novel(model: PairArtifact, rows: Rows, scores: Floats, evidence: EvidenceIndex | None) -> list[str]:
    """The unlisted pairs among ``rows`` with the highest scores of (n, C); training has seen none of them."""
    data = model.data
    classes, scores = best(scores, data.possible(rows))
    # Of equal scores the earlier pair comes first, so that the page is the same each time.
    order = np.argsort(-scores, kind="stable")
    known = np.array([name is not None for name in model.known(data.heads[rows], data.tails[rows])])
    order = order[~known[order]][:NOVEL]
    parts = ["<h2>Top novel predictions</h2>", "<p>The pairs of this part that no relation is listed for, best first. "]
    parts.append("They were held out: training did not take them for unrelated.")
    parts.append("</p>" if evidence is not None else " Their sentences are shown where a corpus is given.</p>")
    for place, at in enumerate(order.tolist(), 1):
        pair = int(data.heads[rows[at]]), int(data.tails[rows[at]])
        heading = f"{place}. {named(model, pair[0])} – {named(model, pair[1])}"
        said = f"{model.classes[classes[at]]}, score {scores[at]:.3f}, {data.contexts[rows[at]]:,} contexts"
        parts.append(f"<p><b>{html.escape(heading)}</b> <span class=note>{html.escape(said)}</span></p>")
        if evidence is not None:
            parts.append(sentences(model, evidence, pair))
    return parts


def named(model: PairArtifact, row: int) -> str:
    """Name, type and identifier of an entity."""
    entities = model.entities
    return f"{entities.names[row]} ({entities.types[row]}::{entities.ids[row]})"


def sentences(model: PairArtifact, evidence: EvidenceIndex, pair: tuple[int, int]) -> str:
    """Some sentences that name both, the mentions marked."""
    known = evidence.corpus.entities
    first, second = (known.find(Entity(model.entities.types[row], model.entities.ids[row]))[0] for row in pair)
    found = evidence.sentences(first, second, SENTENCES) if min(first, second) >= 0 else []
    if not found:
        return "<p class=note>No sentence of the corpus names both.</p>"
    return "<ul>" + "".join(f"<li>{marked(one)}</li>" for one in found) + "</ul>"


def grid(heads: list[str], *rows: list[str]) -> str:
    """A table with a line of headings."""
    first = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table class=grid><tr>{first}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
