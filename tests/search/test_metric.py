"""Similarities of vectors and of sets say what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from kgrel.search.metric import prepared, set_similarity, similarities, sliced_wasserstein

RNG = np.random.default_rng(5)


def test_vectors_of_the_cosine_have_unit_length_and_zero_stays() -> None:
    found = prepared(np.array([[3.0, 4.0], [0.0, 0.0]], np.float16), "cosine")
    assert found.tolist() == [pytest.approx([0.6, 0.8]), [0.0, 0.0]]
    assert prepared(np.array([[3.0, 4.0]]), "l2").tolist() == [[3.0, 4.0]]


def test_l2_is_minus_the_squared_distance() -> None:
    a, b = RNG.standard_normal((3, 5)).astype(np.float32), RNG.standard_normal((4, 5)).astype(np.float32)
    expected = -((a[:, None] - b[None]) ** 2).sum(-1)
    assert similarities(a, b, "l2") == pytest.approx(expected, abs=1e-5)
    assert similarities(a, b, "inner-product") == pytest.approx(a @ b.T, abs=1e-6)


def test_best_and_mean_are_over_all_pairs_of_samples() -> None:
    query, sets = RNG.standard_normal((3, 6)).astype(np.float32), RNG.standard_normal((2, 4, 6)).astype(np.float32)
    all_pairs = np.einsum("qz,nsz->nqs", query, sets).reshape(2, -1)
    assert set_similarity("best", "inner-product", 6, 0)(query, sets) == pytest.approx(all_pairs.max(1), abs=1e-5)
    assert set_similarity("mean", "inner-product", 6, 0)(query, sets) == pytest.approx(all_pairs.mean(1), abs=1e-5)


def test_sliced_wasserstein_ignores_the_order_of_samples_and_sees_their_spread() -> None:
    query = RNG.standard_normal((4, 6)).astype(np.float32)
    mean = query.mean(axis=0, keepdims=True)
    sets = np.stack([query[[2, 0, 3, 1]], np.repeat(mean, 4, axis=0), query + 1])
    found = set_similarity("sliced-wasserstein", "l2", 6, 0)(query, sets)
    assert found[0] == pytest.approx(0.0, abs=1e-6)
    assert (found[1:] < -0.01).all()


@pytest.mark.parametrize("sizes", [(4, 4), (2, 6), (1, 3)])
def test_along_one_direction_it_is_the_transport_of_scipy(sizes: tuple[int, int]) -> None:
    """On a line shifted by a constant the squared distance is the square of the plain one."""
    line = RNG.standard_normal((sizes[0], 1)).astype(np.float32)
    other = np.repeat(line, sizes[1] // sizes[0], axis=0) + np.float32(2.0)
    found = sliced_wasserstein(line, other[None], np.ones((1, 1), np.float32))
    assert found[0] == pytest.approx(-(wasserstein_distance(line[:, 0], other[:, 0]) ** 2), rel=1e-5)
