"""Both ends of each edge are ranked as a naive loop ranks them: filtered, among the right type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.baselines.triples import Rows, Triples
from kgrel.data.errors import NonFiniteError
from kgrel.data.progress import Silent
from kgrel.evaluate import ranking
from kgrel.evaluate.ranking import rank_edges, ranking_report
from kgrel.metrics.ranks import ranking_figures

KINDS = np.array([0, 0, 0, 1, 1, 1, 1])
SIZE, RELATIONS = len(KINDS), 3
EDGES = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, RELATIONS - 1), st.integers(0, SIZE - 1)),
    min_size=1, max_size=15, unique=True,
)  # fmt: skip


def triples_of(edges: list[Any]) -> Triples:
    return Triples(*np.array(edges, dtype=np.int64).T)


class Table:
    """Scores of every triple from a table with many ties."""

    def __init__(self, seed: int) -> None:
        self.scores = np.random.default_rng(seed).integers(0, 4, (SIZE, RELATIONS, SIZE))

    def __call__(self, known: Rows, relation: int, tails: bool, candidates: Rows) -> Any:
        table = self.scores[:, relation] if tails else self.scores[:, relation].T
        return table[known][:, candidates]


def naive(table: Table, asked: list[Any], known: list[Any], loops: bool) -> list[tuple[Any, ...]]:
    """Relation, side, optimistic and pessimistic rank, and candidates of every question."""
    found = []
    for head, relation, tail in asked:
        for side in ("tail", "head"):
            anchor, answer = (head, tail) if side == "tail" else (tail, head)
            others = []
            for entity in range(SIZE):
                edge = (anchor, relation, entity) if side == "tail" else (entity, relation, anchor)
                typed = KINDS[entity] == KINDS[answer]
                if entity != answer and typed and edge not in known and (loops or entity != anchor):
                    others.append(table.scores[edge])
            mine = table.scores[head, relation, tail]
            better, tied = sum(score > mine for score in others), sum(score == mine for score in others)
            found.append((relation, side, better + 1, better + tied + 1, len(others) + 1))
    return sorted(found)


@given(EDGES, EDGES, st.integers(0, 9), st.booleans(), st.sampled_from([1, 10, 1 << 24]))
def test_ranks_are_those_of_a_naive_loop(asked: Any, others: Any, seed: int, loops: bool, cells: int) -> None:
    known, table = sorted({*asked, *others}), Table(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "CELLS", cells)
        found = rank_edges(table, triples_of(asked), triples_of(known), KINDS, allow_loops=loops)
    sides = np.where(found.tails, "tail", "head").tolist()
    r = found.ranks
    columns = found.relations.tolist(), sides, r.optimistic.tolist(), r.pessimistic.tolist(), r.candidates.tolist()
    assert sorted(zip(*columns, strict=True)) == naive(table, asked, known, loops)
    assert found.relations.tolist() == [asked[row][1] for row in found.edges.tolist()]
    assert sorted(zip(found.edges.tolist(), sides, strict=True)) == [
        (row, side) for row in range(len(asked)) for side in ("head", "tail")
    ]


def test_a_score_that_is_not_finite_is_refused_with_its_question() -> None:
    table, edges = Table(0), triples_of([(0, 1, 3)])
    table.scores = table.scores.astype(float)
    table.scores[0, 1, 5] = np.nan
    with pytest.raises(NonFiniteError, match="tails of relation 1"):
        rank_edges(table, edges, edges, KINDS)


def test_the_known_entity_is_no_answer_unless_it_is_allowed() -> None:
    edges = triples_of([(0, 0, 1)])  # all of one type
    assert rank_edges(Table(0), edges, edges, KINDS).ranks.candidates.tolist() == [2, 2]
    assert rank_edges(Table(0), edges, edges, KINDS, allow_loops=True).ranks.candidates.tolist() == [3, 3]


def test_every_question_counts_as_progress() -> None:
    class Counted(Silent):
        total, done = 0, 0

        def start(self, stage: str, total: int | None) -> None:
            self.total += total or 0

        def advance(self, count: int, note: str = "") -> None:
            self.done += count

    progress, edges = Counted(), triples_of([(0, 0, 3), (1, 0, 4), (2, 1, 5)])
    rank_edges(Table(0), edges, edges, KINDS, progress=progress)
    assert progress.done == progress.total == 6


def test_the_report_tells_all_questions_by_side_by_relation_and_their_mean() -> None:
    edges = triples_of([(0, 0, 3), (1, 0, 4), (2, 0, 5), (0, 1, 6), (2, 1, 5), (1, 2, 6)])
    found = rank_edges(Table(1), edges, edges, KINDS)
    report = ranking_report(found, ["first", "second", "third"])
    assert report["questions"] == 12
    assert report["mean_candidates"] == pytest.approx(found.ranks.candidates.mean())
    counts = {name: group["questions"] for name, group in report["by_relation"].items()}
    assert counts == {"first": 6, "second": 4, "third": 2}
    for side, tails in (("tail", True), ("head", False)):
        assert report["by_side"][side] == ranking_figures(found.ranks.taken(found.tails == tails))
    assert report["by_side"]["tail"] != report["by_side"]["head"]
    for kind in ("optimistic", "realistic", "pessimistic"):
        each = [report["by_relation"][name][kind]["mrr"] for name in counts]
        assert report["macro"][kind]["mrr"] == pytest.approx(np.mean(each))
        assert report[kind]["mrr"] == pytest.approx(np.average(each, weights=list(counts.values())))
        assert report["macro"][kind]["mrr"] != pytest.approx(report[kind]["mrr"])
