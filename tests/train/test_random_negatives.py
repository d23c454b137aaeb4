"""Random NO-RELATION pairs are what was asked for, and end where there are no more."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.train.pair_data import type_rows_of
from kgrel.train.random_negatives import random_negatives
from kgrel.train.settings import PairSettings

MakeToy = Callable[..., Any]
seeds = settings(max_examples=8, deadline=None)(given(seed=st.integers(0, 2**32)))


def negatives(toy: Any, per_positive: float, seed: int = 0) -> list[tuple[int, int]]:
    """Random NO-RELATION pairs of a toy."""
    asked = PairSettings(pairs="any", negatives_per_positive=per_positive, seed=seed)
    _, type_rows = type_rows_of(toy.entities)
    size = len(toy.entities)
    listed = toy.relations.heads * size + toy.relations.tails
    keys = random_negatives(type_rows, listed, toy.relations, asked)
    return list(zip((keys // size).tolist(), (keys % size).tolist(), strict=True))


@seeds
@pytest.mark.parametrize("per_positive", [0.3, 1.0, 2.0, 50.0])
def test_random_negatives_are_unlisted_distinct_typed_and_as_many_as_there_can_be(
    make_toy: MakeToy, per_positive: float, seed: int
) -> None:
    toy = make_toy(seed)
    drawn = negatives(toy, per_positive, seed)
    types = toy.entities.types

    def kind(pair: tuple[int, int]) -> tuple[str, ...]:
        return tuple(sorted(types[row] for row in pair))

    assert len(set(drawn)) == len(drawn)
    assert all(head < tail for head, tail in drawn)
    assert not set(drawn) & toy.listed
    triples = list(zip(toy.relations.heads.tolist(), toy.relations.tails.tolist(), strict=True))
    kinds = [kind(pair) for pair in triples]
    for wanted in set(kinds):
        free = [p for p in itertools.combinations(range(len(types)), 2) if kind(p) == wanted and p not in toy.listed]
        asked = round(per_positive * kinds.count(wanted))
        assert sum(kind(pair) == wanted for pair in drawn) == min(asked, len(free))
    assert {kind(pair) for pair in drawn} <= set(kinds)


def test_random_negatives_end_where_every_pair_is_listed(make_toy: MakeToy) -> None:
    toy = make_toy(0, entities=9, listed=10_000)
    assert negatives(toy, 20.0) == []


def test_random_negatives_differ_with_the_seed_alone(make_toy: MakeToy) -> None:
    toy = make_toy(0)
    assert negatives(toy, 1.0, seed=1) == negatives(toy, 1.0, seed=1)
    assert negatives(toy, 1.0, seed=1) != negatives(toy, 1.0, seed=2)


def test_they_are_the_no_relation_pairs_of_any_pairs(make_toy: MakeToy) -> None:
    toy = make_toy(0)
    data = toy.assemble(PairSettings(pairs="any", negatives_per_positive=0.5))
    others = zip(data.heads[~data.positive].tolist(), data.tails[~data.positive].tolist(), strict=True)
    assert list(others) == negatives(toy, 0.5)
