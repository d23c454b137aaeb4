"""Link prediction: each true edge is asked for from both ends, and its answer ranked among those of the right type.

Filtered (Bordes et al. 2013): other known answers to the same question, of any part of the data, do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kgrel.baselines.triples import Questions, Rows, Triples
from kgrel.data.errors import NonFiniteError
from kgrel.data.progress import Progress, Silent
from kgrel.metrics.ranks import Ranks, filtered_ranks, joined, macro, ranking_figures

SIDES = {True: "tail", False: "head"}
"""Whether the tail is asked for → what is asked for."""
CELLS = 1 << 24
"""Scores that are held at a time."""


class Answers(Protocol):
    """Scores candidates as answers to questions."""

    def __call__(self, known: Rows, relation: int, tails: bool, candidates: Rows) -> npt.NDArray[Any]:
        """Scores of the entities ``candidates`` (n,) as tails of a relation from each known entity (b,), or as heads
        to it: (b, n), floats or integers, higher is better."""
        ...


@dataclass(frozen=True)
class RankedQuestions:
    """The ranks of 2n questions, with the row of the edge, its relation, and whether its tail was asked for: (2n,)."""

    ranks: Ranks
    edges: Rows
    relations: Rows
    tails: npt.NDArray[np.bool_]

    def taken(self, rows: Rows | npt.NDArray[np.bool_]) -> RankedQuestions:
        """Some of the questions."""
        return RankedQuestions(self.ranks.taken(rows), self.edges[rows], self.relations[rows], self.tails[rows])


def rank_edges(
    answer: Answers,
    edges: Triples,
    known: Triples,
    types: Rows,
    *,
    allow_loops: bool = False,
    progress: Progress | None = None,
) -> RankedQuestions:
    """Rank the answers to both questions of each edge.

    Args:
        edges: what is asked for.
        known: every true edge, those of ``edges`` included.
        types: type of each entity (entities,); candidates have the type of the true answer.
        allow_loops: whether the known entity itself may be an answer.

    Raises:
        NonFiniteError: a score is NaN or infinite.
    """
    progress, questions = progress or Silent(), Questions.of(known)
    progress.start("evaluate-ranking", 2 * len(edges))
    ranks, asked, relations, sides = [], [], [], []
    for tails, relation, rows in batches(edges, types):
        anchors, answers = (end[rows] for end in edges.ends(tails))
        candidates = np.flatnonzero(types == types[answers[0]])
        scores = answer(anchors, relation, tails, candidates)
        counted = np.ones((len(rows), len(candidates)), dtype=np.bool_)
        column = np.full(len(types), -1, dtype=np.int64)
        column[candidates] = np.arange(len(candidates))
        places, others = questions.answers_of(questions.find(anchors, relation, tails))
        inside = column[others] >= 0
        counted[places[inside], column[others[inside]]] = False
        if not allow_loops:
            loops = np.flatnonzero(column[anchors] >= 0)
            counted[loops, column[anchors[loops]]] = False
        try:
            ranks.append(filtered_ranks(scores, column[answers], counted))
        except ValueError as error:
            raise NonFiniteError(f"{SIDES[tails]}s of relation {relation}: {error}") from None
        asked.append(rows)
        relations.append(np.full(len(rows), relation))
        sides.append(np.full(len(rows), tails))
        progress.advance(len(rows))
    return RankedQuestions(joined(ranks), np.concatenate(asked), np.concatenate(relations), np.concatenate(sides))


def batches(edges: Triples, types: Rows) -> Iterator[tuple[bool, int, Rows]]:
    """Whether tails are asked for, the relation, and rows of edges with answers of one type, for few enough scores."""
    sizes = np.bincount(types)
    for tails in SIDES:
        kinds = types[edges.ends(tails)[1]]
        groups = edges.relations * len(sizes) + kinds
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            step = max(1, CELLS // int(sizes[group % len(sizes)]))
            for start in range(0, len(rows), step):
                yield tails, int(group // len(sizes)), rows[start : start + step]


def ranking_report(found: RankedQuestions, names: list[str]) -> dict[str, Any]:
    """Figures over all questions, by side, by relation, and their mean over relations (macro).

    Args:
        names: of the relations.
    """
    numbers = np.unique(found.relations).tolist()
    by_relation = {
        names[number]: {
            "questions": int((found.relations == number).sum()),
            **ranking_figures(found.ranks.taken(found.relations == number)),
        }
        for number in numbers
    }
    figures = [ranking_figures(found.ranks.taken(found.relations == number)) for number in numbers]
    return {
        "questions": len(found.relations),
        "mean_candidates": float(found.ranks.candidates.mean()),
        **ranking_figures(found.ranks),
        "macro": macro(figures),
        "by_side": {name: ranking_figures(found.ranks.taken(found.tails == tails)) for tails, name in SIDES.items()},
        "by_relation": by_relation,
    }
