"""Two latent layers: a prior of u that starts as the paper's, a bound that is one, and no further noise."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.distributions import Normal

from kgrel.model.gaussian import Gaussian
from kgrel.model.hierarchy import LatentLayer
from kgrel.model.presets import SIZES, Dimensions, parameter_count
from kgrel.model.relvm import RELVM

DIMENSIONS = Dimensions(hidden=16, embedding=8, u=7, z=5, latents=2)


@pytest.fixture
def layer() -> LatentLayer:
    torch.manual_seed(0)
    layer = LatentLayer(DIMENSIONS)
    for head in (layer.mean, layer.log_var):  # a prior that is far from the one it starts as
        torch.nn.init.normal_(head.weight, std=0.5)
    return layer


def test_the_second_layer_starts_as_the_paper_s_prior() -> None:
    torch.manual_seed(0)
    noise = torch.randn(5_000, DIMENSIONS.u)
    assert torch.allclose(LatentLayer(DIMENSIONS).from_noise(noise), noise, atol=0.3)


@torch.no_grad()
def test_the_divergence_is_the_mean_of_log_q_over_p(layer: LatentLayer) -> None:
    torch.manual_seed(1)
    q = Gaussian(torch.randn(3, 7), 0.3 * torch.randn(3, 7) - 1)
    of_q = Normal(q.mean.unsqueeze(1), (0.5 * q.log_var.unsqueeze(1)).exp())
    u = of_q.sample((20_000,)).squeeze(2).transpose(0, 1)  # (3, S, 7)
    v, w = u[..., :3], u[..., 3:]
    p = layer(v)
    log_p = Normal(0.0, 1.0).log_prob(v).sum(-1) + Normal(p.mean, (0.5 * p.log_var).exp()).log_prob(w).sum(-1)
    wanted = (of_q.log_prob(u).sum(-1) - log_p).mean(1)
    assert torch.allclose(layer.kl(q, u), wanted, rtol=0.02)


@torch.no_grad()
def test_samples_follow_the_layer_s_own_density(layer: LatentLayer) -> None:
    torch.manual_seed(2)
    noise = torch.randn(1_000, 7)
    u = layer.from_noise(noise)
    p = layer(noise[:, :3])
    assert torch.equal(u[:, :3], noise[:, :3])
    assert torch.allclose((u[:, 3:] - p.mean) / (0.5 * p.log_var).exp(), noise[:, 3:], atol=1e-5)


@pytest.mark.parametrize("with_recogniser", [True, False])
def test_every_weight_of_the_layer_is_trained(with_recogniser: bool) -> None:
    torch.manual_seed(3)
    model = RELVM(DIMENSIONS, 4, 9, bag_of_words=True)
    noise = torch.randn(2, 3, 7), torch.randn(2, 3, 5)
    tokens = torch.tensor([[2, 3, 4], [5, 6, 0]])
    terms = model(torch.tensor([0, 1]), torch.tensor([2, 3]), tokens, *noise, with_recogniser=with_recogniser)
    (terms.elbo() + terms.bag).sum().backward()
    assert model.prior.latent_layer is not None
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.prior.latent_layer.parameters())


def test_parameters_are_counted() -> None:
    model = RELVM(dataclasses.replace(SIZES["tiny"], latents=2), 3, 4)
    tables = model.entity_embedding.weight.numel() + model.word_embedding.weight.numel()
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert parameter_count(model.dimensions) == trained - tables
