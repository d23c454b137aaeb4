"""Each kind of common noise is standard normal in every coordinate, and a function of seed and size."""

from __future__ import annotations

import pytest
import torch

from kgrel.model.noise import KINDS, NoiseKind, common_noise
from kgrel.model.presets import Dimensions

SMALL = Dimensions(hidden=4, embedding=4, u=5, z=7)


def points(kind: NoiseKind, samples: int, seed: int = 1) -> torch.Tensor:
    noise = common_noise(SMALL, samples, seed, kind)
    assert noise.u.shape == (1, samples, 5)
    assert noise.z.shape == (1, samples, 7)
    return torch.cat([noise.u[0], noise.z[0]], dim=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_mean_and_covariance_are_those_of_a_standard_normal(kind: NoiseKind) -> None:
    drawn = points(kind, 4096)
    assert drawn.mean(0).abs().max() < 0.08
    assert (drawn.T.cov() - torch.eye(12)).abs().max() < 0.12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [1, 7, 8])
def test_same_seed_same_points(kind: NoiseKind, samples: int) -> None:
    assert torch.equal(points(kind, samples), points(kind, samples))
    assert not torch.equal(points(kind, samples), points(kind, samples, seed=2))
    assert torch.isfinite(points(kind, samples)).all()


def test_antithetic_points_cancel() -> None:
    assert points("antithetic", 8).sum(0).abs().max() < 1e-5


def test_orthogonal_points_are_orthogonal_within_a_block() -> None:
    drawn = points("orthogonal", 8)
    products = drawn @ drawn.T
    assert (products - products.diagonal().diag()).abs().max() < 1e-4
