"""The counting baselines are what a naive loop over pairs gives."""

from __future__ import annotations

import math

import numpy as np

from kgrel.baselines.counts import co_occurrence, degree_product, degree_product_of, log_count
from kgrel.train.pair_data import PairData, Part


def training_labels(data: PairData, entity: int, class_: int) -> int:
    """Listed training pairs of a class that an entity stands in."""
    count = 0
    for row in range(len(data)):
        inside = entity in (data.heads[row], data.tails[row])
        count += inside and data.parts[row] == Part.TRAINING and bool(data.labels[row, class_])
    return count


def test_every_co_mentioned_pair_counts_as_related_and_no_other(data: PairData) -> None:
    rows = np.arange(len(data))[::-1]
    expected = [[1.0 if data.contexts[row] > 0 else 0.0] * 2 for row in rows]
    assert co_occurrence(data, rows).tolist() == expected
    assert {0.0, 1.0} == set(np.unique(expected))


def test_the_count_enters_by_its_logarithm(data: PairData) -> None:
    rows = np.arange(0, len(data), 3)
    expected = [[math.log(1 + data.contexts[row])] * 2 for row in rows]
    np.testing.assert_allclose(log_count(data, rows), expected, rtol=1e-15)


def test_degrees_are_counted_over_training_labels_by_class(data: PairData, test_rows: np.ndarray) -> None:
    entities = range(len(data.type_rows))
    degrees = [[training_labels(data, entity, class_) for class_ in range(2)] for entity in entities]
    expected = [
        [degrees[data.heads[row]][class_] * degrees[data.tails[row]][class_] for class_ in range(2)]
        for row in test_rows
    ]
    assert degree_product(data, test_rows).tolist() == expected
    assert np.count_nonzero(expected)


def test_degrees_of_any_pair_in_either_order(data: PairData, test_rows: np.ndarray) -> None:
    heads, tails = data.heads[test_rows], data.tails[test_rows]
    assert np.array_equal(degree_product_of(data, tails, heads), degree_product(data, test_rows))


def test_no_pair_gives_no_scores(data: PairData) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    for baseline in (co_occurrence, log_count, degree_product):
        assert baseline(data, nothing).shape == (0, 2)
