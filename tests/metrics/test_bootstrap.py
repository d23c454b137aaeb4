"""Intervals are a function of the seed, hold the estimate, and know that pairs share entities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_fscore_support, roc_auc_score

from kgrel.metrics.bootstrap import (
    CLASSIFIED,
    RANKED,
    average_precision_statistic,
    classification_statistics,
    entity_weights,
    interval,
    mean_statistic,
    paired_difference,
    ranking_statistics,
    scalars,
    vector_interval,
)
from kgrel.metrics.classification import classification_report


def test_weights_are_whole_numbers_of_mean_one_and_follow_the_seed() -> None:
    heads, tails = np.arange(400) % 40, 40 + np.arange(400) // 20
    first, again, other = (np.array(list(entity_weights(heads, tails, 200, seed))) for seed in (1, 1, 2))
    assert first.shape == (200, 400)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(first, np.round(first))
    assert first.mean() == pytest.approx(1, abs=0.1)


def test_a_longer_run_begins_with_the_same_draws() -> None:
    heads, tails = np.array([0, 1, 2]), np.array([1, 2, 3])
    short = list(entity_weights(heads, tails, 3, 5))
    long = list(entity_weights(heads, tails, 6, 5))
    assert np.array_equal(short, long[:3])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30), st.booleans())
def test_pairs_of_the_same_entities_weigh_the_same(pairs: list[tuple[int, int]], one_pool: bool) -> None:
    heads, tails = np.array(pairs).T
    for weights in entity_weights(heads, tails, 5, 0, one_pool):
        by_pair: dict[frozenset[int] | tuple[int, int], float] = {}
        for pair, weight in zip(pairs, weights, strict=True):
            # In one pool the pair is unordered: (a, b) weighs what (b, a) weighs.
            assert by_pair.setdefault(frozenset(pair) if one_pool else pair, weight) == weight


def test_a_pair_without_one_of_its_entities_has_no_weight() -> None:
    heads, tails = np.array([0, 0, 1]), np.array([2, 3, 3])
    for weights in entity_weights(heads, tails, 50, 0):
        # 0-2 and 1-3 present means that all four entities are, so 0-3 is present too.
        assert not (weights[0] and weights[2]) or weights[1]


def test_interval_holds_the_estimate_and_follows_the_seed() -> None:
    random = np.random.default_rng(0)
    heads, tails = random.integers(50, size=500), 50 + random.integers(50, size=500)
    statistic = mean_statistic(random.random(500))
    first = interval(statistic, heads, tails, draws=300, seed=3)
    assert first.low < first.estimate < first.high
    assert first == interval(statistic, heads, tails, draws=300, seed=3)
    assert first != interval(statistic, heads, tails, draws=300, seed=4)
    narrow = interval(statistic, heads, tails, draws=300, seed=3, level=0.5)
    assert first.low < narrow.low < narrow.high < first.high


def test_without_shared_entities_it_is_root_three_as_wide_as_a_bootstrap_over_pairs() -> None:
    random = np.random.default_rng(1)
    pairs = 2000
    values = random.normal(size=pairs)
    found = interval(mean_statistic(values), np.arange(pairs), pairs + np.arange(pairs), draws=1000)
    means = [values[random.integers(pairs, size=pairs)].mean() for _ in range(1000)]
    ordinary = np.quantile(means, 0.975) - np.quantile(means, 0.025)
    assert (found.high - found.low) / ordinary == pytest.approx(np.sqrt(3), rel=0.15)


def test_coverage_where_entities_carry_the_variance() -> None:
    """Values are head effect + tail effect + noise; an ordinary bootstrap over pairs would cover far less."""
    random = np.random.default_rng(2)
    covered = ordinary = 0
    for trial in range(60):
        heads, tails = random.integers(40, size=400), 40 + random.integers(40, size=400)
        effect = random.normal(size=80)
        values = effect[heads] + effect[tails] + 0.3 * random.normal(size=400)
        found = interval(mean_statistic(values), heads, tails, draws=200, seed=trial)
        covered += found.low <= 0 <= found.high
        half = 1.96 * values.std() / np.sqrt(400)
        ordinary += abs(values.mean()) <= half
    assert covered >= 51
    assert ordinary < covered - 10


def test_paired_difference_sees_what_two_intervals_do_not() -> None:
    random = np.random.default_rng(4)
    heads, tails = random.integers(40, size=600), 40 + random.integers(40, size=600)
    values = random.normal(size=600)
    better, worse = mean_statistic(values + 0.05), mean_statistic(values)
    difference = paired_difference(better, worse, heads, tails, draws=200)
    assert difference.estimate == pytest.approx(0.05)
    assert difference.excludes_zero
    apart = [interval(statistic, heads, tails, draws=200) for statistic in (better, worse)]
    assert apart[0].low < apart[1].high
    assert not paired_difference(worse, worse, heads, tails, draws=20).excludes_zero


@st.composite
def weighted_predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    pairs = draw(st.integers(1, 20))

    def vector(values: st.SearchStrategy) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=pairs, max_size=pairs)))

    weights = vector(st.integers(0, 4)).astype(float)
    return (
        vector(st.integers(-1, 2)),
        vector(st.integers(-1, 2)),
        vector(st.sampled_from([0.1, 0.2, 0.9])),
        weights,
    )


Weighted = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@given(weighted_predictions())
def test_weighted_averages_are_scikit_learns_on_pairs_that_are_repeated_as_often(problem: Weighted) -> None:
    truth, predicted, _, weights = problem
    assume(weights.any())  # scikit-learn refuses an empty table
    statistics = classification_statistics(truth[:, None] == np.arange(3), predicted)
    repeated, made = (np.repeat(side, weights.astype(int)) for side in (truth, predicted))
    micro, macro = (
        precision_recall_fscore_support(repeated, made, labels=[0, 1, 2], average=kind, zero_division=0)
        for kind in ("micro", "macro")
    )
    assert statistics(weights) == pytest.approx([*micro[:3], macro[2]])


@given(weighted_predictions())
def test_weighted_averages_of_several_labels_are_those_of_the_report_on_repeated_pairs(problem: Weighted) -> None:
    truth, predicted, scores, weights = problem
    labels = (truth[:, None] == np.arange(3)) | (scores[:, None] == [0.1, 0.2, 0.5])
    times = weights.astype(int)
    report = classification_report(np.repeat(labels, times, axis=0), np.repeat(predicted, times))
    expected = [getattr(report, name) for name in CLASSIFIED]
    assert classification_statistics(labels, predicted)(weights) == pytest.approx(expected)


@given(weighted_predictions())
def test_weighted_rankings_are_scikit_learns_on_pairs_that_are_repeated_as_often(problem: Weighted) -> None:
    truth, _, scores, weights = problem
    related, times = truth >= 0, weights.astype(int)
    precision, area = ranking_statistics(related, scores)(weights)
    repeated, values = np.repeat(related, times), np.repeat(scores, times)
    if not repeated.any():
        assert np.isnan([precision, area]).all()
        return
    assert precision == pytest.approx(average_precision_score(repeated, values))
    if repeated.all():
        assert np.isnan(area)
    else:
        assert area == pytest.approx(roc_auc_score(repeated, values))


@given(weighted_predictions())
def test_a_figure_alone_is_the_one_among_others_and_none_where_it_is_undefined(problem: Weighted) -> None:
    truth, _, scores, weights = problem
    found = ranking_statistics(truth >= 0, scores)
    expected = [None if np.isnan(value) else value for value in found(weights).tolist()]
    assert [figure(weights) for figure in scalars(found, RANKED).values()] == expected
    assert average_precision_statistic(truth >= 0, scores)(weights) == expected[0]


def test_figures_that_are_drawn_together_have_the_intervals_that_each_has_alone() -> None:
    random = np.random.default_rng(6)
    heads, tails = random.integers(9, size=60), 9 + random.integers(9, size=60)
    statistics = ranking_statistics(random.random(60) < 0.2, random.random(60).round(1))
    together = vector_interval(statistics, heads, tails, draws=200, seed=2)
    alone = [interval(figure, heads, tails, draws=200, seed=2) for figure in scalars(statistics, RANKED).values()]
    assert together == alone


def test_a_figure_that_is_undefined_has_no_interval_and_the_others_have_theirs() -> None:
    statistics = ranking_statistics(np.array([True, True]), np.array([0.1, 0.2]))
    precision, area = vector_interval(statistics, np.array([0, 1]), np.array([2, 3]), draws=50)
    assert precision is not None
    assert (precision.estimate, area) == (1.0, None)


def test_undefined_draws_are_left_out_and_counted() -> None:
    labels = np.array([True, False, False, False])
    statistic = average_precision_statistic(labels, np.array([0.9, 0.1, 0.2, 0.3]))
    found = interval(statistic, np.arange(4), 4 + np.arange(4), draws=100)
    assert 0 < found.undefined < 100
    assert (found.low, found.high) == (1.0, 1.0)


def test_wrong_input_is_refused() -> None:
    heads, tails = np.array([0, 1]), np.array([2, 3])
    with pytest.raises(ValueError, match="no pairs"):
        entity_weights(heads[:0], tails[:0], 1, 0)
    with pytest.raises(ValueError, match=r"tails has shape \[1\]"):
        entity_weights(heads, tails[:1], 1, 0)
    with pytest.raises(ValueError, match="heads must lie in 0"):
        entity_weights(np.array([-1, 0]), tails, 1, 0)
    with pytest.raises(ValueError, match="draws must be at least 1"):
        entity_weights(heads, tails, 0, 0)
    with pytest.raises(ValueError, match="level"):
        interval(lambda weights: 1.0, heads, tails, level=95)
    with pytest.raises(ValueError, match="the statistic is nan"):
        interval(lambda weights: float("nan"), heads, tails)
    with pytest.raises(ValueError, match="the statistic is None"):
        interval(lambda weights: None, heads, tails)
    with pytest.raises(ValueError, match="NaN or infinite"):
        interval(lambda weights: 1.0 if weights.min() == 1 else float("inf"), heads, tails, draws=50)
    with pytest.raises(ValueError, match="undefined on every draw"):
        interval(lambda weights: 1.0 if weights.all() else None, np.arange(50), np.arange(50, 100), draws=5)


def test_a_weighted_mean_is_numpys_and_none_without_weight() -> None:
    values, weights = np.array([0.5, 2.0, -1.0]), np.array([2.0, 0.0, 1.0])
    assert mean_statistic(values)(weights) == np.average(values, weights=weights)
    assert mean_statistic(values)(np.zeros(3)) is None
    with pytest.raises(ValueError, match="values"):
        mean_statistic([0.5, np.nan])
