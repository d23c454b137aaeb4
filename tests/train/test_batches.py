"""Batches and noise are functions of (seed, step) alone."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kgrel.train.batches import LengthBuckets, Rows, Stream, rng_of, torch_generator, torch_seed

SIZES = {"count": st.integers(1, 120), "batch_size": st.integers(1, 40), "pool": st.integers(1, 4)}


def buckets(count: int, batch_size: int, pool: int, seed: int = 0) -> LengthBuckets:
    """Batches of every other row of a store with random lengths."""
    rows = np.arange(0, 2 * count, 2)
    return LengthBuckets(rows, lengths_of(count)[rows], batch_size, seed, pool)


def lengths_of(count: int) -> NDArray[np.int32]:
    return np.random.default_rng(count).integers(3, 140, 2 * count).astype(np.int32)


def epoch(of: LengthBuckets, number: int) -> list[Rows]:
    first = number * of.batches_per_epoch
    return [of.batch(step) for step in range(first, first + of.batches_per_epoch)]


@given(**SIZES, number=st.integers(0, 5))
def test_every_row_comes_once_an_epoch(count: int, batch_size: int, pool: int, number: int) -> None:
    of = buckets(count, batch_size, pool)
    assert np.array_equal(np.sort(np.concatenate(epoch(of, number))), of.rows)


@given(**SIZES)
def test_all_batches_but_one_of_an_epoch_are_full(count: int, batch_size: int, pool: int) -> None:
    sizes = [len(batch) for batch in epoch(buckets(count, batch_size, pool), 0)]
    assert sorted(sizes)[1:] == [batch_size] * (len(sizes) - 1)
    assert 0 < min(sizes) <= batch_size


@given(**SIZES, steps=st.lists(st.integers(0, 400), min_size=1, max_size=8))
def test_a_batch_does_not_depend_on_what_was_asked_before(
    count: int, batch_size: int, pool: int, steps: list[int]
) -> None:
    asked_often = buckets(count, batch_size, pool)
    for step in steps:
        assert np.array_equal(asked_often.batch(step), buckets(count, batch_size, pool).batch(step))


@given(count=st.integers(2, 120), batch_size=st.integers(1, 40))
def test_batches_of_a_pool_do_not_overlap_in_length(count: int, batch_size: int) -> None:
    of = buckets(count, batch_size, pool=count)
    lengths = lengths_of(count)
    spans = sorted((lengths[batch].min(), lengths[batch].max()) for batch in epoch(of, 0))
    assert all(longest <= shortest for (_, longest), (shortest, _) in itertools.pairwise(spans))


def test_epochs_and_seeds_differ_in_order() -> None:
    orders = [np.concatenate(epoch(buckets(100, 10, 2, seed), n)).tolist() for seed in (0, 1) for n in (0, 1)]
    assert all(one != other for one, other in itertools.combinations(orders, 2))


def test_batches_do_not_come_in_order_of_length() -> None:
    means = [of_batch.mean() for of_batch in epoch(buckets(120, 4, 30), 0)]
    assert means != sorted(means)


def test_seed_stream_and_step_each_give_other_randomness() -> None:
    keys = list(itertools.product((0, 1, 2**40), Stream, (0, 1, 10_000)))
    assert len({torch_seed(*key) for key in keys}) == len(keys)
    assert len({rng_of(*key).integers(2**63) for key in keys}) == len(keys)


def test_streams_are_uncorrelated() -> None:
    draws = np.stack([rng_of(0, stream).standard_normal(5_000) for stream in Stream])
    noise = np.stack([torch.randn(5_000, generator=torch_generator(0, stream)).numpy() for stream in Stream])
    correlations = np.corrcoef(np.concatenate([draws, noise])) - np.eye(2 * len(Stream))
    assert np.abs(correlations).max() < 6 / np.sqrt(5_000)


def test_the_same_key_gives_the_same_randomness_again() -> None:
    one, other = (torch.randn(9, generator=torch_generator(3, Stream.NOISE, 7)) for _ in range(2))
    assert torch.equal(one, other)
    assert rng_of(3, Stream.SPLIT, 7).random() == rng_of(3, Stream.SPLIT, 7).random()
