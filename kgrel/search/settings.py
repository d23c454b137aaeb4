"""Settings of relation search. Loads no torch and no faiss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrel.data.errors import KgrelError

Metric = Literal["cosine", "inner-product", "l2"]
Vectors = Literal["samples", "mean"]
Orders = Literal["both", "given"]
SetDistance = Literal["best", "mean", "sliced-wasserstein"]


@dataclass(frozen=True)
class IndexSettings:
    """What is indexed of each pair, and how."""

    samples: int = 8
    """Samples of z of each pair and order, drawn from p(z|x,y) with noise that all pairs share."""
    vectors: Vectors = "samples"
    """``samples`` keeps each; ``mean`` keeps one vector a pair and order: the mean over the samples."""
    order: Orders = "both"
    """Index a pair as (x, y) and as (y, x), merged at search, where answers tell their order; or only as ``given``."""
    metric: Metric = "cosine"
    """Which vectors are near each other. Stored in the index."""
    factory: str = "auto"
    """A string of FAISS's index_factory, such as IVF1024,PQ75x8 or HNSW32. ``auto`` is exact (Flat) up to a million
    vectors and IVF with about √n lists of fp16 vectors beyond."""
    train_vectors: int = 262_144
    """Vectors drawn by the seed to train a factory that needs it."""
    probes: int = 32
    """Lists that an IVF index looks into, and a quarter of the breadth (efSearch) with which an HNSW index looks."""
    recall_queries: int = 100
    """Vectors of the index whose ten nearest others are compared with the exact ones: recall@10. 0 = not measured."""
    chunk_pairs: int = 8_192
    """Pairs that are sampled and written at a time, a whole number of tiles of 512; an interrupted build goes on behind
    the last finished chunk."""
    relation_column: str = ""
    """Column of the relations table that names what a pair is listed with, such as metaedge. Empty = class, relation or
    label."""
    seed: int = 0
    """Seed of the noise, of the training sample and of the vectors whose recall is measured."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where z is sampled."""

    def __post_init__(self) -> None:
        for name in ("samples", "train_vectors", "probes"):
            if getattr(self, name) < 1:
                raise KgrelError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.recall_queries < 0:
            raise KgrelError(f"recall_queries must be at least 0, not {self.recall_queries}")
        if self.chunk_pairs < 512 or self.chunk_pairs % 512:
            raise KgrelError(f"chunk_pairs must be a multiple of 512, not {self.chunk_pairs}")


@dataclass(frozen=True)
class SearchSettings:
    """Which answers a search gives, and how near a pair is."""

    top: int = 10
    """Pairs in the answer to each query."""
    distance: SetDistance = "best"
    """How near two sets of samples are: their nearest two (``best``), all with all on average (``mean``), or by
    ``sliced-wasserstein``: minus the transport cost between them along random directions. The last two rank the
    candidates that the first one finds."""
    candidates: int = 200
    """Pairs that ``mean`` and ``sliced-wasserstein`` rank."""
    query_order: Orders = "given"
    """Look for pairs related as x is to y (``given``), or also as y is to x (``both``)."""
    head_type: str = ""
    """Only answers whose first entity, in the order in which the answer is near, has this type."""
    tail_type: str = ""
    """Likewise the second entity."""
    with_relation: str = ""
    """Only pairs that are listed with this relation."""
    novel_only: bool = False
    """Only pairs that no relation is listed for."""
    other_heads: bool = False
    """Leave out pairs that have an entity in common with the first entity of the query."""
    keep_query: bool = False
    """Let a pair be an answer to itself."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where FAISS looks: an exact index is searched on a GPU where faiss-gpu sees one (auto), never (cpu) or else
    refused (cuda). Filtered searches, and long lists of answers, are answered on the CPU."""
    seed: int = 0
    """Seed of the directions of sliced-wasserstein and of the clusters of --entity."""

    def __post_init__(self) -> None:
        for name in ("top", "candidates"):
            if getattr(self, name) < 1:
                raise KgrelError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.with_relation and self.novel_only:
            raise KgrelError("give either with_relation or novel_only: a listed pair is not novel")


@dataclass(frozen=True)
class ModeSettings:
    """How the modes of one pair's p(z|x,y) are found, and what is shown of each."""

    samples: int = 1024
    """Samples of z, at least 512."""
    dimensions: int = 3
    """Directions that are looked at, at most 10: those in which the words that z leads to vary most."""
    apart: float = 0.1
    """Squared Hellinger distance that the words of two modes have at least: 0 = the same words, 1 = none in common.
    Nearer ones are one mode: ways of putting it, such as "may inhibit" and "inhibits"."""
    bootstraps: int = 50
    """Resamples of the samples on which the modes are found again."""
    stability: float = 0.8
    """Share of the bootstraps that must find a mode again (Jaccard above one half) for it to be kept."""
    neighbours: int = 5
    """Listed pairs shown of each mode."""
    sentences: int = 3
    """Evidence sentences shown of each mode."""
    words: int = 10
    """Words shown of each mode."""
    seed: int = 0
    """Seed of the samples and the bootstraps."""

    def __post_init__(self) -> None:
        if self.samples < 512:
            raise KgrelError(f"samples must be at least 512, not {self.samples}: fewer show no modes")
        if not 1 <= self.dimensions <= 10:
            raise KgrelError(f"dimensions must lie between 1 and 10, not {self.dimensions}")
        if not 0 <= self.apart < 1:
            raise KgrelError(f"apart must be at least 0 and below 1, not {self.apart}")
        if self.bootstraps < 1:
            raise KgrelError(f"bootstraps must be at least 1, not {self.bootstraps}")
        if not 0 < self.stability <= 1:
            raise KgrelError(f"stability must be above 0 and at most 1, not {self.stability}")


@dataclass(frozen=True)
class MapSettings:
    """How relations are drawn in a plane."""

    method: Literal["pca", "tsne", "umap"] = "tsne"
    """Projection of the means of the pairs' vectors; umap needs the package umap-learn."""
    pairs: int = 2_000
    """Pairs drawn, by the seed; listed ones first."""
    listed_only: bool = False
    """Draw only pairs that are listed with a relation."""
    seed: int = 0
    """Seed of the pairs and of the projection."""

    def __post_init__(self) -> None:
        if self.pairs < 10:
            raise KgrelError(f"pairs must be at least 10, not {self.pairs}")
