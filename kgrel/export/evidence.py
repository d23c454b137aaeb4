"""The documents whose sentences name both entities of a pair."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.entities import EntityTable
from kgrel.export.biolink import curie_of
from kgrel.text.corpus import Corpus
from kgrel.text.documents import UNKNOWN_DOCUMENT
from kgrel.text.evidence import EvidenceIndex

Rows = npt.NDArray[np.int64]
_PUBLICATION = re.compile(r"(PMID:\d+|PMC:\d+|doi:10\..+)")
_UNKNOWN = ("", UNKNOWN_DOCUMENT)


def document_curie(doc_id: str) -> tuple[str | None, bool]:
    """CURIE of a document, None where it is unknown; and whether it is a publication.

    Whole numbers are PubMed's, ``PMC123`` is PubMed Central's, ``10.…/…`` a DOI.
    """
    text = doc_id.strip()
    if text in _UNKNOWN:
        return None, False
    if text.isascii() and text.isdigit():
        text = f"PMID:{text}"
    elif re.fullmatch(r"PMC\d+", text):
        text = f"PMC:{text[3:]}"
    elif text.lower().removeprefix("doi:").startswith("10."):
        text = f"doi:{text[4:] if text.lower().startswith('doi:') else text}"
    curie = curie_of(text, "kgrel.document")
    return curie, _PUBLICATION.fullmatch(curie) is not None


@dataclass(frozen=True)
class Found:
    """The evidence of n pairs.

    Attributes:
        publications: list of CURIEs for each pair, null where there is none (n,).
        others: likewise, of documents that are no publications.
        cut: pairs that have more documents than are given.
        unknown: contexts whose document is unknown.
    """

    publications: pa.Array
    others: pa.Array
    cut: int
    unknown: int


class Evidence:
    """Finds the documents of pairs; memory is linear in the corpus, not in the pairs.

    Args:
        entities: the rows that pairs are given in.
        limit: documents of a pair at most; 0 = no limit.
    """

    def __init__(self, corpus: Corpus, entities: EntityTable, limit: int) -> None:
        self._index = EvidenceIndex.of(corpus)
        self._limit = limit
        size = len(corpus.entities)
        rows = {key: row for row, key in enumerate(zip(corpus.entities.types, corpus.entities.ids, strict=True))}
        keys = zip(entities.types, entities.ids, strict=True)
        self._rows = np.array([rows.get(key, -1) for key in keys], np.int64)
        self._size = size
        self._keys = corpus.pairs.heads.astype(np.int64) * size + corpus.pairs.tails
        self._sentences = corpus.contexts.sentences
        documents = corpus.sentences.documents()
        self._codes: npt.NDArray[np.int32] = documents.indices.to_numpy()
        self._documents = [document_curie(text) for text in documents.dictionary.to_pylist()]

    def of(self, subjects: Rows, objects: Rows) -> Found:
        """The documents of n pairs of entity rows, each once, in the order of the corpus."""
        first, second = self._rows[subjects], self._rows[objects]
        low, high = np.minimum(first, second), np.maximum(first, second)
        wanted = low * self._size + high
        place = np.searchsorted(self._keys, wanted)
        place[place == len(self._keys)] = 0
        found: list[int] = []
        if len(self._keys):
            found = np.flatnonzero((low >= 0) & (self._keys[place] == wanted)).tolist()
        publications: list[list[str] | None] = [None] * len(subjects)
        others: list[list[str] | None] = [None] * len(subjects)
        cut = unknown = 0
        for row in found:
            begin, end = self._index.begins[place[row]], self._index.begins[place[row] + 1]
            codes = self._codes[self._sentences[self._index.rows[begin:end]]].tolist()
            known = [self._documents[code] for code in dict.fromkeys(codes)]
            unknown += sum(self._documents[code][0] is None for code in codes)
            curies = [(curie, published) for curie, published in known if curie is not None]
            cut += bool(self._limit) and len(curies) > self._limit
            curies = curies[: self._limit or None]
            publications[row] = [curie for curie, published in curies if published] or None
            others[row] = [curie for curie, published in curies if not published] or None
        type_ = pa.list_(pa.string())
        return Found(pa.array(publications, type_), pa.array(others, type_), cut, unknown)
