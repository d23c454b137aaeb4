"""Active units count what varies; mutual information is that of Gaussians where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from kgrel.metrics.latents import ACTIVE, active_units, mutual_information


def test_units_that_vary_are_active() -> None:
    means = np.random.default_rng(0).normal(size=(500, 6)) * [0.0, 0.01, 0.05, 0.2, 1.0, 3.0]
    assert active_units(means) == sum(scale**2 > ACTIVE for scale in (0.0, 0.01, 0.05, 0.2, 1.0, 3.0)) == 3
    assert active_units(means + 7.0) == 3
    assert active_units(np.empty((0, 4))) == 0


def information(means: np.ndarray, log_var: float, seed: int = 1) -> float:
    noise = np.random.default_rng(seed).normal(size=means.shape)
    log_vars = np.full(means.shape, log_var)
    return mutual_information(means, log_vars, means + np.exp(0.5 * log_var) * noise)


def test_a_collapsed_posterior_tells_nothing() -> None:
    assert information(np.zeros((200, 5)), 0.0) == pytest.approx(0.0, abs=1e-9)


def test_posteriors_that_never_overlap_tell_which_datum_it_is() -> None:
    means = 100.0 * np.arange(200.0).reshape(-1, 1)
    assert information(means, 0.0) == pytest.approx(np.log(200))


def test_it_is_that_of_a_gaussian_channel() -> None:
    """Means N(0, σ²) seen through N(0, 1) noise: ½ log(1 + σ²) a unit."""
    means = 1.5 * np.random.default_rng(3).normal(size=(4_000, 2))
    assert information(means, 0.0) == pytest.approx(np.log(1 + 1.5**2), rel=0.05)


@pytest.mark.parametrize("wrong", [np.full((3, 2), np.nan), np.zeros((3, 3)), np.zeros(3)])
def test_what_is_not_finite_or_not_of_one_shape_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="log_vars"):
        mutual_information(np.zeros((3, 2)), wrong, np.zeros((3, 2)))
