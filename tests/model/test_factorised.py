"""The factorised prior samples what the model's own prior samples, pair by pair, in any tile."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from kgrel.model.factorised import TILE, FactorisedPrior, padded_tiles
from kgrel.model.noise import common_noise
from kgrel.model.presets import Dimensions
from kgrel.model.relvm import PairPrior

DIMENSIONS = Dimensions(hidden=16, embedding=8, u=6, z=5)


@pytest.fixture(params=[1, 2], ids=["one latent layer", "two latent layers"])
def prior(request: pytest.FixtureRequest) -> PairPrior:
    torch.manual_seed(3)
    return PairPrior(dataclasses.replace(DIMENSIONS, latents=request.param), 20).eval()


@torch.inference_mode()
def test_samples_are_those_of_the_prior_in_both_orders(prior: PairPrior) -> None:
    noise = common_noise(DIMENSIONS, 3, seed=1)
    x, y = torch.tensor([0, 4, 7]), torch.tensor([9, 2, 19])
    factorised = FactorisedPrior(prior, noise)
    for pair, (first, second) in zip(factorised.pair_parts(x, y, "both"), ((x, y), (y, x)), strict=True):
        found = torch.stack([factorised.z(pair, sample) for sample in range(3)], dim=1)
        assert torch.allclose(found, prior.sample_pairs(first, second, noise.u, noise.z), atol=1e-5)


def test_tiles_cover_every_pair_once_and_are_padded_with_the_last() -> None:
    heads, tails = np.arange(TILE + 3), np.arange(TILE + 3) + 1
    tiles = list(padded_tiles(heads, tails, torch.device("cpu")))
    assert [(place.start, place.stop) for place, *_ in tiles] == [(0, TILE), (TILE, TILE + 3)]
    _, rows, x, y = tiles[1]
    assert len(rows) == len(x) == len(y) == TILE
    assert x[2:].unique().tolist() == [TILE + 2]
