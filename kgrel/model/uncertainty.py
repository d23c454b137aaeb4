"""How sure the posterior predictive is: spread, interval and entropies over the samples of z, and over members.

For one pair, with p_k = p(r|z_k) over K samples (and orders):

    total entropy   H(p̄)                    of the mean
    entropy         1/K Σ_k H(p_k)          within a sample: the relation is undecided even if z were known
    disagreement    H(p̄) − 1/K Σ_k H(p_k)   mutual information of r and z: samples of z say different things

Entropies are in nats, over all classes with NO-RELATION. At fixed weights both say how many-sided the relation of a
pair is; only what members of different seeds disagree on tells of the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kgrel.model.predictive import Floats, Predictive, Rows, moments

LEVELS = (0.05, 0.95)
"""Quantiles over samples that bound the interval."""


@dataclass(frozen=True)
class Predicted:
    """The posterior predictive of n pairs for C positive classes, with its uncertainty."""

    mean: Floats
    """p̄ (n, C)."""
    std: Floats
    """Standard deviation over samples, orders and members (n, C)."""
    low: Floats
    """5 % quantile over samples, orders and members (n, C). Up to 20 of them the interval holds the mean; with more
    samples one far outlier can pull the mean out of it."""
    high: Floats
    """95 % quantile (n, C)."""
    entropy: Floats
    """Mean entropy within a sample, nats (n,)."""
    disagreement: Floats
    """Entropy of the mean less the mean entropy, nats, not negative (n,)."""
    member_std: Floats
    """Standard deviation of the members' p̄, with one member 0 (n, C)."""


@torch.inference_mode()
def predict_with_uncertainty(
    members: Sequence[Predictive], heads: Rows, tails: Rows, possible: npt.NDArray[np.bool_]
) -> Predicted:
    """Predict with one or more members that have the same classes, entities, order and number of samples.

    At no time are the samples of more than one tile held: (K, TILE, 1 + C). Mean and standard deviation are, to the
    byte, those that :func:`pooled` makes of what each member gives when called.

    Args:
        heads, tails: entity rows (n,).
        possible: (n, 1 + C) with NO-RELATION first.
    """
    count, classes = len(heads), members[0].classes
    wide = [np.empty((count, classes)) for _ in range(5)]
    flat = [np.empty(count) for _ in range(2)]
    for together in zip(*(member.tiles(heads, tails, possible) for member in members), strict=True):
        rows = together[0][0]
        samples = [list(member.samples_of(*tile)) for member, (_, tile) in zip(members, together, strict=True)]
        found = described(samples)
        for out, tensor in zip((*wide, *flat), found, strict=True):
            out[rows] = tensor[: rows.stop - rows.start].cpu().numpy()
    mean, std, low, high, member_std = (array[:, 1:] for array in wide)
    return Predicted(mean, std, low, high, flat[0], flat[1], member_std)


def described(samples: list[list[Tensor]]) -> tuple[Tensor, ...]:
    """Mean, std, low, high, spread of the members (TILE, 1 + C), entropy and disagreement (TILE,)."""
    means, stds = (torch.stack(part) for part in zip(*map(moments, samples), strict=True))
    mean, std = pooled(means, stds)
    every = torch.stack([sample for member in samples for sample in member])  # (K, TILE, 1 + C)
    low, high = quantiles(every)
    entropy = torch.special.entr(every).sum(-1).mean(0)
    disagreement = (torch.special.entr(mean).sum(-1) - entropy).clamp_min(0.0)
    spread = means.std(dim=0) if len(means) > 1 else torch.zeros_like(mean)
    return mean, std, low, high, spread, entropy, disagreement


def pooled(means: Tensor, stds: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the samples of M members together, from those of each: (M, …) → (…)."""
    mean = means.mean(0)
    return mean, (stds.square().mean(0) + (means - mean).square().mean(0)).sqrt()


def quantiles(samples: Tensor) -> tuple[Tensor, Tensor]:
    """The quantiles :data:`LEVELS` over the first dimension, linear between order statistics."""
    ordered, found = samples.sort(dim=0).values, []
    for level in LEVELS:
        place = level * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        found.append(torch.lerp(ordered[below], ordered[above], place - below))
    return found[0], found[1]
