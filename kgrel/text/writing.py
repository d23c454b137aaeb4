"""What every corpus holds beside its contexts and sentences, written once these are there; contexts added to others."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.entities import EntityTable
from kgrel.text.contexts import CONTEXT_SCHEMA, SENTENCE_SCHEMA, ContextStore, RowWriter, open_batches
from kgrel.text.corpus import CONTEXTS, ENTITIES, PAIRS, SENTENCES, VOCABULARY, Corpus
from kgrel.text.evidence import EVIDENCE, write_evidence
from kgrel.text.pairs import PairCounts
from kgrel.text.tokens import SPECIAL_TOKENS, UNK, Vocabulary

WAITING = "waiting.arrow"
TOKENS = CONTEXT_SCHEMA.field("tokens").type
Rows = npt.NDArray[np.int64]


def complete(out: Path, entities: EntityTable, vocabulary: Vocabulary) -> PairCounts:
    """Write entities, vocabulary, the co-mention table and the evidence index of the contexts in ``out``."""
    entities.write(out / ENTITIES)
    vocabulary.write(out / VOCABULARY)
    store = ContextStore.open(out / CONTEXTS)
    pairs = PairCounts.of_contexts(store.heads, store.tails, len(entities))
    pairs.write(out / PAIRS)
    write_evidence(out / EVIDENCE, store.heads, store.tails, len(entities))
    return pairs


class NewContexts(NamedTuple):
    """Contexts that are sentences of their own (n,): the head's mention begins the text, the tail's ends it."""

    heads: Rows
    """Entity rows."""
    tails: Rows
    texts: pa.Array
    head_lengths: npt.NDArray[np.int32]
    """Characters of the first mention."""
    tail_lengths: npt.NDArray[np.int32]
    """Characters of the second."""
    tokens: pa.ListArray
    """Special tokens, and the other words numbered behind them in the order of :class:`AddedContexts`' words."""


class AddedContexts:
    """Writes the files of a corpus: the contexts of another one, if any, and new ones behind them.

    The new ones wait in a file until their words are counted, so that memory stays bounded.

    Args:
        entities: of the corpus to be written.
        words: the words of the new contexts, none of them a word of ``corpus``.
        doc_id: document of the new contexts.
        corpus: whose contexts come first.
        rows: row in ``entities`` of each entity of ``corpus``.
    """

    def __init__(
        self,
        out: Path,
        entities: EntityTable,
        words: list[str],
        doc_id: str,
        corpus: Corpus | None = None,
        rows: Rows | None = None,
    ) -> None:
        self._out, self._entities, self._words, self._doc_id = out, entities, words, doc_id
        self._corpus, self._rows = corpus, rows
        self._counts = np.zeros(len(SPECIAL_TOKENS) + len(words), np.int64)
        self._sentences = RowWriter(out / SENTENCES, SENTENCE_SCHEMA).__enter__()
        self._waiting = RowWriter(out / WAITING, CONTEXT_SCHEMA).__enter__()
        for batch in corpus.sentences.batches if corpus is not None else ():
            self._sentences.write_batch(batch)

    def add(self, new: NewContexts) -> None:
        """Take some contexts."""
        count = len(new.heads)
        lengths = pc.utf8_length(new.texts).to_numpy().astype(np.int32)
        columns = [
            new.heads.astype(np.int32), new.tails.astype(np.int32), self._sentences.count + np.arange(count),
            np.zeros(count, np.int32), new.head_lengths, lengths - new.tail_lengths, lengths,
        ]  # fmt: skip
        arrays = [*map(pa.array, columns), new.tokens.cast(TOKENS)]
        self._waiting.write_batch(pa.record_batch(arrays, schema=CONTEXT_SCHEMA))
        documents = pa.array([self._doc_id]).take(pa.array(np.zeros(count, np.int64)))
        self._sentences.write_batch(pa.record_batch([documents, new.texts], schema=SENTENCE_SCHEMA))
        self._counts += np.bincount(new.tokens.values.to_numpy(), minlength=len(self._counts))

    def finish(self) -> PairCounts:
        """Choose the rows of the words, write the contexts and all other files."""
        for writer in (self._sentences, self._waiting):
            writer.__exit__(None)
        vocabulary = self._vocabulary()
        with RowWriter(self._out / CONTEXTS, CONTEXT_SCHEMA) as contexts:
            if self._corpus is not None:
                assert self._rows is not None
                numbers = _numbers(vocabulary, self._corpus.words[len(SPECIAL_TOKENS) :])
                for batch in self._corpus.contexts.batches:
                    contexts.write_batch(renumbered(batch, self._rows.astype(np.int32), numbers))
            numbers, same = _numbers(vocabulary, self._words), np.arange(len(self._entities), dtype=np.int32)
            for batch in open_batches(self._out / WAITING, CONTEXT_SCHEMA):
                contexts.write_batch(renumbered(batch, same, numbers))
        (self._out / WAITING).unlink()
        return complete(self._out, self._entities, vocabulary)

    def _vocabulary(self) -> Vocabulary:
        special = len(SPECIAL_TOKENS)
        counts = {w: int(n) for w, n in zip(self._words, self._counts[special:].tolist(), strict=True) if n}
        contexts, unknown = self._waiting.count, 0
        if self._corpus is not None:
            given = self._corpus.vocabulary
            counts |= dict(zip(given.words[special:], given.counts[special:].tolist(), strict=True))
            contexts, unknown = contexts + len(self._corpus.contexts), int(given.counts[UNK])
        vocabulary = Vocabulary.of_counts(counts, special + len(counts), 0, contexts)
        vocabulary.counts[UNK] += unknown
        return vocabulary


def _numbers(vocabulary: Vocabulary, words: list[str]) -> npt.NDArray[np.int32]:
    """The row of each special token and of each word."""
    return np.array([*range(len(SPECIAL_TOKENS)), *map(vocabulary.row, words)], np.int32)


def renumbered(
    batch: pa.RecordBatch,
    entity_rows: npt.NDArray[np.int32],
    word_rows: npt.NDArray[np.int32],
    first_sentence: int = 0,
) -> pa.RecordBatch:
    """Contexts with other numbers of entities, words and sentences.

    Args:
        entity_rows, word_rows: the new number of each.
        first_sentence: what is added to the numbers of sentences.
    """
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name in ("head", "tail"):
        columns[name] = pa.array(entity_rows[columns[name].to_numpy()])
    columns["sentence"] = pa.array(columns["sentence"].to_numpy() + first_sentence)
    tokens = columns["tokens"]
    words = pa.array(word_rows[tokens.values.to_numpy()])
    columns["tokens"] = pa.ListArray.from_arrays(tokens.offsets, words, type=TOKENS)
    return pa.record_batch(list(columns.values()), schema=CONTEXT_SCHEMA)
