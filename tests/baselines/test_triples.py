"""Questions are what plain dictionaries of the triples hold."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgrel.baselines.triples import AnswerTypes, Questions, Triples, joined

EDGES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 5)), max_size=20)


def triples_of(edges: list[tuple[int, int, int]]) -> Triples:
    return Triples(*np.array(edges, dtype=np.int64).reshape(-1, 3).T)


def plain_answers(edges: list[tuple[int, int, int]]) -> dict[tuple[int, int, bool], list[int]]:
    """(known entity, relation, whether the tail is asked for) → all answers, sorted."""
    found: dict[tuple[int, int, bool], list[int]] = defaultdict(list)
    for head, relation, tail in edges:
        found[head, relation, True].append(tail)
        found[tail, relation, False].append(head)
    return {question: sorted(answers) for question, answers in found.items()}


@given(EDGES)
def test_each_question_stands_once_with_all_its_answers(edges: list[Any]) -> None:
    questions, expected = Questions.of(triples_of(edges)), plain_answers(edges)
    places, answers = questions.answers_of(np.arange(len(questions)))
    keys = list(zip(questions.known.tolist(), questions.relations.tolist(), questions.tails.tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    assert {key: answers[places == place].tolist() for place, key in enumerate(keys)} == expected


@given(EDGES.filter(len), st.data())
def test_questions_are_found_and_their_answers_taken_in_any_order(edges: list[Any], data: Any) -> None:
    questions, expected = Questions.of(triples_of(edges)), plain_answers(edges)
    _, relation, tails = data.draw(st.sampled_from(sorted(expected)))
    there = [known for known, *rest in expected if rest == [relation, tails]]
    known = data.draw(st.lists(st.sampled_from(there), max_size=6))
    rows = questions.find(np.array(known, dtype=np.int64), relation, tails)
    places, answers = questions.answers_of(rows)
    for place, entity in enumerate(known):
        assert answers[places == place].tolist() == expected[entity, relation, tails]


@given(EDGES.filter(len))
def test_an_answer_is_possible_where_its_type_was_seen(edges: list[Any]) -> None:
    kinds = np.array([0, 0, 1, 1, 2, 2])
    types = AnswerTypes.of(triples_of(edges), kinds, 3)
    seen = {(relation, False, kinds[head]) for head, relation, _ in edges}
    seen |= {(relation, True, kinds[tail]) for _, relation, tail in edges}
    relations, tails = np.repeat(np.arange(3), 2), np.tile([False, True], 3)
    expected = [
        [(relation, side, kinds[entity]) in seen for entity in range(6)]
        for relation, side in zip(relations.tolist(), tails.tolist(), strict=True)
    ]
    assert types.possible(relations, tails).tolist() == expected
    assert types.possible(relations, tails, np.array([4, 1])).tolist() == [[row[4], row[1]] for row in expected]


def test_edges_are_joined_taken_and_turned() -> None:
    one, other = triples_of([(0, 1, 2), (3, 0, 4)]), triples_of([(5, 2, 1)])
    both = joined([one, other])
    assert both.taken(np.array([2, 0])).heads.tolist() == [5, 0]
    assert [end.tolist() for end in both.ends(tails=True)] == [[0, 3, 5], [2, 4, 1]]
    assert [end.tolist() for end in both.ends(tails=False)] == [[2, 4, 1], [0, 3, 5]]
