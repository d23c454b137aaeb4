"""Pairs are labelled, split before training, and no held-out pair is ever trained on."""

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
from kgrel.train.pair_data import PairData, Part, class_table, lookup, random_negatives, split_parts, type_rows_of
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import PairBatches
from kgrel.train.settings import PairSettings

SETTINGS = PairSettings(batch_size=48, batch_negatives=32, negatives_per_positive=2.0)
ANY = dataclasses.replace(SETTINGS, pairs="any")
MakeToy = Callable[..., Any]
seeds = settings(max_examples=8, deadline=None)(given(seed=st.integers(0, 2**32)))


def keys_of(data: PairData, chosen: Any = slice(None)) -> set[frozenset[int]]:
    """Pairs without their order."""
    return {frozenset(pair) for pair in zip(data.heads[chosen].tolist(), data.tails[chosen].tolist(), strict=True)}


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


def negatives(toy: Any, per_positive: float, seed: int = 0) -> list[tuple[int, int]]:
    """Random NO-RELATION pairs of a toy."""
    asked = dataclasses.replace(ANY, negatives_per_positive=per_positive, seed=seed)
    types, type_rows = type_rows_of(toy.entities)
    size, classes = len(toy.entities), class_table(toy.relations, types, type_rows)
    listed = toy.relations.heads * size + toy.relations.tails
    keys = random_negatives(type_rows, classes, listed, toy.relations, asked)
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


@seeds
def test_covered_is_what_a_plain_loop_finds(make_toy: MakeToy, seed: int) -> None:
    data = make_toy(seed).assemble(dataclasses.replace(SETTINGS, validation_share=0.3, test_share=0.3, seed=seed))
    labelled: dict[int, set[int]] = {}
    for row in data.rows(Part.TRAINING):
        for class_ in np.flatnonzero(data.labels[row]):
            labelled.setdefault(data.heads[row], set()).add(class_)
            labelled.setdefault(data.tails[row], set()).add(class_)
    rows = np.random.default_rng(seed).permutation(len(data))
    possible = data.possible(rows)
    expected = [
        bool(
            labelled.get(data.heads[row], set())
            & labelled.get(data.tails[row], set())
            & set(np.flatnonzero(possible[place]))
        )
        for place, row in enumerate(rows)
    ]
    assert data.covered(rows).tolist() == expected


@seeds
def test_label_degrees_count_training_labels_alone(make_toy: MakeToy, seed: int) -> None:
    data = make_toy(seed).assemble(dataclasses.replace(SETTINGS, seed=seed))
    degrees = np.zeros((len(data.type_rows), 3), dtype=int)
    for row in data.rows(Part.TRAINING):
        degrees[data.heads[row]] += data.labels[row]
        degrees[data.tails[row]] += data.labels[row]
    assert np.array_equal(data.label_degrees(), degrees)
    held_out = data.parts != Part.TRAINING
    flipped = dataclasses.replace(data, labels=np.where(held_out[:, None], ~data.labels, data.labels))
    assert np.array_equal(flipped.label_degrees(), degrees)


def test_what_is_possible_does_not_depend_on_the_order(make_toy: MakeToy) -> None:
    toy = make_toy(3)
    data = toy.assemble(SETTINGS)
    heads, tails = (side.ravel() for side in np.indices((36, 36)))
    one, other = (
        data.classes.possible(data.type_rows, *sides) for sides in ((heads, tails), (tails, heads))
    )  # fmt: skip
    assert np.array_equal(one, other)
    types = toy.entities.types
    triples = zip(toy.relations.heads, toy.relations.tails, toy.relations.classes, strict=True)
    listed = {(frozenset((types[head], types[tail])), class_) for head, tail, class_ in triples}
    for head, tail, flags in zip(heads, tails, one, strict=True):
        expected = [(frozenset((types[head], types[tail])), class_) in listed for class_ in range(3)]
        assert flags.tolist() == expected


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


def test_relations_without_any_co_mentioned_pair_are_refused(make_toy: MakeToy) -> None:
    toy = make_toy(0)
    nothing = tuple(np.zeros(0, dtype=np.int64) for _ in range(3))
    with pytest.raises(KgrelError, match="only 0 listed pairs"):
        toy._replace(comentions=nothing).assemble(SETTINGS)


@given(st.dictionaries(st.integers(0, 20), st.integers(1, 9), max_size=9), st.lists(st.integers(-3, 25)))
def test_lookup_is_a_dictionary_with_zero_as_default(table: dict[int, int], wanted: list[int]) -> None:
    keys = np.array(sorted(table), dtype=np.int64)
    counts = np.array([table[key] for key in sorted(table)], dtype=np.int64)
    found = lookup(keys, counts, np.array(wanted, dtype=np.int64))
    assert found.tolist() == [table.get(key, 0) for key in wanted]
