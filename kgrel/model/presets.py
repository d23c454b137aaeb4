"""Sizes of the model: those of the paper's Table 1, one below for demo and tests, one above; and names of its options.

Loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Size = Literal["tiny", "x-small", "small", "medium", "large", "x-large"]
Latent = Literal["mixture", "gaussian", "point"]
"""What p(z|x,y) is, see :meth:`kgrel.model.relvm.RELVM.restrict`."""
Initialisation = Literal["balanced", "plain", "unit"]
"""How weights start, see :meth:`kgrel.model.relvm.RELVM.initialise`."""
Order = Literal["both", "given"]
"""Orders of a pair that are scored."""
Precision = Literal["fp32", "bf16"]
"""Arithmetic of the matrix products."""
Pooling = Literal["last", "max", "mentions", "attention"]
"""What the classifier of mentions reads of the LSTMs' states, see :func:`kgrel.model.mentions.pooled`."""
NoiseKind = Literal["random", "sobol", "antithetic", "orthogonal"]
"""Kinds of common noise, see :func:`kgrel.model.noise.common_noise`."""


@dataclass(frozen=True)
class Dimensions:
    """Widths of the model's layers."""

    hidden: int
    """Hidden size H of the LSTMs and the feed-forward layers."""
    embedding: int = 300
    """Dimension E of word and entity embeddings."""
    u: int = 300
    """Dimension U of the auxiliary latent variable u."""
    z: int = 300
    """Dimension Z of the relation z."""
    latents: int = 1
    """Layers of latent variables that make up u, see :mod:`kgrel.model.hierarchy`."""


SIZES: dict[str, Dimensions] = {
    "tiny": Dimensions(hidden=32, embedding=32, u=16, z=32),
    "x-small": Dimensions(hidden=128),
    "small": Dimensions(hidden=256),
    "medium": Dimensions(hidden=512),
    "large": Dimensions(hidden=1024),
    "x-large": Dimensions(hidden=2048),
}


def parameter_count(d: Dimensions) -> int:
    """Trainable parameters of recogniser, prior and LSTM decoder, embeddings left out (RELVM's Table 1)."""

    def linear(n_in: int, n_out: int) -> int:
        return (n_in + 1) * n_out

    def lstm(n_in: int) -> int:
        return 4 * d.hidden * (n_in + d.hidden + 1)

    pair = 3 * d.embedding
    recogniser = 2 * lstm(d.embedding) + linear(pair + 2 * d.hidden, d.hidden) + linear(d.hidden, d.hidden)
    recogniser += 2 * linear(d.hidden, d.u)
    prior = linear(pair + d.u, d.hidden) + linear(d.hidden + d.u, d.hidden) + 2 * linear(d.hidden + d.u, d.z)
    decoder = linear(d.z, d.hidden) + linear(d.hidden, d.hidden) + lstm(d.hidden + d.embedding)
    if d.latents == 2:
        prior += linear(d.u // 2, d.hidden) + 2 * linear(d.hidden, d.u - d.u // 2)
    return recogniser + prior + decoder + linear(d.hidden + d.z, d.embedding)
