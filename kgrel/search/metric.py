"""How near two relations are: similarities of vectors, and of sets of samples.

A similarity is greater for nearer ones: the cosine, the inner product, or minus the squared Euclidean distance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from kgrel.search.settings import Metric, SetDistance

Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.floating[Any]]
DIRECTIONS = 64
"""Random directions of the sliced Wasserstein distance."""


def prepared(vectors: npt.NDArray[np.floating], metric: Metric) -> Floats:
    """Vectors (…, Z) as they are compared: for the cosine of unit length (a zero vector stays)."""
    found = single(vectors)
    if metric != "cosine":
        return found
    norms = np.sqrt(np.einsum("...z,...z->...", found, found))[..., None]
    return np.asarray(found / np.where(norms > 0, norms, 1.0), np.float32)


def single(vectors: Reals) -> Floats:
    """Vectors in single precision; torch converts halves a dozen times faster than numpy."""
    if vectors.dtype != np.float16:
        return np.ascontiguousarray(vectors, dtype=np.float32)
    converted: Floats = torch.from_numpy(np.array(vectors)).float().numpy()
    return converted


def similarities(queries: Floats, vectors: Floats, metric: Metric) -> Floats:
    """Every query with every vector, both prepared: (…, Q, Z) and (N, Z) → (…, Q, N)."""
    products: Floats = queries @ vectors.T
    if metric != "l2":
        return products
    found: Floats = 2 * products - (queries**2).sum(-1)[..., None] - (vectors**2).sum(-1)
    return found


SetSimilarity = Callable[[Floats, Floats], Floats]
"""Samples of a query (Q, Z) and of n candidates (n, S, Z), all prepared → (n,)."""


def set_similarity(distance: SetDistance, metric: Metric, width: int, seed: int) -> SetSimilarity:
    """The similarity of sets of samples.

    ``best``: max over both sets of the similarity. ``mean``: its mean over both sets. ``sliced-wasserstein``:
    −1/D Σ_d W₂²( projections of both sets on direction d ), with D fixed random directions of unit length.

    The product of each candidate is a small one of its own, (S, Z) by (Z, Q), so that a score does not depend on what
    else is compared, and no threads are started for it.
    """
    if distance == "sliced-wasserstein":
        drawn = np.random.default_rng(seed).standard_normal((DIRECTIONS, width))
        directions = prepared(drawn, "cosine").T  # (Z, D)
        return lambda query, vectors: sliced_wasserstein(query, vectors, directions)

    def compare(query: Floats, vectors: Floats) -> Floats:
        found = similarities(vectors, query, metric)  # (n, S, Q)
        of_sets: Floats = found.max(axis=(1, 2)) if distance == "best" else found.mean(axis=(1, 2))
        return of_sets

    return compare


def sliced_wasserstein(query: Floats, vectors: Floats, directions: Floats) -> Floats:
    """Minus the mean over directions (Z, D) of the squared 2-Wasserstein distance: (Q, Z), (n, S, Z) → (n,)."""
    of_query = np.sort(query @ directions, axis=0)  # (Q, D)
    of_vectors = np.sort(vectors @ directions, axis=1)  # (n, S, D)
    size = np.lcm(of_query.shape[0], of_vectors.shape[1])  # quantiles that both sets have
    of_query = of_query.repeat(size // of_query.shape[0], axis=0)
    of_vectors = of_vectors.repeat(size // of_vectors.shape[1], axis=1)
    return np.asarray(-((of_query - of_vectors) ** 2).mean(axis=(1, 2)), np.float32)
