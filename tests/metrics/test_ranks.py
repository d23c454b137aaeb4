"""Ranks are what a naive count gives, and no scorer can look good by ties, NaN or rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kgrel.metrics.ranks import KINDS, Ranks, filtered_ranks, joined, macro, ranking_figures

SCORES = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 7)), elements=st.sampled_from([-1.0, 0, 2]))


def naive(scores: Any, truth: Any, counted: Any) -> list[tuple[int, int, float, int]]:
    """Optimistic, pessimistic, realistic rank and candidates of each query."""
    found = []
    for row, right in enumerate(truth):
        others = [column for column in range(len(scores[row])) if column != right and counted[row][column]]
        better = sum(scores[row][column] > scores[row][right] for column in others)
        tied = sum(scores[row][column] == scores[row][right] for column in others)
        found.append((better + 1, better + tied + 1, better + 1 + tied / 2, len(others) + 1))
    return found


def as_tuples(ranks: Ranks) -> list[tuple[int, int, float, int]]:
    columns = (ranks.optimistic, ranks.pessimistic, ranks.realistic, ranks.candidates)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(SCORES, st.data())
def test_ranks_are_those_of_a_naive_count(scores: np.ndarray, data: Any) -> None:
    truth = data.draw(hnp.arrays(np.int64, len(scores), elements=st.integers(0, scores.shape[1] - 1)))
    counted = data.draw(hnp.arrays(np.bool_, scores.shape))
    assert as_tuples(filtered_ranks(scores, truth, counted)) == naive(scores, truth, counted)
    assert as_tuples(filtered_ranks(scores, truth)) == naive(scores, truth, np.ones_like(counted))


@given(SCORES, st.data())
def test_ranks_do_not_depend_on_the_order_of_candidates_nor_on_a_rising_function(scores: np.ndarray, data: Any) -> None:
    truth = np.zeros(len(scores), dtype=np.int64)
    order = np.array(data.draw(st.permutations(range(scores.shape[1]))))
    expected = as_tuples(filtered_ranks(scores, truth))
    moved = np.full(len(scores), int(np.flatnonzero(order == 0)[0]))
    assert as_tuples(filtered_ranks(scores[:, order], moved)) == expected
    assert as_tuples(filtered_ranks(np.exp(3 * scores) - 7, truth)) == expected


@given(SCORES)
def test_figures_are_those_of_a_naive_mean_and_lie_in_order(scores: np.ndarray) -> None:
    ranks = filtered_ranks(scores, np.zeros(len(scores), dtype=np.int64))
    figures = ranking_figures(ranks, hits_at=(1, 3))
    expected_rank = np.mean([(n + 1) / 2 for n in ranks.candidates])
    for kind, values in zip(KINDS, (ranks.optimistic, ranks.realistic, ranks.pessimistic), strict=True):
        assert figures[kind]["mrr"] == pytest.approx(np.mean([1 / rank for rank in values]))
        assert figures[kind]["hits@1"] == pytest.approx(np.mean([rank <= 1 for rank in values]))
        assert figures[kind]["adjusted_mean_rank"] == pytest.approx(np.mean(values) / expected_rank)
    assert figures["optimistic"]["mrr"] >= figures["realistic"]["mrr"] >= figures["pessimistic"]["mrr"] > 0
    assert figures["optimistic"]["mean_rank"] <= figures["pessimistic"]["mean_rank"]


@pytest.mark.parametrize("value", [0.0, -3.5, 7, np.finfo(np.float64).max])
def test_a_constant_scorer_is_as_good_as_chance_and_no_better(value: Any) -> None:
    figures = ranking_figures(filtered_ranks(np.full((5, 101), value), np.arange(5)))
    assert figures["optimistic"]["mrr"] == 1
    assert figures["pessimistic"]["mrr"] == pytest.approx(1 / 101)
    assert figures["realistic"]["mrr"] == pytest.approx(1 / 51)
    assert figures["realistic"]["adjusted_mean_rank"] == pytest.approx(1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_score_that_is_not_finite_is_refused_even_where_it_would_not_count(
    value: float, column: int, dtype: Any
) -> None:
    scores = np.zeros((1, 3), dtype)
    scores[0, column] = value
    with pytest.raises(ValueError, match="1 values that are NaN or infinite"):
        filtered_ranks(scores, [0], [[True, True, False]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, np.uint8, np.uint64])
def test_the_type_of_the_scores_does_not_matter(dtype: Any) -> None:
    scores = np.array([[3, 100, 3, 7], [0, 0, 0, 1]], dtype)
    assert as_tuples(filtered_ranks(scores, [0, 3])) == [(3, 4, 3.5, 4), (1, 1, 1.0, 4)]


def test_large_integers_are_not_rounded_together() -> None:
    scores = np.array([[2**60, 2**60 + 1, 2**60 - 1]])  # all the same as float64
    assert as_tuples(filtered_ranks(scores, [0])) == [(2, 2, 2.0, 3)]


def test_scores_that_half_precision_rounds_together_tie() -> None:
    exact = np.array([[2049.0, 2048.0, 2050.0, 1.0]])
    assert as_tuples(filtered_ranks(exact, [0])) == [(2, 2, 2.0, 4)]
    rounded = exact.astype(np.float16)  # 2049 becomes 2048
    assert as_tuples(filtered_ranks(rounded, [0])) == [(2, 3, 2.5, 4)]


def test_scores_that_differ_by_rounding_tie_where_a_tolerance_is_given() -> None:
    scores = np.array([[0.3, 0.1 + 0.2, 0.30001, 0.2]])
    assert as_tuples(filtered_ranks(scores, [0])) == [(3, 3, 3.0, 4)]
    assert as_tuples(filtered_ranks(scores, [0], tolerance=1e-9)) == [(2, 3, 2.5, 4)]
    assert as_tuples(filtered_ranks(-scores, [0], tolerance=1e-9)) == [(2, 3, 2.5, 4)]
    assert as_tuples(filtered_ranks([[100.0, 100.5, 99.5, 98.0]], [0], tolerance=0.01)) == [(1, 3, 2.0, 4)]
    limit = np.finfo(np.float64).max
    assert as_tuples(filtered_ranks([[limit, -limit]], [0], tolerance=0.5)) == [(1, 1, 1.0, 2)]


def test_one_candidate_is_ranked_first_and_no_better_than_chance() -> None:
    for scores, candidates in ([[-4.0]], None), ([[1.0, 9.0]], [[False, False]]):
        figures = ranking_figures(filtered_ranks(scores, [0], candidates))
        assert {figures[kind]["mrr"] for kind in KINDS} == {1.0}
        assert figures["realistic"]["adjusted_mean_rank"] == 1


def test_negative_scores_rank_like_others() -> None:
    assert as_tuples(filtered_ranks([[-5.0, -6.0, -4.0]], [0])) == [(2, 2, 2.0, 3)]


@pytest.mark.parametrize(
    ("scores", "truth", "candidates", "message"),
    [
        ([1.0, 2.0], [0], None, "scores must be numbers"),
        ([["a", "b"]], [0], None, "scores must be numbers"),
        ([[True, False]], [0], None, "scores must be numbers"),
        ([[1.0, 2.0]], [2], None, "truth must lie in 0..1"),
        ([[1.0, 2.0]], [-1], None, "truth must lie in 0..1"),
        ([[1.0, 2.0]], [0, 1], None, "truth has shape"),
        ([[1.0, 2.0]], [0], [[1, 0]], "candidates must be bool"),
        ([[1.0, 2.0]], [0], [[True]], "candidates has shape"),
    ],
)
def test_what_is_no_scores_is_refused(scores: Any, truth: Any, candidates: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        filtered_ranks(scores, truth, candidates)


def test_no_query_has_no_figures() -> None:
    with pytest.raises(ValueError, match=r"^there are no queries to rank$"):
        ranking_figures(filtered_ranks(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)))


def test_parts_are_joined_and_taken_in_order() -> None:
    scores = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [0.0, 0.0, 0.0]])
    whole = filtered_ranks(scores, [0, 0, 0])
    assert as_tuples(joined(filtered_ranks(scores[row : row + 1], [0]) for row in range(3))) == as_tuples(whole)
    assert as_tuples(whole.taken(np.array([2, 0]))) == [as_tuples(whole)[2], as_tuples(whole)[0]]


def test_macro_figures_give_each_group_the_same_weight() -> None:
    few, many = (ranking_figures(filtered_ranks(scores, [0] * len(scores))) for scores in ([[0, 1]], [[1, 0]] * 9))
    assert macro([few, many])["realistic"]["mrr"] == pytest.approx((0.5 + 1) / 2)
    assert macro([many]) == many
