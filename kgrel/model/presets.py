"""Sizes of the model: those of the paper's Table 1, one below for the demo and the tests, one above. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Size = Literal["tiny", "x-small", "small", "medium", "large", "x-large"]

Latent = Literal["mixture", "gaussian", "point"]
Initialisation = Literal["balanced", "plain", "unit"]


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
    return recogniser + prior + decoder + linear(d.hidden + d.z, d.embedding)
