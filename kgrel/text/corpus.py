"""Reading a CORPUS artifact."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgrel.data.artifact import Artifact, Kind, open_artifact, opens_artifact
from kgrel.data.entities import EntityTable
from kgrel.text.contexts import ContextStore, SentenceStore
from kgrel.text.pairs import PairCounts
from kgrel.text.tokens import Span, Vocabulary

CONTEXTS = "contexts.arrow"
SENTENCES = "sentences.arrow"
ENTITIES = "entities.parquet"
VOCABULARY = "vocabulary.json"
PAIRS = "pairs.parquet"


class Evidence(NamedTuple):
    """The sentence that a context came from."""

    doc_id: str
    """Identifier of the document as in the input; ``PMC`` alone means that it is unknown."""
    text: str
    head: Span
    """Characters (start, end) of the head's mention, the one that comes first."""
    tail: Span
    """Characters (start, end) of the tail's mention."""


@dataclass(frozen=True)
class Corpus:
    """An open corpus; contexts and sentences are memory-mapped.

    Attributes:
        artifact: path, manifest and hash.
        entities: the entities that occur in contexts, sorted by (type, id).
        vocabulary: the word table.
        contexts: N contexts.
        sentences: the sentences they came from.
        pairs: how many contexts each unordered pair has.
    """

    artifact: Artifact
    entities: EntityTable
    vocabulary: Vocabulary
    contexts: ContextStore
    sentences: SentenceStore
    pairs: PairCounts

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path, verify: bool = True) -> Corpus:
        """Open a CORPUS artifact.

        Args:
            verify: recompute the SHA-256 of every file first.

        Raises:
            ArtifactError: missing, unfinished, foreign, newer, of another kind, or damaged.
        """
        artifact = open_artifact(path, Kind.CORPUS, verify)
        entities = EntityTable.read(artifact.file(ENTITIES))
        return cls(
            artifact,
            entities,
            Vocabulary.read(artifact.file(VOCABULARY)),
            ContextStore.open(artifact.file(CONTEXTS)),
            SentenceStore.open(artifact.file(SENTENCES)),
            PairCounts.read(artifact.file(PAIRS), len(entities)),
        )

    @property
    def words(self) -> list[str]:
        """The word of each row of the word table, the four special tokens first."""
        return self.vocabulary.words

    @property
    def word_counts(self) -> npt.NDArray[np.int64]:
        """int64 [V], see :class:`~kgrel.text.tokens.Vocabulary`."""
        return self.vocabulary.counts

    def sentence_of(self, context_row: int) -> Evidence:
        """The document, sentence and mentions of a context.

        Raises:
            IndexError: no such context.
        """
        context = self.contexts.row(context_row)
        doc_id, text = self.sentences.row(context.sentence)
        head, tail = (context.head_start, context.head_end), (context.tail_start, context.tail_end)
        return Evidence(doc_id, text, head, tail)
