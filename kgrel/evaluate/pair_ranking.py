"""``evaluate-ranking``: the listed pairs of a part as edges whose ends are asked for, one class at a time.

An edge leads from the entity of the first type to that of the second. Pairs of one type have no direction: both ends
are asked for, and both directions of every listed pair are known answers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.baselines.triples import Rows, Triples
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress
from kgrel.evaluate.ranking import RankedQuestions, rank_edges, ranking_report
from kgrel.evaluate.settings import RankingSettings
from kgrel.metrics.bootstrap import interval, mean_statistic
from kgrel.train.leakage import refuse_shared_pairs
from kgrel.train.pair_artifact import Floats, PairArtifact
from kgrel.train.pair_data import Part

PAIRS_AT_ONCE = 1 << 17


def evaluate_ranking(
    model: PairArtifact, settings: RankingSettings | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Rank the other end of each listed pair of a part among all entities of its type.

    Filtered: other entities that the relations table lists with the known one under the class do not count, whatever
    part they are in; nor does the known entity itself.

    Returns:
        See :func:`kgrel.evaluate.ranking.ranking_report`; ``model``, ``settings`` and ``edges`` by class; over all and
        by class ``mrr_interval``, of the realistic MRR.

    Raises:
        KgrelError: a pair stands on both sides of the split; the part has no listed pair.
        NonFiniteError: a score is NaN or infinite.
    """
    settings = settings or RankingSettings()
    refuse_shared_pairs(model.data.heads, model.data.tails, model.data.parts)
    edges = listed_edges(model, Part[settings.part.upper()])
    if settings.edges:
        chosen = np.random.default_rng(settings.seed).permutation(len(edges))[: settings.edges]
        edges = edges.taken(np.sort(chosen))
    found = rank_listed(model, edges, progress)
    counts = Counter(model.classes[number] for number in edges.relations.tolist())
    head = {"model": model.title, "settings": asdict(settings), "edges": dict(sorted(counts.items()))}
    report = head | ranking_report(found, model.classes) | {"mrr_interval": mrr_interval(found, edges, settings)}
    for number in np.unique(edges.relations).tolist():
        of_class = found.taken(found.relations == number)
        report["by_relation"][model.classes[number]]["mrr_interval"] = mrr_interval(of_class, edges, settings)
    return report


def listed_edges(model: PairArtifact, part: Part) -> Triples:
    """The listed pairs of a part, one edge for each class that lists them.

    Raises:
        KgrelError: there are none.
    """
    data, rows = model.data, model.data.rows(part, positive=True)
    if not len(rows):
        raise KgrelError(f"no listed pair among the {part.name.lower()} pairs: more relations are needed")
    places, classes = np.nonzero(data.labels[rows])
    return directed(data.type_rows, data.heads[rows][places], data.tails[rows][places], classes)


def rank_listed(model: PairArtifact, edges: Triples, progress: Progress | None = None) -> RankedQuestions:
    """Rank both ends of some edges, filtered by everything that the relations table lists.

    Raises:
        NonFiniteError: a score is NaN or infinite.
    """
    types = model.data.type_rows
    known = both_directions(types, directed(types, *model.relations))
    return rank_edges(Answerer(model), edges, known, types, progress=progress)


def mrr_interval(found: RankedQuestions, edges: Triples, settings: RankingSettings) -> list[float] | None:
    """95 % interval of the realistic MRR, entities resampled; None of a single edge, which tells no spread.

    Args:
        edges: those that were asked for.
    """
    if len(np.unique(found.edges)) < 2:
        return None
    ends = edges.heads[found.edges], edges.tails[found.edges]
    bounds = interval(mean_statistic(1 / found.ranks.realistic), *ends, settings.draws, settings.seed)
    return [bounds.low, bounds.high]


def directed(type_rows: Rows, heads: Rows, tails: Rows, classes: Rows) -> Triples:
    """Each pair from the entity of the first type to that of the second."""
    swap = type_rows[heads] > type_rows[tails]
    return Triples(np.where(swap, tails, heads), classes, np.where(swap, heads, tails))


def both_directions(type_rows: Rows, edges: Triples) -> Triples:
    """The edges, those between entities of one type in both directions."""
    twins = type_rows[edges.heads] == type_rows[edges.tails]
    back = Triples(edges.tails[twins], edges.relations[twins], edges.heads[twins])
    return Triples(
        np.concatenate([edges.heads, back.heads]),
        np.concatenate([edges.relations, back.relations]),
        np.concatenate([edges.tails, back.tails]),
    )


class Answerer:
    """A scorer of pairs as the evaluator asks it, see :class:`kgrel.evaluate.ranking.Answers`."""

    def __init__(self, model: PairArtifact) -> None:
        self.model = model

    def __call__(self, known: Rows, relation: int, tails: bool, candidates: Rows) -> npt.NDArray[Any]:
        heads, others = np.repeat(known, len(candidates)), np.tile(candidates, len(known))
        found: Floats = np.empty(len(heads))
        for start in range(0, len(heads), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            found[part] = self.model.predict(heads[part], others[part])[0][:, relation]
        return found.reshape(len(known), len(candidates))
