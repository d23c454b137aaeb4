"""Coverage and degrees count training labels alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.train.pair_data import Part, lookup
from kgrel.train.settings import PairSettings

SETTINGS = PairSettings(batch_size=48, batch_negatives=32, negatives_per_positive=2.0)
MakeToy = Callable[..., Any]
seeds = settings(max_examples=8, deadline=None)(given(seed=st.integers(0, 2**32)))


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


@given(st.dictionaries(st.integers(0, 20), st.integers(1, 9), max_size=9), st.lists(st.integers(-3, 25)))
def test_lookup_is_a_dictionary_with_zero_as_default(table: dict[int, int], wanted: list[int]) -> None:
    keys = np.array(sorted(table), dtype=np.int64)
    counts = np.array([table[key] for key in sorted(table)], dtype=np.int64)
    found = lookup(keys, counts, np.array(wanted, dtype=np.int64))
    assert found.tolist() == [table.get(key, 0) for key in wanted]
