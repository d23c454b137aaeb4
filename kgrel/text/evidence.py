"""From a pair to its sentences, through an index in the corpus."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.errors import ArtifactError
from kgrel.text.contexts import open_batches
from kgrel.text.corpus import Corpus, Evidence

EVIDENCE = "evidence.arrow"
SCHEMA = pa.schema([pa.field("context", pa.int64(), nullable=False)])


def write_evidence(path: Path, heads: npt.NDArray[np.int32], tails: npt.NDArray[np.int32], entities: int) -> None:
    """Write the rows of all contexts sorted by unordered pair, as :class:`~kgrel.text.pairs.PairCounts` sorts them.

    Args:
        heads: int32 [N], entity row of the first mention of each context; ``tails`` of the second.
        entities: number of entities.
    """
    low, high = np.minimum(heads, tails).astype(np.int64), np.maximum(heads, tails)
    order = np.argsort(low * entities + high, kind="stable").astype(np.int64)
    with pa.ipc.new_file(str(path), SCHEMA) as writer:
        writer.write_batch(pa.record_batch([pa.array(order)], schema=SCHEMA))


@dataclass(frozen=True)
class EvidenceIndex:
    """The contexts of each pair.

    Attributes:
        corpus: the corpus that it belongs to.
        rows: int64 [N], context rows sorted by pair; a view of the memory map.
        begins: int64 [P + 1], where the rows of each pair of ``corpus.pairs`` begin.
    """

    corpus: Corpus
    rows: npt.NDArray[np.int64]
    begins: npt.NDArray[np.int64]

    @classmethod
    def of(cls, corpus: Corpus) -> EvidenceIndex:
        """Open the index of a corpus.

        Raises:
            ArtifactError: the corpus was built without one.
        """
        if EVIDENCE not in corpus.artifact.manifest.files:
            raise ArtifactError(f"{corpus.artifact.path}: has no {EVIDENCE}; build the corpus again for evidence")
        (batch,) = open_batches(corpus.artifact.file(EVIDENCE), SCHEMA)
        return cls(corpus, batch.column("context").to_numpy(), np.concatenate([[0], np.cumsum(corpus.pairs.counts)]))

    def contexts(self, first: int, second: int) -> npt.NDArray[np.int64]:
        """Rows of the contexts of two entity rows in either order, ascending; empty if they share none."""
        pairs = self.corpus.pairs
        low, high = sorted((first, second))
        begin, end = np.searchsorted(pairs.heads, [low, low + 1])
        place = begin + np.searchsorted(pairs.tails[begin:end], high)
        if place == end or pairs.tails[place] != high:
            return np.empty(0, np.int64)
        return self.rows[self.begins[place] : self.begins[place + 1]]

    def sentences(self, first: int, second: int, limit: int | None = None) -> list[Evidence]:
        """The sentences of two entity rows, in the order of the corpus."""
        return [self.corpus.sentence_of(int(row)) for row in self.contexts(first, second)[:limit]]


def find_entity(corpus: Corpus, text: str) -> int:
    """Row of an entity given by its identifier in any spelling, or by its name in any case.

    Raises:
        KgrelError: the corpus has no such entity, or several; the message names some.
    """
    return corpus.entities.named(text, f"stands in a context of {corpus.artifact.path}")


def marked(found: Evidence) -> str:
    """A sentence with its document as HTML, both mentions marked."""
    doc_id, text, head, tail = found
    pieces = (text[: head[0]], text[slice(*head)], text[head[1] : tail[0]], text[slice(*tail)], text[tail[1] :])
    before, one, between, two, after = map(html.escape, pieces)
    shown = f"{before}<mark>{one}</mark>{between}<mark>{two}</mark>{after}"
    return f"{shown} <span class=note>{html.escape(doc_id)}</span>"
