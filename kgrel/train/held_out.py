"""What pretraining reports on held-out contexts: the terms of the bound, and whether the latents are used at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kgrel.metrics.latents import active_units, mutual_information
from kgrel.model.relvm import RELVM, Terms

Rows = npt.NDArray[np.int64]
Batch = tuple[Tensor, Tensor, Tensor]
"""Entity rows x, y (B,) and tokens (B, T)."""
LATENT_CONTEXTS = 1_000
"""Contexts on which the use of the latents is judged."""
LATENT_SAMPLES = 16
"""Samples of u for the mean of z given a pair."""


def bound(
    model: RELVM,
    batches: Iterator[Batch],
    samples: int,
    generator: torch.Generator,
    parts: dict[str, bool],
    weigh: tuple[float, float] | None = None,
) -> dict[str, float]:
    """Means over contexts of the terms, per token: ``elbo`` (with the LSTM decoder), ``kl``, ``bag``. Always exact."""
    sums, count = dict.fromkeys(Terms._fields, 0.0), 0
    for batch in batches:
        terms = model(
            *batch, *normal_noise(model, len(batch[0]), samples, generator, batch[0].device), weigh=weigh, **parts
        )
        count += len(batch[0])
        for name, values in zip(Terms._fields, terms, strict=True):
            sums[name] += values.sum().item()
    if not count:
        return {}
    figures = {name: total / count for name, total in sums.items()}
    if parts["with_decoder"]:
        return figures | {"elbo": figures["log_likelihood"] - figures["kl"]}
    return {name: figures[name] for name in ("kl", "bag")}


def latent_use(
    model: RELVM, batches: Iterator[Batch], generator: torch.Generator, parts: dict[str, bool]
) -> dict[str, float]:
    """Signs of a latent that is ignored.

    Returns:
        z_active_units: units of E[z|x,y] that differ between pairs.
        z_between: share of the variance of z that lies between pairs; the rest is spread within a pair.
        z_gain: nats a token by which z of a context's own pair predicts it better than z of another's, u ~ p(u).
        u_active_units, u_information: of q(u|x,y,c), with the recogniser alone; information in nats a context.
    """
    of_z, within, gains, posteriors = [], [], [], []
    for x, y, tokens in batches:
        noise_u, noise_z = normal_noise(model, len(x), LATENT_SAMPLES, generator, x.device)
        p = model.prior(model.pair_features(x, y), model.prior.draw_u(noise_u))
        of_z.append(p.mean.mean(1).double().cpu().numpy())
        within.append((p.mean.var(1) + p.log_var.exp().mean(1)).mean().item())
        one_u, one_z = noise_u[:, :1], noise_z[:, :1]
        own, other = (
            model(*pair, tokens, one_u, one_z, with_decoder=parts["with_decoder"], with_recogniser=False)
            for pair in ((x, y), (x.roll(1), y.roll(1)))
        )
        gains.append((own.log_likelihood + own.bag - other.log_likelihood - other.bag).mean().item())
        if parts["with_recogniser"]:
            q = model.recognise(x, y, tokens)
            posteriors.append([t.double().cpu().numpy() for t in (q.mean, q.log_var, q.sample(noise_u[:, 0]))])
    if not of_z:
        return {}
    means = np.concatenate(of_z)
    between = float(means.var(axis=0).mean())
    figures = {
        "z_active_units": float(active_units(means)),
        "z_between": between / (between + float(np.mean(within))),
        "z_gain": float(np.mean(gains)),
    }
    if posteriors:
        mean, log_var, samples = (np.concatenate(part) for part in zip(*posteriors, strict=True))
        figures["u_active_units"] = float(active_units(mean))
        figures["u_information"] = mutual_information(mean, log_var, samples)
    return figures


def normal_noise(
    model: RELVM, count: int, samples: int, generator: torch.Generator, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Standard normal noise (B, S, U) and (B, S, Z), drawn on the CPU so that every device sees the same."""
    d = model.dimensions
    u = torch.randn(count, samples, d.u, generator=generator)
    z = torch.randn(count, samples, d.z, generator=generator)
    return u.to(device), z.to(device)
