"""Pairs are labelled, split before training in the way that was asked for, and no held-out pair is trained on."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from kgrel.data.errors import KgrelError
from kgrel.train.leakage import refuse_shared_pairs
from kgrel.train.matching import Cells
from kgrel.train.pair_data import PairData, Part
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import PairBatches
from kgrel.train.settings import PairSettings, Split
from kgrel.train.splits import SplitInputs, assemble_pairs, labelled, require_parts, split_parts
from tests.train.conftest import keys_of

SETTINGS = PairSettings(batch_size=48, batch_negatives=32, negatives_per_positive=2.0)
ANY = dataclasses.replace(SETTINGS, pairs="any")
MakeToy = Callable[..., Any]
seeds = settings(max_examples=8, deadline=None)(given(seed=st.integers(0, 2**32)))


@seeds
@pytest.mark.parametrize("which", [SETTINGS, ANY])
def test_positives_and_no_relation_pairs_are_each_split_by_the_asked_shares(
    make_toy: MakeToy, which: PairSettings, seed: int
) -> None:
    asked = dataclasses.replace(which, validation_share=0.2, test_share=0.3, seed=seed)
    data = make_toy(seed).assemble(asked)
    for positive in (True, False):
        sizes = [len(data.rows(part, positive)) for part in Part]
        total = sum(sizes)
        assert sizes[1:] == [round(0.2 * total), round(0.3 * total)]
        assert total == (data.positive == positive).sum()


@seeds
@pytest.mark.parametrize("which", [SETTINGS, ANY])
def test_each_unordered_pair_stands_in_exactly_one_part(make_toy: MakeToy, which: PairSettings, seed: int) -> None:
    data = make_toy(seed).assemble(dataclasses.replace(which, seed=seed))
    parts = [keys_of(data, data.rows(part)) for part in Part]
    assert sum(map(len, parts)) == len(data)
    assert not any(one & other for one, other in itertools.combinations(parts, 2))
    assert (data.heads < data.tails).all()


@seeds
@pytest.mark.parametrize("which", [SETTINGS, ANY])
def test_no_batch_ever_holds_a_pair_of_validation_or_test(make_toy: MakeToy, which: PairSettings, seed: int) -> None:
    """Of either label, in either order; nor a self-pair, nor a listed pair as NO-RELATION (EVALUATION.md)."""
    toy = make_toy(seed)
    asked = dataclasses.replace(which, seed=seed)
    data = toy.assemble(asked)
    forbidden = keys_of(data, data.rows(Part.VALIDATION)) | keys_of(data, data.rows(Part.TEST))
    batches = PairBatches(data, asked)
    drawn = [batches.batch(step) for step in range(1, 40)]
    rows, heads, tails = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    pairs = [frozenset(pair) for pair in zip(heads.tolist(), tails.tolist(), strict=True)]
    assert not forbidden & set(pairs)
    assert all(len(pair) == 2 for pair in pairs)
    listed = {frozenset(pair) for pair in toy.listed}
    assert [pair in listed for pair in pairs] == data.positive[rows].tolist()
    assert pairs == [frozenset((data.heads[row], data.tails[row])) for row in rows.tolist()]
    assert len(set(rows)) > 0.9 * len(data.rows(Part.TRAINING))  # while nearly all of the training part is


def test_no_batch_of_the_small_world_holds_a_held_out_pair(pair_model: PairModel) -> None:
    data = pair_model.data
    forbidden = keys_of(data, data.parts != Part.TRAINING)
    batches = PairBatches(data, pair_model.settings)
    for step in range(1, 500):
        _, heads, tails = batches.batch(step)
        assert not forbidden & {frozenset(pair) for pair in zip(heads.tolist(), tails.tolist(), strict=True)}


@seeds
def test_co_mentioned_pairs_are_kept_where_a_class_is_possible(make_toy: MakeToy, seed: int) -> None:
    toy = make_toy(seed)
    data = toy.assemble(SETTINGS)
    types = toy.entities.types
    kinds = {tuple(sorted((types[h], types[t]))) for h, t in toy.listed}
    heads, tails, counts = toy.comentions
    expected = {
        frozenset((h, t)): c
        for h, t, c in zip(heads.tolist(), tails.tolist(), counts.tolist(), strict=True)
        if tuple(sorted((types[h], types[t]))) in kinds
    }
    assert keys_of(data) == expected.keys()
    pairs = zip(data.heads.tolist(), data.tails.tolist(), strict=True)
    assert [expected[frozenset(pair)] for pair in pairs] == data.contexts.tolist()
    assert data.possible(np.arange(len(data))).any(axis=1).all()


@seeds
@pytest.mark.parametrize("which", [SETTINGS, ANY])
def test_labels_are_the_listed_classes_all_of_them(make_toy: MakeToy, which: PairSettings, seed: int) -> None:
    toy = make_toy(seed)
    data = toy.assemble(which)
    r = toy.relations
    listed = set(zip(r.heads.tolist(), r.tails.tolist(), r.classes.tolist(), strict=True))
    labelled = {
        (data.heads[row], data.tails[row], class_) for row, class_ in zip(*np.nonzero(data.labels), strict=True)
    }
    present = keys_of(data)
    assert labelled == {triple for triple in listed if frozenset(triple[:2]) in present}
    assert not (data.labels & ~data.possible(np.arange(len(data)))).any()


@seeds
def test_with_any_pairs_every_listed_pair_is_there_with_its_text_count(make_toy: MakeToy, seed: int) -> None:
    toy = make_toy(seed)
    data = toy.assemble(ANY)
    assert {
        tuple(pair) for pair in zip(data.heads[data.positive], data.tails[data.positive], strict=True)
    } == toy.listed
    heads, tails, counts = toy.comentions
    contexts = {frozenset(pair): c for *pair, c in zip(heads.tolist(), tails.tolist(), counts.tolist(), strict=True)}
    pairs = zip(data.heads.tolist(), data.tails.tolist(), strict=True)
    assert [contexts.get(frozenset(pair), 0) for pair in pairs] == data.contexts.tolist()
    assert 0 < (data.contexts == 0).sum() < len(data)


@pytest.mark.parametrize("split", ["warm", "entity-cold", "both-cold"])
@pytest.mark.parametrize("seed", range(4))
def test_with_both_held_out_pairs_stay_and_training_gains_pairs_that_are_never_mentioned(
    make_toy: MakeToy, split: Split, seed: int
) -> None:
    toy = make_toy(seed, entities=80, comentioned=900, listed=300)
    own = dataclasses.replace(SETTINGS, split=split, seed=seed)
    before, after = (toy.assemble(dataclasses.replace(own, pairs=pairs)) for pairs in ("co-mentioned", "both"))
    for part in Part:
        assert keys_of(before, before.rows(part)) <= keys_of(after, after.rows(part))
    for part in (Part.VALIDATION, Part.TEST):
        one, other = before.rows(part), after.rows(part)
        assert keys_of(before, one) == keys_of(after, other)
        assert np.array_equal(before.labels[one], after.labels[other])
    gained = keys_of(after) - keys_of(before)
    mentioned = {frozenset(pair) for pair in zip(*(side.tolist() for side in toy.comentions[:2]), strict=True)}
    assert gained
    assert not gained & mentioned
    listed = {frozenset(pair) for pair in toy.listed}
    if split.endswith("cold"):
        assert cold_entities(before) == cold_entities(after)
    else:
        assert gained & listed == listed - mentioned
    assert keys_of(after, after.positive) <= listed
    assert not keys_of(after, ~after.positive) & listed


def cold_entities(data: PairData) -> set[int]:
    """Those of held-out pairs that no training pair has."""
    every, trained = ({e for pair in keys_of(data, rows) for e in pair} for rows in (slice(None), data.parts == 0))
    return every - trained


def test_the_split_depends_on_the_seed(make_toy: MakeToy) -> None:
    toy = make_toy(0)
    one, same, other = (toy.assemble(dataclasses.replace(SETTINGS, seed=seed)).parts for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_without_a_test_share_there_is_no_test_part(make_toy: MakeToy) -> None:
    data = make_toy(0).assemble(dataclasses.replace(SETTINGS, test_share=0.0))
    assert len(data.rows(Part.TEST)) == 0


@pytest.mark.parametrize(
    ("positives", "others", "name"), [(4, 100, "4 listed"), (0, 100, "0 listed"), (100, 3, "3 NO-RELATION")]
)
def test_too_few_pairs_to_split_are_refused(positives: int, others: int, name: str) -> None:
    with pytest.raises(KgrelError, match=f"only {name} pairs are there, too few to split"):
        split_parts(np.arange(positives + others) < positives, SETTINGS)


@pytest.mark.parametrize(
    ("sizes", "share", "enough"),
    [((1, 1, 1), 0.1, True), ((0, 1, 1), 0.1, False), ((1, 0, 1), 0.1, False), ((1, 1, 0), 0.1, False),
     ((1, 1, 0), 0.0, True), ((1, 0, 0), 0.0, False)],
)  # fmt: skip
@pytest.mark.parametrize("positive", [True, False])
def test_a_part_that_was_asked_for_is_never_empty(
    make_toy: MakeToy, sizes: tuple[int, ...], share: float, enough: bool, positive: bool
) -> None:
    data, parts = make_toy(0).assemble(SETTINGS), np.repeat(list(Part), sizes)
    others = np.flatnonzero(data.positive != positive)[:3]
    rows = np.concatenate([np.flatnonzero(data.positive == positive)[: len(parts)], others])
    few = PairData(
        data.classes, data.type_rows, data.heads[rows], data.tails[rows], data.labels[rows],
        np.concatenate([parts, np.arange(3)]).astype(np.int8), data.contexts[rows],
    )  # fmt: skip
    asked = dataclasses.replace(SETTINGS, test_share=share)
    if enough:
        require_parts(few, asked)
    else:
        name = f"only {sum(sizes)} {'listed' if positive else 'NO-RELATION'} pairs"
        with pytest.raises(KgrelError, match=name):
            require_parts(few, asked)


def test_pairs_that_leave_none_to_train_on_are_refused() -> None:
    shares = dataclasses.replace(SETTINGS, validation_share=0.3, test_share=0.3)
    with pytest.raises(KgrelError, match="only 2 listed pairs"):
        split_parts(np.arange(102) < 2, shares)


def test_relations_without_any_co_mentioned_pair_are_refused(make_toy: MakeToy) -> None:
    toy = make_toy(0)
    nothing = tuple(np.zeros(0, dtype=np.int64) for _ in range(3))
    with pytest.raises(KgrelError, match="only 0 listed pairs"):
        toy._replace(comentions=nothing).assemble(SETTINGS)


def split_of(make_toy: MakeToy, split: Any, seed: int, **changes: Any) -> tuple[Any, PairData]:
    """A toy with many pairs, and the split of them."""
    toy = make_toy(seed, entities=60, comentioned=900, listed=240)
    asked = dataclasses.replace(SETTINGS, split=split, seed=seed, validation_share=0.15, test_share=0.15, **changes)
    return toy, toy.assemble(asked)


@pytest.mark.parametrize("pairs", ["co-mentioned", "both"])
@seeds
def test_degree_matched_pairs_are_those_of_warm_like_a_listed_one(
    make_toy: MakeToy, seed: int, pairs: Literal["co-mentioned", "both"]
) -> None:
    _, warm = split_of(make_toy, "warm", seed, pairs=pairs)
    _, data = split_of(make_toy, "degree-matched", seed, pairs=pairs)
    assert keys_of(data, data.rows(Part.TRAINING)) == keys_of(warm, warm.rows(Part.TRAINING))
    cells = Cells.of(data.classes, data.type_rows, data.label_degrees())
    for part in (Part.VALIDATION, Part.TEST):
        assert keys_of(data, data.rows(part, True)) == keys_of(warm, warm.rows(part, True))
        others = keys_of(data, data.rows(part, False))
        assert others < keys_of(warm, warm.rows(part, False))
        wanted = set(cells.of_pairs(*labelled(data, data.rows(part, True))).tolist())
        for row in data.rows(part, False).tolist():
            pair = data.heads[row : row + 1].repeat(3), data.tails[row : row + 1].repeat(3)
            assert wanted & set(cells.of_pairs(*pair, np.arange(3)).tolist())


@pytest.mark.parametrize("seed", range(3))
def test_of_many_no_relation_pairs_twenty_stay_for_each_listed_one_like_them(make_toy: MakeToy, seed: int) -> None:
    toy = make_toy(seed, entities=150, comentioned=6000, listed=60)
    warm, data = (
        toy.assemble(dataclasses.replace(SETTINGS, split=split, seed=seed)) for split in ("warm", "degree-matched")
    )
    cells = Cells.of(data.classes, data.type_rows, data.label_degrees())
    for part in (Part.VALIDATION, Part.TEST):
        assert keys_of(data, data.rows(part, True)) == keys_of(warm, warm.rows(part, True))
        enough = 0
        for cell, asked in Counter(cells.of_pairs(*labelled(data, data.rows(part, True))).tolist()).items():
            stay, were = (
                int((cells.of_pairs(*sides, np.full(len(sides[0]), cell // cells.span**2)) == cell).sum())
                for sides in ((d.heads[d.rows(part, False)], d.tails[d.rows(part, False)]) for d in (data, warm))
            )
            assert stay >= min(20 * asked, were)
            enough += were > 40 * asked
        assert enough  # or nothing had to be chosen


@pytest.mark.parametrize("pairs", ["co-mentioned", "both"])
@seeds
def test_unseen_pairs_are_never_co_mentioned_and_drawn_like_the_listed_ones(
    make_toy: MakeToy, seed: int, pairs: Literal["co-mentioned", "both"]
) -> None:
    try:
        toy, data = split_of(make_toy, "unseen", seed, held_out_positives=9, pairs=pairs)
    except KgrelError as error:
        if "NO-RELATION pairs are there, too few" not in str(error):
            raise
        reject()  # nothing in so small a world is like the few listed pairs of a part, which is refused as it should be
    together = {frozenset(pair) for pair in zip(*(side.tolist() for side in toy.comentions[:2]), strict=True)}
    listed = {frozenset(pair) for pair in toy.listed}
    trained = keys_of(data, data.rows(Part.TRAINING))
    assert trained <= together if pairs == "co-mentioned" else listed - keys_of(data, data.parts > 0) <= trained
    cells, taken = Cells.of(data.classes, data.type_rows, data.label_degrees()), set[frozenset[int]]()
    for part in (Part.VALIDATION, Part.TEST):
        positives, others = (keys_of(data, data.rows(part, value)) for value in (True, False))
        assert 1 <= len(positives) <= 9
        assert positives <= listed - together
        assert not others & (listed | together | trained)
        assert not positives & trained
        assert not data.contexts[data.rows(part)].any()
        wanted = cells.of_pairs(*labelled(data, data.rows(part, True))).tolist()
        rows = data.rows(part, False)
        found = [cells.of_pairs(data.heads[rows], data.tails[rows], np.full(len(rows), n)) for n in range(3)]
        assert all(set(pair) & set(wanted) for pair in zip(*(cell.tolist() for cell in found), strict=True))
        taken |= listed | together | trained | positives | others
        left = np.array([pair for pair in combinations(range(len(data.type_rows)), 2) if frozenset(pair) not in taken])
        for cell, asked in Counter(wanted).items():
            drawn = sum((some == cell).sum() for some in found)
            more = any((cells.of_pairs(*left.T, np.full(len(left), n)) == cell).any() for n in range(3) if len(left))
            assert drawn >= 100 * asked or not more  # 100 for each listed pair, or all that there are


def test_one_unseen_pair_in_each_part_is_enough(make_toy: MakeToy) -> None:
    _, data = split_of(make_toy, "unseen", 0, held_out_positives=1)
    assert [len(data.rows(part, True)) for part in (Part.VALIDATION, Part.TEST)] == [1, 1]


@pytest.mark.parametrize("split", get_args(Split))
def test_every_split_depends_on_its_seed_alone_and_holds_each_pair_once(make_toy: MakeToy, split: Any) -> None:
    toy = make_toy(1, entities=60, comentioned=900, listed=240)
    inputs, changes = SplitInputs(), {}
    if split == "date":
        inputs, changes = SplitInputs(first_dates=np.arange(len(toy.comentions[0]))), {"dates": "given"}
    if split == "removed":
        inputs = removed_inputs(toy)
        toy = toy._replace(comentions=tuple(side[80:] for side in toy.comentions))

    if split == "given":
        heads, tails, _ = toy.comentions
        inputs = SplitInputs(given=(heads, tails, np.arange(len(heads)) % 3))

    def assembled(seed: int, of_split: int | None = None) -> PairData:
        asked = dataclasses.replace(SETTINGS, split=split, seed=seed, split_seed=of_split, **changes)
        return assemble_pairs(toy.entities, toy.comentions, toy.relations, asked, inputs)

    one, same, other = assembled(0), assembled(7, of_split=0), assembled(1)
    refuse_shared_pairs(one.heads, one.tails, one.parts)
    assert (one.heads < one.tails).all()
    assert all(np.array_equal(getattr(one, name), getattr(same, name)) for name in ("heads", "tails", "parts"))
    if split not in ("date", "removed", "given"):  # which leave nothing to chance
        assert (one.heads.tolist(), one.parts.tolist()) != (other.heads.tolist(), other.parts.tolist())


def removed_inputs(toy: Any) -> SplitInputs:
    """The first 80 co-mentioned pairs as held out, validation and test in turn."""
    heads, tails, _ = toy.comentions
    return SplitInputs(held_out=(heads[:80], tails[:80], 1 + np.arange(80) % 2))


def test_removed_pairs_validate_and_test_and_all_others_train(make_toy: MakeToy) -> None:
    toy = make_toy(1, entities=60, comentioned=900, listed=240)
    inputs, left = removed_inputs(toy), tuple(side[80:] for side in toy.comentions)
    asked = dataclasses.replace(SETTINGS, split="removed")
    data = assemble_pairs(toy.entities, left, toy.relations, asked, inputs)
    heads, tails, parts = inputs.held_out or ()
    for part in (Part.VALIDATION, Part.TEST):
        expected = {
            frozenset(pair) for pair in zip(heads[parts == part].tolist(), tails[parts == part].tolist(), strict=True)
        }
        assert keys_of(data, data.rows(part)) == expected
    assert not data.contexts[data.parts != Part.TRAINING].any()
    with pytest.raises(KgrelError, match="80 held-out pairs have contexts in the corpus"):
        assemble_pairs(toy.entities, toy.comentions, toy.relations, asked, inputs)
    with pytest.raises(KgrelError, match="needs a corpus of kgrel hold-out-pairs"):
        toy.assemble(asked)


def test_a_given_split_is_taken_as_it_is(make_toy: MakeToy) -> None:
    """Pairs that no sentence names among them, and in any order."""
    toy = make_toy(1, entities=60, comentioned=900, listed=240)
    asked = dataclasses.replace(SETTINGS, split="given")
    rng = np.random.default_rng(0)
    heads, tails = np.triu_indices(60, 1)
    chosen = rng.permutation(len(heads))[:600]
    heads, tails, parts = heads[chosen], tails[chosen], rng.integers(0, 3, 600)
    data = assemble_pairs(toy.entities, toy.comentions, toy.relations, asked, SplitInputs(given=(tails, heads, parts)))
    possible = data.classes.possible(data.type_rows, heads, tails).any(axis=1)
    for part in Part:
        inside = (parts == part) & possible
        expected = {frozenset(p) for p in zip(heads[inside].tolist(), tails[inside].tolist(), strict=True)}
        assert keys_of(data, data.rows(part)) == expected
    with pytest.raises(KgrelError, match="this one brings none"):
        toy.assemble(asked)
    with pytest.raises(KgrelError, match="leave out --pairs both"):
        dataclasses.replace(asked, pairs="both")


def test_splits_that_leave_nothing_to_train_on_are_refused(make_toy: MakeToy) -> None:
    toy = make_toy(0)
    asked = dataclasses.replace(SETTINGS, split="date", dates="given")
    undated = SplitInputs(first_dates=np.full(len(toy.comentions[0]), -1))
    with pytest.raises(KgrelError, match="no document of the corpus has a date"):
        assemble_pairs(toy.entities, toy.comentions, toy.relations, asked, undated)
    everything = toy_where_all_is_mentioned(make_toy)
    with pytest.raises(KgrelError, match="only 0 listed pairs have no common context"):
        everything.assemble(dataclasses.replace(SETTINGS, split="unseen"))


def toy_where_all_is_mentioned(make_toy: MakeToy) -> Any:
    """Every pair of entities is co-mentioned."""
    return make_toy(0, comentioned=36 * 35 // 2)
