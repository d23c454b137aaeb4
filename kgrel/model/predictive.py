"""The posterior predictive p(r|x,y) = E over u, z of p(r|z): a mean of probabilities over samples of z.

The noise is common to all pairs and pairs are computed in padded tiles of a fixed size, so that a score is a
function of the pair, the weights, the seed and the settings, and of nothing else.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kgrel.model.classifier import RelationClassifier
from kgrel.model.presets import Dimensions
from kgrel.model.relvm import PairPrior

TILE = 256
"""Pairs computed together; the last tile of a list is padded to it."""


class CommonNoise(NamedTuple):
    """Noise shared by all pairs: u (1, S, U) and z (1, S, Z)."""

    u: Tensor
    z: Tensor


def common_noise(dimensions: Dimensions, samples: int, seed: int) -> CommonNoise:
    """Standard normal noise drawn on the CPU, so that every device sees the same."""
    generator = torch.Generator().manual_seed(seed)
    u = torch.randn(1, samples, dimensions.u, generator=generator)
    return CommonNoise(u, torch.randn(1, samples, dimensions.z, generator=generator))


@torch.no_grad()
def posterior_predictive(
    prior: PairPrior,
    classifier: RelationClassifier,
    heads: npt.NDArray[np.int64],
    tails: npt.NDArray[np.int64],
    possible: npt.NDArray[np.bool_],
    noise: CommonNoise,
    order: Literal["both", "given"] = "both",
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation over samples of p(r|z).

    Args:
        heads, tails: entity rows (n,).
        possible: which classes the pair's types allow (n, C), NO-RELATION (column 0) always among them.
        order: ``both`` averages over (x, y) and (y, x), so that the score is the same for both.

    Returns:
        p̄ (n, C), rows sum to one, and the standard deviation over samples and orders (n, C).
    """
    device = prior.entity_embedding.weight.device
    noise = CommonNoise(noise.u.to(device), noise.z.to(device))
    count, classes = possible.shape
    mean, std = np.empty((count, classes)), np.empty((count, classes))
    if order == "both":
        heads, tails = np.minimum(heads, tails), np.maximum(heads, tails)
    for start in range(0, count, TILE):
        size = min(TILE, count - start)
        rows = np.minimum(np.arange(start, start + TILE), count - 1)  # the last pair fills the tile
        x, y = (torch.from_numpy(side[rows]).to(device) for side in (heads, tails))
        mask = torch.from_numpy(possible[rows]).unsqueeze(1).to(device)
        p = classifier(prior.sample_pairs(x, y, noise.u, noise.z), mask).exp()  # (tile, S, C)
        if order == "both":
            p = torch.cat([p, classifier(prior.sample_pairs(y, x, noise.u, noise.z), mask).exp()], dim=1)
        p = p.double()
        mean[start : start + size] = p.mean(1)[:size].cpu().numpy()
        std[start : start + size] = p.std(1, correction=0)[:size].cpu().numpy()
    return mean, std
