"""Splits by date: what is first mentioned later is tested, and a day is never divided."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.train.pair_data import Part
from kgrel.train.settings import PairSettings
from kgrel.train.splits import SplitInputs, assemble_pairs
from tests.train.conftest import keys_of

SETTINGS = PairSettings(batch_size=48, batch_negatives=32, negatives_per_positive=2.0)
MakeToy = Callable[..., Any]
seeds = settings(max_examples=8, deadline=None)(given(seed=st.integers(0, 2**32)))


@seeds
def test_later_pairs_are_tested_and_a_day_is_never_divided(make_toy: MakeToy, seed: int) -> None:
    toy = make_toy(seed, entities=60, comentioned=900, listed=240)
    rng = np.random.default_rng(seed)
    days = rng.integers(-1, 60, len(toy.comentions[0]))
    asked = dataclasses.replace(SETTINGS, split="date", dates="given", seed=seed)
    data = assemble_pairs(toy.entities, toy.comentions, toy.relations, asked, SplitInputs(first_dates=days))
    day_of = {
        frozenset(pair): day
        for *pair, day in zip(*(side.tolist() for side in toy.comentions[:2]), days.tolist(), strict=True)
    }
    found = {part: [day_of[key] for key in keys_of(data, data.rows(part))] for part in Part}
    assert min(map(min, found.values())) >= 0
    assert max(found[Part.TRAINING]) < min(found[Part.VALIDATION])
    assert max(found[Part.VALIDATION]) < min(found[Part.TEST])
    assert len(found[Part.TEST]) == pytest.approx(0.1 * len(data), rel=0.5)


@pytest.mark.parametrize(("validation", "test"), [(0.2, 0.1), (0.2, 0.0)])
def test_days_begin_a_part_where_the_share_before_them_is_reached(
    make_toy: MakeToy, validation: float, test: float
) -> None:
    toy = make_toy(1, entities=60, comentioned=900, listed=240)
    days = np.random.default_rng(0).permutation(np.maximum(np.arange(len(toy.comentions[0])) - 60, 0))
    asked = dataclasses.replace(SETTINGS, split="date", dates="given", validation_share=validation, test_share=test)
    data = assemble_pairs(toy.entities, toy.comentions, toy.relations, asked, SplitInputs(first_dates=days))
    day_of = dict(zip(zip(*(side.tolist() for side in toy.comentions[:2]), strict=True), days.tolist(), strict=True))
    of_pairs = np.array([day_of[pair] for pair in zip(data.heads.tolist(), data.tails.tolist(), strict=True)])
    assert of_pairs.min() == 0  # the first day is a day like others
    later, last = (round((1 - share) * len(data)) for share in (validation + test, test))
    starts = [np.sort(of_pairs)[later], np.sort(of_pairs)[last] if test else of_pairs.max() + 1]
    assert np.array_equal(data.parts, (of_pairs >= starts[0]).astype(int) + (of_pairs >= starts[1]))


def test_pairs_without_a_date_do_not_come_back_as_pairs_that_are_never_mentioned(make_toy: MakeToy) -> None:
    toy = make_toy(1, entities=60, comentioned=900, listed=240)
    days = np.arange(len(toy.comentions[0])) - 300
    asked = dataclasses.replace(SETTINGS, split="date", dates="given", pairs="both")
    data = assemble_pairs(toy.entities, toy.comentions, toy.relations, asked, SplitInputs(first_dates=days.clip(-1)))
    undated = {frozenset(pair) for pair in zip(*(side[days < 0].tolist() for side in toy.comentions[:2]), strict=True)}
    assert undated & {frozenset(pair) for pair in toy.listed}
    assert not keys_of(data) & undated
