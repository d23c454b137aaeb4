"""FAISS, imported when it is needed: it comes as one of two wheels, so neither is a hard dependency."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.search.settings import Metric

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


def faiss_library() -> Any:
    """The faiss module.

    Raises:
        KgrelError: neither wheel is installed.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError:
        raise KgrelError(
            "relation search needs FAISS: pip install 'kgrel[cpu]' (faiss-cpu) or 'kgrel[gpu]' (faiss-gpu, CUDA 12)"
        ) from None


def reason_of(error: Exception) -> str:
    """What FAISS says, without the place in its sources."""
    text = " ".join(str(error).split())
    return text.rpartition("failed: ")[2] or text.rpartition(": ")[2] or text


def make_index(factory: str, width: int, metric: Metric) -> Any:
    """An empty FAISS index.

    Raises:
        KgrelError: FAISS refuses the string.
    """
    faiss = faiss_library()
    kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    try:
        return faiss.index_factory(width, factory, kind)
    except RuntimeError as error:
        raise KgrelError(
            f"FAISS refuses the factory {factory!r} for vectors of {width} dimensions ({reason_of(error)}); "
            "see its index_factory, or leave out --factory"
        ) from None


def train_index(index: Any, factory: str, vectors: Floats) -> None:
    """Train an index on some vectors (n, Z).

    Raises:
        KgrelError: they are too few, or FAISS fails otherwise.
    """
    try:
        index.train(vectors)
    except RuntimeError as error:
        raise KgrelError(
            f"the factory {factory!r} cannot be trained on {len(vectors):,} vectors ({reason_of(error)}); "
            "choose one with fewer lists or codes"
        ) from None


def read_index(path: Path) -> Any:
    """Open an index through a memory map, where its kind allows.

    Raises:
        ArtifactError: FAISS cannot read it.
    """
    faiss = faiss_library()
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        first = reason_of(error)
    try:
        return faiss.read_index(str(path))
    except RuntimeError:
        raise ArtifactError(f"{path}: FAISS cannot read it ({first}); make it again with kgrel rebuild-index") from None


GPU_MOST = 2048
"""Neighbours of one vector that FAISS can find on a GPU."""


def gpu_copy(index: Any) -> Any:
    """An exact (Flat) index copied to the first GPU; None where FAISS sees none, it does not fit, or it is not exact.

    Only exact indexes go there: their answers are those of the CPU.
    """
    faiss = faiss_library()
    if not isinstance(faiss.downcast_index(index), faiss.IndexFlat) or not getattr(faiss, "get_num_gpus", int)():
        return None
    try:
        return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    except RuntimeError:
        return None


def search_parameters(index: Any, probes: int, count: int, allowed: Flags | None) -> Any:
    """FAISS's parameters for one search.

    Args:
        probes: lists that IVF looks into; HNSW looks with a breadth of four times as many, at least ``count``.
        count: neighbours that will be asked for.
        allowed: which ids may be found (V,); None = all.
    """
    faiss = faiss_library()
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        inner = search_parameters(index.index, probes, count, allowed)
        return faiss.SearchParametersPreTransform(index_params=inner)
    chosen: dict[str, Any] = {}
    if allowed is not None:
        chosen["sel"] = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
    if isinstance(index, faiss.IndexIVF):
        return faiss.SearchParametersIVF(nprobe=min(probes, index.nlist), **chosen)
    if isinstance(index, faiss.IndexHNSW):
        return faiss.SearchParametersHNSW(efSearch=max(4 * probes, count), **chosen)
    return faiss.SearchParameters(**chosen) if chosen else None


def nearest(index: Any, queries: Floats, count: int, probes: int, allowed: Flags | None = None) -> tuple[Floats, Ids]:
    """The nearest vectors of each query: similarities, greatest first, and ids, −1 where there are no more: (n, count).

    A similarity is the inner product, or minus the squared distance.

    Raises:
        KgrelError: this kind of index cannot leave vectors out.
    """
    try:
        found, ids = index.search(queries, count, params=search_parameters(index, probes, count, allowed))
    except RuntimeError as error:
        if allowed is None:
            raise
        raise KgrelError(
            f"this kind of FAISS index cannot leave out pairs ({reason_of(error)}); search without filters, or make "
            "another with kgrel rebuild-index --factory"
        ) from None
    if index.metric_type == faiss_library().METRIC_L2:
        found = -found
    return found, ids
