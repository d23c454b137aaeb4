"""An open INDEX artifact, and the search for the pairs nearest to sets of vectors.

    vectors of the query ─▶ FAISS: nearest vectors ─▶ grouped by pair ─▶ nearest pairs, compared sample by sample

FAISS proposes; what an answer says is computed from the stored vectors, so it is the same whatever the kind of index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.artifact import Artifact, Kind, open_artifact, opens_artifact, read_json, settings_of
from kgrel.data.entities import EntityTable, canonical_type
from kgrel.data.errors import ArtifactError, KgrelError, NonFiniteError, did_you_mean
from kgrel.model.representation import ENTITIES, Representation
from kgrel.search.build import FAISS, LAYOUT, PAIRS, VECTORS, Layout, read_layout
from kgrel.search.library import GPU_MOST, gpu_copy, nearest, read_index
from kgrel.search.metric import SetSimilarity, prepared, set_similarity
from kgrel.search.pair_table import PairTable
from kgrel.search.sampler import Halves, PairSampler
from kgrel.search.settings import IndexSettings, SearchSettings
from kgrel.search.vector_file import open_vectors

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
AT_ONCE = 8_000_000
"""Numbers that are compared together."""
BATCH = 256
"""Queries searched together."""
EXACT_MORE = 4
"""How many times more vectors an exact index is asked for at first: a second call reads all of its vectors again, while
a longer list costs nothing that can be measured."""
SPARE = 2
"""How many times more pairs than wanted are compared sample by sample: the sums of FAISS differ in the last bits."""


@dataclass(frozen=True)
class Query:
    """Something to find similar relations of.

    Attributes:
        vectors: (Q, Z), as the representation gives them.
        head, tail: entity rows of the pair that it is of; −1 where it is of none.
    """

    vectors: npt.NDArray[np.floating[Any]]
    head: int = -1
    tail: int = -1


@dataclass(frozen=True)
class Neighbours:
    """The nearest pairs of one query, nearest first, ties by number of pair."""

    pairs: Rows
    """Numbers of pairs (k,)."""
    orders: Rows
    """0 where a pair is near in its own order, 1 reversed (k,)."""
    scores: Floats
    """Similarity of the sets (k,)."""


@dataclass(frozen=True)
class RelationIndex:
    """An INDEX artifact; vectors and, where its kind allows, the FAISS index are memory-mapped."""

    artifact: Artifact
    settings: IndexSettings
    layout: Layout
    entities: EntityTable
    pairs: PairTable
    vectors: Halves
    """(P, O, K, Z)."""
    faiss: Any

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path, verify: bool = True) -> RelationIndex:
        """Open an INDEX artifact.

        Args:
            verify: recompute the SHA-256 of every file first (about a second per gigabyte); lengths and counts are
                checked in any case.

        Raises:
            ArtifactError: missing, damaged, or with parts that disagree.
            KgrelError: FAISS is not installed.
        """
        artifact = open_artifact(path, Kind.INDEX, verify)
        layout = read_layout(read_json(artifact, LAYOUT), artifact.path)
        entities = EntityTable.read(artifact.file(ENTITIES))
        pairs = PairTable.read(artifact.file(PAIRS), len(entities))
        vectors = open_vectors(artifact.file(VECTORS), layout.shape)
        index = read_index(artifact.file(FAISS))
        for name, count, wanted in (
            (PAIRS, len(pairs), layout.pairs),
            (FAISS, index.ntotal, int(np.prod(layout.shape[:3]))),
            (f"{FAISS} (dimensions)", index.d, layout.width),
        ):
            if count != wanted:
                raise ArtifactError(
                    f"{artifact.path}: {name} holds {count:,}, but {LAYOUT} says {wanted:,}; its files are "
                    "of different indexes: build the index again"
                )
        settings = settings_of(artifact, IndexSettings)
        return cls(artifact, settings, layout, entities, pairs, vectors, index)

    @cached_property
    def representation(self) -> Representation:
        """The model that the index was made with; it is kept inside."""
        return Representation.read(self.artifact)

    @cached_property
    def sampler(self) -> PairSampler:
        """Samples pairs as those of the index were sampled."""
        return PairSampler(self.representation.model, self.settings)

    @cached_property
    def gpu(self) -> Any:
        """The FAISS index on a GPU; None where there is none, or it is not exact."""
        return gpu_copy(self.faiss)

    @property
    def representation_hash(self) -> str:
        """Hash of the REPR artifact that it was made from."""
        return self.artifact.manifest.parents["representation"]

    @property
    def knows_listed(self) -> bool:
        """Whether it was built with relations, so that a pair without any is not listed."""
        return "relations" in self.artifact.manifest.parents

    def require(self, others: Sequence[str], named: str) -> None:
        """Refuse what was made from another representation.

        Args:
            others: hashes of the representations that it was made from.
            named: what it is, for the message.

        Raises:
            ArtifactError: that of the index is none of them.
        """
        if self.representation_hash not in others:
            raise ArtifactError(
                f"{self.artifact.path}: is an index of the representation {self.representation_hash[:12]}, but {named} "
                f"is of {' and '.join(other[:12] for other in others)}; build an index of the same representation"
            )

    def pair_vectors(self, head: int, tail: int, order: str) -> Halves:
        """The vectors of a pair of entity rows, in the index or not: (orders, K, Z), the given order first.

        Raises:
            NonFiniteError: one is not finite.
        """
        number = self.pairs.find(head, tail)
        if number >= 0 and self.layout.orders == 2:
            stored = np.asarray(self.vectors[number])
            stored = stored if self.pairs.heads[number] == head else stored[::-1]
            return stored if order == "both" else stored[:1]
        sampled: Halves = self.sampler(np.array([head]), np.array([tail]), "both" if order == "both" else "given")[0]
        return sampled

    def search(
        self, queries: list[Query], settings: SearchSettings, leave_out: Flags | None = None
    ) -> list[Neighbours]:
        """The nearest pairs of each query.

        With ``best`` and an exact index the answer is that of comparing with every pair. With the other distances it
        is so among the ``candidates`` that are nearest by ``best``.

        Args:
            leave_out: pairs that are no answers (P,), beside those that the settings leave out.

        Raises:
            KgrelError: more answers are asked for than the index has pairs; an unknown type or relation; a filter
                that this kind of index cannot apply; ``cuda`` without a GPU or an exact index.
            NonFiniteError: a query is not finite.
        """
        if settings.top > self.pairs.live:
            raise KgrelError(
                f"--top {settings.top:,} is more than the {self.pairs.live:,} pairs of {self.artifact.path}; "
                f"ask for at most {self.pairs.live:,}"
            )
        allowed = allowed_pairs(self, settings, leave_out)
        if any(not np.isfinite(query.vectors).all() for query in queries):
            raise NonFiniteError("a vector of the query is NaN or infinite; the model or the given vectors are damaged")
        if settings.device == "cuda" and self.gpu is None:
            raise KgrelError(
                f"--device cuda needs faiss-gpu (pip install 'kgrel[gpu]'), a GPU, and an exact index, but "
                f"{self.artifact.path} is {self.layout.factory} or no GPU has room for it; leave out --device"
            )
        search = Search(self, settings, allowed)
        found: list[Neighbours] = []
        for start in range(0, len(queries), BATCH):
            found += search(queries[start : start + BATCH])
        return found


def allowed_pairs(index: RelationIndex, settings: SearchSettings, leave_out: Flags | None) -> Flags:
    """Which pairs may be answers, in each order: (P, O)."""
    table, orders = index.pairs, index.layout.orders
    allowed = np.repeat(~table.removed[:, None], orders, axis=1)
    if leave_out is not None:
        allowed &= ~leave_out[:, None]
    for name, side in ((settings.head_type, table.heads), (settings.tail_type, table.tails)):
        if name:
            of_type = rows_with_type(index.entities, name)
            other = table.tails if side is table.heads else table.heads
            allowed &= np.stack([of_type[side], of_type[other]], axis=1)[:, :orders]
    if settings.with_relation:
        allowed &= listed_with(table, settings.with_relation)[:, None]
    if settings.novel_only:
        if not index.knows_listed:
            raise KgrelError(
                f"{index.artifact.path}: was built without --relations, so which pairs are novel is not known; build "
                "it with them, or leave out --novel-only"
            )
        allowed &= np.array([name is None for name in table.relations])[:, None]
    return allowed


def rows_with_type(entities: EntityTable, name: str) -> Flags:
    """Which entities have a type (E,).

    Raises:
        KgrelError: none has it.
    """
    wanted = canonical_type(name)
    found = np.array([type_ == wanted for type_ in entities.types], dtype=np.bool_)
    if not found.any():
        known = sorted(set(entities.types))
        raise KgrelError(f"no entity of type {wanted!r}{did_you_mean(wanted, known)}; the types are {', '.join(known)}")
    return found


def listed_with(table: PairTable, name: str) -> Flags:
    """Which pairs are listed with a relation (P,).

    Raises:
        KgrelError: none is.
    """
    found = table.with_relation(name)
    if not found.any():
        known = sorted({part for text in table.relations if text for part in text.split("|")})
        said = f"; the relations are {', '.join(known)}" if known else "; the index was built without --relations"
        raise KgrelError(f"no pair of the index is listed with {name!r}{did_you_mean(name, known)}{said}")
    return found


class Search:
    """One way of searching an index: settings, filters, and how sets are compared."""

    def __init__(self, index: RelationIndex, settings: SearchSettings, allowed: Flags) -> None:
        self.index, self.settings, self.allowed = index, settings, allowed
        layout = index.layout
        self.per_order, self.per_pair = layout.vectors_per_order, layout.orders * layout.vectors_per_order
        # FAISS is slower where it must ask which vectors are allowed, so it is asked only where some are not.
        self.flags = None if allowed.all() else np.repeat(allowed.ravel(), self.per_order)
        self.total = int(allowed.any(axis=1).sum())
        self.wanted = settings.top if settings.distance == "best" else max(settings.top, settings.candidates)
        # Enough for the wanted pairs twice over, and for the vectors of the query's own pair, which stand before them.
        self.first_count = (2 * self.wanted + self.per_pair) * (EXACT_MORE if layout.factory == "Flat" else 1)
        metric = index.settings.metric
        self.compare: SetSimilarity = set_similarity(settings.distance, metric, layout.width, settings.seed)

    def __call__(self, queries: list[Query]) -> list[Neighbours]:
        """The nearest pairs of some queries, searched together."""
        metric = self.index.settings.metric
        vectors = [prepared(query.vectors, metric) for query in queries]
        candidates: list[Rows] = [np.zeros(0, np.int64)] * len(queries)
        open_, count = np.arange(len(queries)), self.first_count
        while len(open_) and self.total:
            count = min(count, self.total * self.per_pair)
            found, whole = self.propose([queries[i] for i in open_], [vectors[i] for i in open_], count)
            for place, pairs in zip(open_.tolist(), found, strict=True):
                candidates[place] = pairs
            open_, count = open_[~whole], 4 * count
        room = max(1, AT_ONCE // max(1, max(map(len, candidates)) * self.per_pair * self.index.layout.width))
        answers: list[Neighbours] = []
        for start in range(0, len(queries), room):
            answers += self.ranked(vectors[start : start + room], candidates[start : start + room])
        return answers

    def propose(self, queries: list[Query], vectors: list[Floats], count: int) -> tuple[list[Rows], Flags]:
        """Candidates of each query from the ``count`` nearest vectors of each of its own, and whether they suffice.

        A pair that none of the lists names is, by every vector of the query, farther than the last of its list; so
        the first k pairs are the right ones if the k-th is nearer than the nearest of these bounds.
        """
        index, sizes = self.index, [len(some) for some in vectors]
        # A GPU finds no more than so many neighbours, and cannot leave vectors out.
        on_gpu = self.flags is None and count <= GPU_MOST and self.settings.device != "cpu" and index.gpu is not None
        searched = index.gpu if on_gpu else index.faiss
        found, ids = nearest(searched, np.concatenate(vectors), count, index.settings.probes, self.flags)
        owners = np.repeat(np.arange(len(queries)), sizes)
        whole_index = count >= self.total * self.per_pair
        bounds = np.full(len(queries), -np.inf, np.float32)
        if not whole_index:
            np.maximum.at(bounds, owners, np.where(ids[:, -1] >= 0, found[:, -1], -np.inf))
        valid = ids >= 0
        owner = np.broadcast_to(owners[:, None], ids.shape)[valid]
        pair, value = ids[valid] // self.per_pair, found[valid]
        keep = self.answers(queries, owner, pair)
        owner, pair, value = grouped(owner[keep], pair[keep], value[keep], len(index.pairs))
        begins = np.searchsorted(owner, np.arange(len(queries) + 1))
        chosen, whole = [], np.ones(len(queries), np.bool_)
        for number in range(len(queries)):
            of_query = slice(begins[number], begins[number + 1])
            values = value[of_query]
            chosen.append(pair[of_query][: SPARE * self.wanted])
            reached = len(values) >= self.wanted and values[self.wanted - 1] > bounds[number]
            whole[number] = whole_index or reached or bounds[number] == -np.inf
        return chosen, whole

    def answers(self, queries: list[Query], owner: Rows, pair: Rows) -> Flags:
        """Which found pairs (n,) may be answers to the queries that found them (n,)."""
        table, keep = self.index.pairs, np.ones(len(owner), np.bool_)
        head, tail = (np.array([getattr(query, side) for query in queries])[owner] for side in ("head", "tail"))
        first, second = table.heads[pair], table.tails[pair]
        if not self.settings.keep_query:
            keep &= ~((first == head) & (second == tail) | (first == tail) & (second == head))
        if self.settings.other_heads:
            keep &= (first != head) & (second != head)
        return keep

    def ranked(self, queries: list[Floats], candidates: list[Rows]) -> list[Neighbours]:
        """The candidates of each query compared with it by all their samples, the best ``top`` of each."""
        index, ordered = self.index, [np.sort(pairs) for pairs in candidates]
        # Read and converted together: many small conversions would spend their time in starting threads.
        every = prepared(index.vectors[np.concatenate(ordered)], index.settings.metric)  # (Σn, O, K, Z)
        found, begin = [], 0
        for query, pairs in zip(queries, ordered, strict=True):
            stored = every[begin : begin + len(pairs)]
            begin += len(pairs)
            if not len(pairs):
                found.append(Neighbours(pairs, pairs, np.zeros(0, np.float32)))
                continue
            scores = self.compare(query, stored.reshape(-1, *stored.shape[2:])).reshape(stored.shape[:2])
            scores = np.where(self.allowed[pairs], scores, np.float32(-np.inf))
            orders, best = scores.argmax(axis=1), scores.max(axis=1)
            first = np.lexsort((pairs, -best))[: self.settings.top]
            found.append(Neighbours(pairs[first], orders[first], best[first]))
        return found


def grouped(owner: Rows, pair: Rows, value: Floats, pairs: int) -> tuple[Rows, Rows, Floats]:
    """The greatest value of each (owner, pair), sorted by owner, then from the greatest value, then by pair."""
    order = np.lexsort((-value, owner * pairs + pair))
    owner, pair, value = owner[order], pair[order], value[order]
    first = np.ones(len(owner), np.bool_)
    first[1:] = (owner[1:] != owner[:-1]) | (pair[1:] != pair[:-1])
    owner, pair, value = owner[first], pair[first], value[first]
    order = np.lexsort((pair, -value, owner))
    return owner[order], pair[order], value[order]
