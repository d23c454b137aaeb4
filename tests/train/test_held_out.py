"""The signs of an ignored latent tell a model that uses z from one that cannot."""

from __future__ import annotations

import torch

from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM
from kgrel.train.held_out import Batch, bound, latent_use

PARTS = {"with_decoder": True, "with_recogniser": True}
COUNT, ENTITIES, WORDS = 120, 6, 12


def contexts() -> Batch:
    """Contexts whose words tell their pair: word 4 + x before word 4 + y."""
    x = torch.arange(COUNT) % ENTITIES
    y = (x + 1 + torch.arange(COUNT) // ENTITIES % (ENTITIES - 1)) % ENTITIES
    return x, y, torch.stack([4 + x, 4 + y, torch.full_like(x, 3)], dim=1)


def trained(steps: int) -> RELVM:
    torch.manual_seed(0)
    model = RELVM(SIZES["tiny"], ENTITIES, WORDS, bag_of_words=True)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 0.01)
    for step in range(steps):
        noise = torch.randn(COUNT, 1, 48, generator=torch.Generator().manual_seed(step))
        terms = model(*contexts(), noise[..., :16], noise[..., 16:])
        optimizer.zero_grad()
        (-terms.elbo() - terms.bag).mean().backward()
        optimizer.step()
    return model


def figures(model: RELVM) -> dict[str, float]:
    with torch.no_grad():
        return latent_use(model, iter([contexts()]), torch.Generator().manual_seed(1), PARTS)


def test_a_model_that_learned_its_pairs_gains_by_its_own_z() -> None:
    learned, fresh = figures(trained(150)), figures(trained(0))
    assert learned["z_gain"] > 0.5 > 0.1 > abs(fresh["z_gain"])
    assert learned["z_between"] > fresh["z_between"]
    assert 0 < learned["z_active_units"] <= 32


def test_a_prior_that_does_not_see_the_pair_shows_in_every_figure() -> None:
    model = trained(0)
    with torch.no_grad():
        model.prior.hidden1.weight[:, :96] = 0.0
    found = figures(model)
    assert found["z_active_units"] == 0
    assert found["z_between"] < 0.05


def test_a_collapsed_recogniser_has_no_active_units_and_no_information() -> None:
    model = trained(0)
    with torch.no_grad():
        for head in (model.recogniser.mean, model.recogniser.log_var):
            head.weight.zero_()
            head.bias.zero_()
    found = figures(model)
    assert found["u_active_units"] == 0
    assert abs(found["u_information"]) < 1e-6


def test_without_a_recogniser_nothing_is_said_of_u() -> None:
    with torch.no_grad():
        parts = PARTS | {"with_recogniser": False}
        found = latent_use(trained(0), iter([contexts()]), torch.Generator().manual_seed(1), parts)
    assert not [name for name in found if name.startswith("u_")]


def test_the_bound_is_the_mean_over_contexts_whatever_the_batches() -> None:
    model = trained(0)
    x, y, tokens = contexts()
    with torch.no_grad():
        apart = [(x[i : i + 50], y[i : i + 50], tokens[i : i + 50]) for i in (0, 50, 100)]
        found = bound(model, iter(apart), 1, torch.Generator().manual_seed(2), PARTS)
        whole = bound(model, iter([contexts()]), 1, torch.Generator().manual_seed(2), PARTS)
    assert found["elbo"] == found["log_likelihood"] - found["kl"]
    assert abs(found["elbo"] - whole["elbo"]) < 0.1  # the same up to the draw of the noise
    assert bound(model, iter(()), 1, torch.Generator(), PARTS) == {}
