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
from kgrel.evaluate.ranking import rank_edges, ranking_report
from kgrel.evaluate.settings import RankingSettings
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
        See :func:`kgrel.evaluate.ranking.ranking_report`; ``model``, ``settings`` and ``edges`` by class.

    Raises:
        KgrelError: a pair stands on both sides of the split; the part has no listed pair.
        NonFiniteError: a score is NaN or infinite.
    """
    settings = settings or RankingSettings()
    data = model.data
    refuse_shared_pairs(data.heads, data.tails, data.parts)
    rows = data.rows(Part[settings.part.upper()], positive=True)
    if not len(rows):
        raise KgrelError(f"no listed pair among the {settings.part} pairs: more relations are needed")
    places, classes = np.nonzero(data.labels[rows])
    edges = directed(data.type_rows, data.heads[rows][places], data.tails[rows][places], classes)
    if settings.edges:
        chosen = np.random.default_rng(settings.seed).permutation(len(edges))[: settings.edges]
        edges = edges.taken(np.sort(chosen))
    heads, tails, listed = model.relations
    known = both_directions(data.type_rows, directed(data.type_rows, heads, tails, listed))
    found = rank_edges(Answerer(model), edges, known, data.type_rows, progress=progress)
    counts = Counter(model.classes[number] for number in edges.relations.tolist())
    head = {"model": model.title, "settings": asdict(settings), "edges": dict(sorted(counts.items()))}
    return head | ranking_report(found, model.classes)


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
