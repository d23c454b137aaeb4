"""Divergences of diagonal Gaussians are those of torch's distributions."""

from __future__ import annotations

import torch
from torch.distributions import Normal, kl_divergence

from kgrel.model.gaussian import Gaussian


def random_gaussian(seed: int) -> Gaussian:
    generator = torch.Generator().manual_seed(seed)
    return Gaussian(*(torch.randn(4, 6, generator=generator) for _ in range(2)))


def as_normal(gaussian: Gaussian) -> Normal:
    return Normal(gaussian.mean, (0.5 * gaussian.log_var).exp())


def test_the_divergence_is_the_closed_one() -> None:
    p, q = random_gaussian(0), random_gaussian(1)
    assert torch.allclose(p.kl_to(q), kl_divergence(as_normal(p), as_normal(q)).sum(-1), atol=1e-5)
    standard = Gaussian(torch.zeros(4, 6), torch.zeros(4, 6))
    assert torch.allclose(p.kl_to(standard), p.kl_to_standard(), atol=1e-5)
    assert torch.allclose(p.kl_to(p), torch.zeros(4))


def test_the_parts_of_a_split_make_the_whole() -> None:
    p, q = random_gaussian(0), random_gaussian(1)
    parts = [of_p.kl_to(of_q) for of_p, of_q in zip(p.split(2), q.split(2), strict=True)]
    assert [part.mean.shape[-1] for part in p.split(2)] == [2, 4]
    assert torch.allclose(sum(parts, torch.zeros(4)), p.kl_to(q), atol=1e-5)
