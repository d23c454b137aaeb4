"""From stored vectors to a FAISS index: choose the factory, train it, add the vectors in a stream, measure recall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.files import atomic_file
from kgrel.data.progress import Progress
from kgrel.search.library import faiss_library, make_index, nearest, train_index
from kgrel.search.metric import prepared, similarities
from kgrel.search.sampler import Halves
from kgrel.search.settings import IndexSettings
from kgrel.search.vector_file import in_chunks

EXACT_UP_TO = 1_000_000
"""Vectors up to which ``auto`` is exact."""
CHUNK = 65_536
NEIGHBOURS = 10
TIE = 1e-4
"""Similarities that differ by less are ties: the sums of FAISS and of numpy differ in their last bits."""

Rows = npt.NDArray[np.int64]


def chosen_factory(settings: IndexSettings, vectors: int) -> str:
    """The FAISS factory: the given one; else Flat, or beyond a million vectors IVF with 2^round(log₂ √n) lists."""
    if settings.factory != "auto":
        return settings.factory
    if vectors <= EXACT_UP_TO:
        return "Flat"
    return f"IVF{2 ** round(np.log2(vectors) / 2)},SQfp16"


def training_sample(vectors: Halves, settings: IndexSettings) -> npt.NDArray[np.float32]:
    """Distinct vectors drawn by the seed, in the order of their ids: (n, Z), as they are compared."""
    flat = vectors.reshape(-1, vectors.shape[-1])
    count = min(settings.train_vectors, len(flat))
    rows = np.random.default_rng(settings.seed).choice(len(flat), count, replace=False)
    return prepared(flat[np.sort(rows)], settings.metric)


def fill_index(vectors: Halves, settings: IndexSettings, factory: str, path: Path, progress: Progress) -> None:
    """Write a FAISS index of all vectors (P, O, K, Z) to ``path``; it appears whole.

    Raises:
        KgrelError: FAISS refuses the factory, or there are too few vectors to train it.
    """
    index = make_index(factory, vectors.shape[-1], settings.metric)
    if not index.is_trained:
        progress.say(f"build-index: training {factory}")
        train_index(index, factory, training_sample(vectors, settings))
    add_vectors(index, vectors, settings, progress)
    write_faiss(index, path)


def add_vectors(index: Any, vectors: Halves, settings: IndexSettings, progress: Progress) -> None:
    """Add vectors behind those that the index has, in chunks."""
    progress.start("add to FAISS", vectors.shape[0] * vectors.shape[1] * vectors.shape[2])
    for _, chunk in in_chunks(vectors, CHUNK):
        index.add(prepared(chunk, settings.metric))
        progress.advance(len(chunk))


def write_faiss(index: Any, path: Path) -> None:
    """Write an index whole or not at all.

    Raises:
        OSError: the disk is full, for example. FAISS itself would lose what fails as a file is closed.
    """
    faiss = faiss_library()
    with atomic_file(path) as partial, partial.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))


def measured_recall(index: Any, vectors: Halves, settings: IndexSettings) -> float | None:
    """Recall@10 of vectors of the index against the exact answer, up to ties; None if it is not to be measured.

    The vector itself, its own nearest, does not count.
    """
    flat = vectors.reshape(-1, vectors.shape[-1])
    count = min(settings.recall_queries, len(flat))
    neighbours = min(NEIGHBOURS, len(flat) - 1)
    if not count or not neighbours:
        return None
    rows = np.sort(np.random.default_rng([settings.seed, 1]).choice(len(flat), count, replace=False))
    queries = prepared(flat[rows], settings.metric)
    bound = exact_bound(vectors, queries, rows, settings, neighbours)
    _, ids = nearest(index, queries, neighbours + 1, settings.probes)
    hits = 0
    for query, found, own, least in zip(queries, ids, rows, bound, strict=True):
        others = found[(found >= 0) & (found != own)][:neighbours]
        reached = similarities(query[None], prepared(flat[others], settings.metric), settings.metric)[0]
        hits += int((reached >= least - TIE * max(1.0, abs(least))).sum())
    return hits / (count * neighbours)


def exact_bound(
    vectors: Halves, queries: npt.NDArray[np.float32], own: Rows, settings: IndexSettings, neighbours: int
) -> npt.NDArray[np.float32]:
    """The similarity of the last of the nearest others of each query, by looking at every vector: (n,)."""
    best = np.full((len(queries), neighbours), -np.inf, np.float32)
    for start, chunk in in_chunks(vectors, CHUNK):
        found = similarities(queries, prepared(chunk, settings.metric), settings.metric)
        here = (own >= start) & (own < start + len(chunk))
        found[np.flatnonzero(here), own[here] - start] = -np.inf
        joined = np.concatenate([best, found], axis=1)
        best = -np.partition(-joined, neighbours - 1, axis=1)[:, :neighbours]
    bound: npt.NDArray[np.float32] = best.min(axis=1)
    return bound
