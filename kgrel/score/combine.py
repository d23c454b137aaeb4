"""``combine-pairs``: fit the weights of several scorers of the same pairs on their validation pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgrel.data.artifact import Kind, Manifest, create_artifact
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.data.settings import to_json
from kgrel.metrics.classification import average_precision, best
from kgrel.score.combined import MEMBER, Combined, design_of, refuse_combined, scaled
from kgrel.score.opening import open_scorer
from kgrel.score.settings import CombineSettings
from kgrel.train.calibrate import folds
from kgrel.train.logistic import Line, fit_lines, spread_of
from kgrel.train.pair_artifact import Floats, PairArtifact, describe, refuse_other_split
from kgrel.train.pair_data import Flags, Part


def combine_pairs(
    paths: Sequence[str | Path], out: str | Path, settings: CombineSettings | None = None, overwrite: bool = False
) -> dict[str, Any]:
    """Combine artifacts that score pairs and write a COMBINED artifact.

    Args:
        paths: two or more PAIRS artifacts or baselines of one corpus, split and seed.

    Returns:
        The summary: weights by class, average precision on the validation pairs, of each member and, from pairs that
        took no part in the fit, of the combination; and what the members tell of their split.

    Raises:
        KgrelError: fewer than two members, other pairs or another split; too few listed validation pairs; ``out``
            exists and ``overwrite`` is false.
    """
    settings = settings or CombineSettings()
    if len(paths) < 2:
        raise KgrelError("one scorer is no combination; give two or more")
    members = [open_scorer(path) for path in paths]
    for member, path in zip(members, paths, strict=True):
        refuse_combined(member, path)
        refuse_other_split(members[0], member)
    combined, summary = fit_combination(members, settings)
    summary |= told_of_members(members)
    parents = {
        MEMBER.format(number): member.artifact.hash
        for number, member in enumerate(members, start=1)
        if member.artifact is not None
    }
    manifest = Manifest(Kind.COMBINED, to_json(combined.settings), combined.settings.seed, parents)
    with create_artifact(out, manifest, overwrite) as draft:
        combined.write(draft.path)
        draft.summary |= summary
    return summary


def fit_combination(members: Sequence[PairArtifact], settings: CombineSettings) -> tuple[Combined, dict[str, Any]]:
    """The combination of opened members, with its threshold tuned, and its summary.

    Raises:
        KgrelError: fewer listed validation pairs than folds.
        NonFiniteError: a score is NaN or infinite.
    """
    first = members[0]
    settings = settings.of_split(first.settings)
    data, rows = first.data, first.data.rows(Part.VALIDATION)
    listed, possible = data.positive[rows], data.possible(rows)
    refuse_too_few(listed, settings.folds)
    predicted = [validation_scores(member) for member in members]
    scales = [member.scale for member in members]
    features = np.stack([
        scaled(scores, np.zeros_like(scores), scale)[0] for scores, scale in zip(predicted, scales, strict=True)
    ])  # fmt: skip
    cells = features, first.covered(data.heads[rows], data.tails[rows]), possible, data.labels[rows]
    tried = {strength: cross_fitted(cells, settings, strength) for strength in settings.strengths}
    strength = max(tried, key=lambda one: tried[one])
    combined = Combined(
        members=members,
        scales=scales,
        lines=fit_weights(*cells, strength),
        settings=settings,
        entities=first.entities,
        data=data,
        comentions=first.comentions,
        relations=first.relations,
        thresholds=np.zeros(len(first.classes)),
    )
    names = names_of(members)
    alone = [average_precision(listed, best(scores, possible)[1]) for scores in predicted]
    told = {
        "strength": strength,
        "weights": told_weights(combined, names),
        "members_validation_average_precision": dict(zip(names, alone, strict=True)),
    }
    tuned = combined.tune() | {"validation_average_precision": tried[strength]}
    return combined, {**told, **tuned, **describe(combined)}


def refuse_too_few(listed: Flags, least: int) -> None:
    """Raise where a fold would have no listed validation pair, or no other."""
    if min(listed.sum(), (~listed).sum()) < least:
        raise KgrelError(
            f"{int(listed.sum())} of {len(listed)} validation pairs are listed, but {least} listed and as many others "
            "are needed to weigh the members; give more relations, or fewer --folds"
        )


def validation_scores(member: PairArtifact) -> Floats:
    """Scores of the validation pairs (n, C).

    Raises:
        NonFiniteError: one is NaN or infinite.
    """
    rows = member.data.rows(Part.VALIDATION)
    scores, _ = member.predict(member.data.heads[rows], member.data.tails[rows])
    if not np.isfinite(scores).all():
        raise NonFiniteError(f"{member.title}: a score is not finite; its weights are damaged or diverged")
    return scores


def names_of(members: Sequence[PairArtifact]) -> list[str]:
    """The titles, numbered where one stands twice."""
    titles = [member.title for member in members]
    return [
        f"{title} ({titles[: place + 1].count(title)})" if titles.count(title) > 1 else title
        for place, title in enumerate(titles)
    ]


def fit_weights(features: Floats, covered: Flags, possible: Flags, labels: Flags, strength: float) -> list[Line]:
    """A regression for each class on the pairs whose types allow it: features (M, n, C), flags (n, C).

    The product of a score and *both labelled* is taken of scores about their mean. Of a member whose score never moves
    it is then 0, and so are its weights; else that product would be *both labelled* a second time, and the score of a
    pair for which the member does move would be far off.
    """
    inside = features[:, possible].T
    centre, moves = inside.mean(axis=0), spread_of(inside) > 0
    centred = np.where(moves[:, None, None], features - centre[:, None, None], 0.0)
    of_class = [np.flatnonzero(possible[:, column]) for column in range(labels.shape[1])]
    designs = [design_of(centred[:, rows, column], covered[rows, column]) for column, rows in enumerate(of_class)]
    lines = fit_lines(designs, [labels[rows, column] for column, rows in enumerate(of_class)], strength)
    return [of_scores(line, centre) for line in lines]


def of_scores(line: Line, centre: Floats) -> Line:
    """The same regression for scores as they are, not about their mean (M,)."""
    weights, more, both = np.split(line.weights, [len(centre), 2 * len(centre)])
    return Line(np.concatenate([weights, more, both - more @ centre]), float(line.intercept - weights @ centre))


def cross_fitted(cells: tuple[Floats, Flags, Flags, Flags], settings: CombineSettings, strength: float) -> float:
    """Average precision on the validation pairs, each scored with weights from the other folds."""
    features, covered, possible, labels = cells
    listed: Flags = np.any(labels, axis=1)
    fold_of = folds(listed, settings.folds, settings.seed)
    scores = np.zeros(labels.shape)
    for fold in range(settings.folds):
        inside, outside = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        parts = (features[:, outside], covered[outside], possible[outside], labels[outside])
        for column, line in enumerate(fit_weights(*parts, strength)):
            design = design_of(features[:, inside, column], covered[inside, column])
            scores[inside, column] = line.intercept + design @ line.weights
    found = average_precision(listed, best(scores, possible)[1])
    assert found is not None  # some are listed
    return found


def told_of_members(members: Sequence[PairArtifact]) -> dict[str, Any]:
    """What the members' summaries tell of their split and of the edges that held-out pairs lost in a graph."""
    summaries = [member.artifact.manifest.summary for member in members if member.artifact is not None]
    told = {}
    for key in ("leakage", "held_out", "graph_encoder"):
        found = [summary[key] for summary in summaries if key in summary]
        if found:
            told[key] = found[0]
    return told


def told_weights(combined: Combined, names: Sequence[str]) -> dict[str, Any]:
    """By class, what each member weighs where an entity has no training label of it, and where both have one."""
    count = len(names)
    return {
        class_: {
            name: {
                "unlabelled": float(line.weights[place]),
                "both_labelled": float(line.weights[place] + line.weights[count + place]),
            }
            for place, name in enumerate(names)
        }
        for class_, line in zip(combined.classes, combined.lines, strict=True)
    }
