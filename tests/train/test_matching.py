"""Drawn and chosen pairs lie in the cells of the listed ones, are as many as asked for, and never excluded."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.train.matching import Cells, draw_like, match_among
from kgrel.train.pair_data import ClassTable

ENTITIES = 24
KINDS = np.arange(ENTITIES) % 2
CLASSES = ClassTable(["a", "b"], ["DISEASE", "GENE"], np.ones((2, 2, 2), dtype=np.bool_))
EVERY = np.array(list(itertools.combinations(range(ENTITIES), 2))).T


def random_case(seed: int) -> tuple[Cells, Any, np.random.Generator]:
    rng = np.random.default_rng(seed)
    cells = Cells.of(CLASSES, KINDS, rng.integers(0, 4, (ENTITIES, 2)))
    rows = rng.permutation(EVERY.shape[1])[:10]
    return cells, (*EVERY[:, rows], rng.integers(0, 2, 10)), rng


def test_bins_are_deciles_of_the_labelled_entities_and_zero_is_apart() -> None:
    degrees = np.zeros((ENTITIES, 2), dtype=np.int64)
    degrees[:20, 0] = np.arange(1, 21)
    bins = Cells.of(CLASSES, np.zeros(ENTITIES, np.int64), degrees).kinds
    assert Counter(bins[:, 0].tolist()) == {0: 4} | dict.fromkeys(range(1, 11), 2)
    assert not bins[:, 1].any()
    assert (np.diff(bins[:20, 0]) >= 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(1, 5))
def test_chosen_pairs_are_of_the_pool_once_and_as_many_as_there_are(seed: int, count: int) -> None:
    cells, listed, rng = random_case(seed)
    pool = EVERY[:, ::2]
    chosen = match_among(cells, listed, (pool[0], pool[1]), count, np.ones((pool.shape[1], 2), np.bool_), rng)
    assert len(set(chosen.tolist())) == len(chosen)
    wanted = Counter(cells.of_pairs(*listed).tolist())
    of_pool = [cells.of_pairs(*pool, np.full(pool.shape[1], n)).tolist() for n in range(2)]
    assert all({of_pool[0][row], of_pool[1][row]} & wanted.keys() for row in chosen.tolist())
    assert len(chosen) <= count * len(listed[0])
    # Whoever was not chosen lies only in cells that have been served or are not asked for.
    left = set(range(pool.shape[1])) - set(chosen.tolist())
    for cell, asked in wanted.items():
        number = cell // cells.span**2
        served = sum(of_pool[number][row] == cell for row in chosen.tolist())
        assert served >= min(count * asked, sum(of_pool[number][row] == cell for row in left | set(chosen.tolist())))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.sampled_from([1, 3, 50]))
def test_drawn_pairs_are_new_distinct_of_their_cell_and_as_many_as_there_are(seed: int, count: int) -> None:
    cells, listed, rng = random_case(seed)
    keys = EVERY[0] * ENTITIES + EVERY[1]
    excluded = np.sort(rng.permutation(keys)[:60])
    drawn = draw_like(cells, listed, count, excluded, rng)
    wanted = sorted(Counter(cells.of_pairs(*listed).tolist()).items())
    taken: set[int] = set(excluded.tolist())
    for (cell, asked), found in zip(wanted, drawn, strict=True):
        number = np.full(len(EVERY[0]), cell // cells.span**2)
        free = set(keys[cells.of_pairs(*EVERY, number) == cell].tolist()) - taken
        assert len(found) == min(count * asked, len(free))
        assert set(found.tolist()) <= free
        taken |= set(found.tolist())


@pytest.mark.parametrize("swap", [False, True])
def test_a_cell_does_not_depend_on_the_order_of_the_two(swap: bool) -> None:
    cells, (heads, tails, classes), _ = random_case(0)
    one, other = (tails, heads) if swap else (heads, tails)
    assert cells.of_pairs(one, other, classes).tolist() == cells.of_pairs(heads, tails, classes).tolist()
