"""Which pairs of a sentence become contexts, and how often each pair is mentioned together."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.data.errors import ArtifactError
from kgrel.text.tagger import Mention

PairMentions = tuple[Mention, Mention]


def nearest_pairs(mentions: Sequence[Mention], limit: int) -> tuple[list[PairMentions], int]:
    """Each unordered pair of distinct entities once, at its nearest mentions (ties: the earliest).

    Args:
        mentions: in reading order, not overlapping.
        limit: at most so many pairs, those with the nearest mentions.

    Returns:
        The pairs in reading order, each with its first mention first, and how many pairs exceed ``limit``.
    """
    distinct = len({mention.entity for mention in mentions})
    total = distinct * (distinct - 1) // 2
    wanted, taken = min(total, limit), set()
    chosen: list[PairMentions] = []
    # The gap grows with the second mention, so one candidate for each first mention is enough.
    heap = [(mentions[i + 1].start - mentions[i].end, i, i + 1) for i in range(len(mentions) - 1)]
    heapq.heapify(heap)
    while len(chosen) < wanted:
        _, i, j = heap[0]
        first, second = mentions[i], mentions[j]
        if j + 1 < len(mentions):
            heapq.heapreplace(heap, (mentions[j + 1].start - first.end, i, j + 1))
        else:
            heapq.heappop(heap)
        key = (min(first.entity, second.entity), max(first.entity, second.entity))
        if first.entity != second.entity and key not in taken:
            taken.add(key)
            chosen.append((first, second))
    return sorted(chosen), total - wanted


@dataclass(frozen=True)
class PairCounts:
    """How many contexts each unordered pair has; the co-mention table.

    Attributes:
        heads: int32 [P], the smaller entity row of each pair.
        tails: int32 [P], the larger one; pairs are sorted by (head, tail).
        counts: int64 [P], number of contexts.
        entities: number of entities; rows run from 0 to ``entities`` − 1.
    """

    heads: npt.NDArray[np.int32]
    tails: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]
    entities: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keys", self.heads.astype(np.int64) * self.entities + self.tails)

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def of_contexts(cls, heads: npt.NDArray[np.int32], tails: npt.NDArray[np.int32], entities: int) -> PairCounts:
        """Count contexts by unordered pair.

        Args:
            heads: int32 [N], entity row of the first mention of each context.
            tails: int32 [N], of the second.
            entities: number of entities.
        """
        low, high = np.minimum(heads, tails).astype(np.int64), np.maximum(heads, tails)
        keys, counts = np.unique(low * entities + high, return_counts=True)
        head, tail = np.divmod(keys, max(entities, 1))
        return cls(head.astype(np.int32), tail.astype(np.int32), counts.astype(np.int64), entities)

    def lookup(self, heads: npt.ArrayLike, tails: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number of contexts of each pair, in either order.

        Args:
            heads: integers [B], entity rows; a row outside the table (−1 = unknown) gives 0.
            tails: integers [B].

        Returns:
            int64 [B]; 0 for pairs that are never mentioned together.
        """
        first, second = np.asarray(heads, np.int64), np.asarray(tails, np.int64)
        low, high = np.minimum(first, second), np.maximum(first, second)
        keys: npt.NDArray[np.int64] = self._keys  # type: ignore[attr-defined]
        if not len(keys):
            return np.zeros(low.shape, np.int64)
        wanted = low * self.entities + high
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        known = (low >= 0) & (high < self.entities) & (keys[place] == wanted)
        return np.where(known, self.counts[place], 0)

    def write(self, path: Path) -> None:
        """Write as Parquet with the columns head, tail, contexts."""
        table = pa.table({"head": self.heads, "tail": self.tails, "contexts": self.counts})
        pq.write_table(table, path)

    @classmethod
    def read(cls, path: Path, entities: int) -> PairCounts:
        """Read what :meth:`write` wrote.

        Raises:
            ArtifactError: an entity is not there.
        """
        table = pq.read_table(path)
        head, tail, contexts = (table.column(name).to_numpy() for name in ("head", "tail", "contexts"))
        if len(head) and (min(head.min(), tail.min()) < 0 or max(head.max(), tail.max()) >= entities):
            raise ArtifactError(f"{path}: names an entity that is not there; make the corpus again")
        return cls(head, tail, contexts, entities)
