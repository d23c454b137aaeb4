"""Cold splits hold out entities: no pair of training tells of them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.data.errors import KgrelError
from kgrel.train.pair_data import PairData, Part
from kgrel.train.settings import PairSettings
from kgrel.train.splits import entity_groups
from tests.train.conftest import keys_of

SETTINGS = PairSettings(batch_size=48, batch_negatives=32, negatives_per_positive=2.0)
MakeToy = Callable[..., Any]
seeds = settings(max_examples=8, deadline=None)(given(seed=st.integers(0, 2**32)))


def entities_of(data: PairData, part: Part) -> set[int]:
    """Entities of the pairs of a part."""
    rows = data.rows(part)
    return {*data.heads[rows].tolist(), *data.tails[rows].tolist()}


@seeds
def test_entity_cold_pairs_have_one_entity_that_no_training_pair_has(make_toy: MakeToy, seed: int) -> None:
    toy = make_toy(seed, entities=60, comentioned=900, listed=240)
    shares = {"validation_share": 0.15, "test_share": 0.15}
    data = toy.assemble(dataclasses.replace(SETTINGS, split="entity-cold", seed=seed, **shares))
    trained = entities_of(data, Part.TRAINING)
    for part in (Part.VALIDATION, Part.TEST):
        rows = data.rows(part)
        assert len(rows) > 20
        held_out = [
            (head not in trained) + (tail not in trained)
            for head, tail in zip(data.heads[rows].tolist(), data.tails[rows].tolist(), strict=True)
        ]
        assert min(held_out) == 1
        assert np.mean(held_out) < 1.3  # the other one is an entity of training, if a training pair happens to name it
    assert not data.label_degrees()[list(entities_of(data, Part.TEST) - trained)].any()
    for part, other in ((Part.VALIDATION, Part.TEST), (Part.TEST, Part.VALIDATION)):
        elsewhere = trained | entities_of(data, other)
        assert all(pair - elsewhere for pair in keys_of(data, data.rows(part)))  # an entity of this part alone


@seeds
def test_both_cold_pairs_have_entities_of_their_part_alone(make_toy: MakeToy, seed: int) -> None:
    # Pairs of two entities of one part are few: with fewer entities a part can be left without a listed one.
    toy = make_toy(seed, entities=150, comentioned=6000, listed=1600)
    asked = dataclasses.replace(SETTINGS, split="both-cold", seed=seed, validation_share=0.12, test_share=0.12)
    data = toy.assemble(asked)
    sides = [entities_of(data, part) for part in Part]
    assert all(sides)
    assert not any(one & other for one, other in itertools.combinations(sides, 2))
    assert not data.covered(data.rows(Part.TEST)).any()


@pytest.mark.parametrize("split", ["entity-cold", "both-cold"])
def test_cold_splits_hold_out_about_the_share_that_was_asked_for(make_toy: MakeToy, split: Any) -> None:
    toy = make_toy(1, entities=150, comentioned=6000, listed=1600)
    shares = {"validation_share": 0.12, "test_share": 0.06}
    every = len(toy.assemble(dataclasses.replace(SETTINGS, split="warm")))
    data = toy.assemble(dataclasses.replace(SETTINGS, split=split, **shares))
    for part, share in zip((Part.VALIDATION, Part.TEST), shares.values(), strict=True):
        assert len(data.rows(part)) == pytest.approx(share * every, rel=0.2)


def test_half_of_the_pairs_can_just_be_cold(make_toy: MakeToy) -> None:
    toy = make_toy(1, entities=150, comentioned=6000, listed=1600)
    half = dataclasses.replace(SETTINGS, split="entity-cold", validation_share=0.25, test_share=0.25)
    assert all(len(toy.assemble(half).rows(part)) for part in Part)


@pytest.mark.parametrize(
    ("split", "share", "why"),
    [("entity-cold", 0.255, r"at most half of the pairs, not 0\.51"), ("both-cold", 0.3, "no entity for training"),
     ("both-cold", 0.25, "no entity for training")],
)  # fmt: skip
def test_shares_that_leave_no_entity_to_train_on_are_refused(
    make_toy: MakeToy, split: Any, share: float, why: str
) -> None:
    asked = dataclasses.replace(SETTINGS, split=split, validation_share=share, test_share=share)
    with pytest.raises(KgrelError, match=why):
        make_toy(0).assemble(asked)


def test_cold_splits_without_held_out_pairs_are_refused(make_toy: MakeToy) -> None:
    toy = make_toy(1, entities=60, comentioned=900, listed=240)
    listed = int(toy.assemble(SETTINGS).positive.sum())
    with pytest.raises(KgrelError, match=f"only {listed} listed pairs are there, too few"):
        toy.assemble(dataclasses.replace(SETTINGS, split="entity-cold", validation_share=0.0, test_share=0.0))


@pytest.mark.parametrize("seed", range(3))
def test_entities_with_and_without_a_label_are_split_apart_in_each_type(make_toy: MakeToy, seed: int) -> None:
    data = make_toy(seed, entities=150, comentioned=6000, listed=60).assemble(SETTINGS)
    groups = entity_groups(data, 0.4, 0.3, SETTINGS)
    listed = np.isin(np.arange(len(groups)), [*data.heads[data.positive], *data.tails[data.positive]])
    for kind, flag in itertools.product(range(3), (True, False)):
        own = groups[(data.type_rows == kind) & (listed == flag)]
        first, second = round(0.4 * len(own)), round(0.7 * len(own))
        assert 0 < first < second
        assert [int((own == part).sum()) for part in Part] == [len(own) - second, first, second - first]
