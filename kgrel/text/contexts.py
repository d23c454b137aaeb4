"""The store of contexts: an Arrow file, written batch by batch and read through a memory map."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.errors import ArtifactError
from kgrel.text.sentences import Sentence

BATCH_ROWS = 65_536

CONTEXT_SCHEMA = pa.schema(
    [
        pa.field("head", pa.int32(), nullable=False),
        pa.field("tail", pa.int32(), nullable=False),
        pa.field("sentence", pa.int64(), nullable=False),
        pa.field("head_start", pa.int32(), nullable=False),
        pa.field("head_end", pa.int32(), nullable=False),
        pa.field("tail_start", pa.int32(), nullable=False),
        pa.field("tail_end", pa.int32(), nullable=False),
        pa.field("tokens", pa.list_(pa.field("item", pa.int32(), nullable=False)), nullable=False),
    ]
)
SENTENCE_SCHEMA = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)


class Context(NamedTuple):
    """One sentence as the context of one pair; the head is the entity that comes first."""

    head: int
    """Entity row."""
    tail: int
    """Entity row."""
    sentence: int
    """Row in the table of sentences."""
    head_start: int
    """First character of the head's mention in the sentence."""
    head_end: int
    """Character after the last."""
    tail_start: int
    """First character of the tail's mention."""
    tail_end: int
    """Character after the last."""
    tokens: list[int]
    """Rows of the word table, <END> last."""


class RowWriter:
    """Writes rows to an Arrow IPC file in record batches of ``BATCH_ROWS``, so that memory stays bounded."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._rows: list[Sequence[Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self._waiting = 0
        self._writer = pa.ipc.new_file(str(path), schema)
        self.count = 0
        """Rows appended so far."""

    def append(self, row: Sequence[Any]) -> None:
        """Add one row, its values in the order of the schema."""
        self._rows.append(row)
        self.count += 1
        if len(self._rows) == BATCH_ROWS:
            self._gather()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Add a record batch of any length."""
        self.count += batch.num_rows
        self._take(batch)

    def _gather(self) -> None:
        """Turn the appended rows into a record batch."""
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)]
        self._rows.clear()
        self._take(pa.record_batch(arrays, schema=self._schema))

    def _take(self, batch: pa.RecordBatch) -> None:
        self._batches.append(batch)
        self._waiting += batch.num_rows
        if self._waiting >= BATCH_ROWS:
            self._write(self._waiting - self._waiting % BATCH_ROWS)

    def _write(self, rows: int) -> None:
        """Write the first of the waiting rows in record batches of ``BATCH_ROWS``."""
        table = pa.Table.from_batches(self._batches, self._schema)
        for start in range(0, rows, BATCH_ROWS):
            part = table.slice(start, min(BATCH_ROWS, rows - start)).combine_chunks()
            self._writer.write_batch(part.to_batches()[0])
        self._batches = table.slice(rows).to_batches()
        self._waiting -= rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if kind is None and self._rows:
            self._gather()
        if kind is None:
            self._write(self._waiting)
        self._writer.close()


def open_batches(path: Path, schema: pa.Schema) -> list[pa.RecordBatch]:
    """The record batches of an Arrow IPC file as views of a memory map.

    Raises:
        ArtifactError: the file is no Arrow file or has other columns.
    """
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        if not reader.schema.equals(schema):
            raise ArtifactError(f"{path}: has other columns than expected; build the corpus again")
        return [reader.get_batch(number) for number in range(reader.num_record_batches)]
    except (pa.ArrowInvalid, OSError) as error:
        raise ArtifactError(f"{path}: cannot be read as an Arrow file ({error}); build the corpus again") from None


class SentenceStore:
    """The sentences that gave a context; their text stays in the memory map."""

    def __init__(self, batches: list[pa.RecordBatch]) -> None:
        self.batches = batches
        """Record batches with :data:`SENTENCE_SCHEMA`."""
        self._begins = np.cumsum([0, *(batch.num_rows for batch in batches)])

    @classmethod
    def open(cls, path: Path) -> SentenceStore:
        """Map ``sentences.arrow``.

        Raises:
            ArtifactError: the file is no table of sentences.
        """
        return cls(open_batches(path, SENTENCE_SCHEMA))

    def __len__(self) -> int:
        return int(self._begins[-1])

    def row(self, row: int) -> Sentence:
        """One sentence.

        Raises:
            IndexError: no such row.
        """
        number, place = _locate(self._begins, row)
        return Sentence(**self.batches[number].slice(place, 1).to_pylist()[0])

    def documents(self) -> pa.DictionaryArray:
        """Document of each sentence (N,); the texts of the documents are held once."""
        columns = [batch.column("doc_id").dictionary_encode() for batch in self.batches]
        return pa.chunked_array(columns, pa.dictionary(pa.int32(), pa.string())).unify_dictionaries().combine_chunks()


def _locate(begins: npt.NDArray[np.int64], row: int) -> tuple[int, int]:
    """Batch of a row, and its place in the batch."""
    if not 0 <= row < begins[-1]:
        raise IndexError(f"row {row} is not in 0 … {begins[-1] - 1}")
    number = int(np.searchsorted(begins, row, side="right")) - 1
    return number, row - int(begins[number])


class ContextStore:
    """The contexts of a corpus, in order of sentence and position; tokens stay in the memory map."""

    def __init__(self, batches: list[pa.RecordBatch]) -> None:
        self.batches = batches
        """Record batches with :data:`CONTEXT_SCHEMA`."""
        self._begins = np.cumsum([0, *(batch.num_rows for batch in batches)])
        tokens = [batch.column("tokens") for batch in batches]
        self._offsets = [column.offsets.to_numpy() for column in tokens]
        self._values = [column.values.to_numpy() for column in tokens]

    @classmethod
    def open(cls, path: Path) -> ContextStore:
        """Map ``contexts.arrow``.

        Raises:
            ArtifactError: the file is no context store.
        """
        return cls(open_batches(path, CONTEXT_SCHEMA))

    def __len__(self) -> int:
        return int(self._begins[-1])

    @cached_property
    def heads(self) -> npt.NDArray[np.int32]:
        """int32 [N], entity row of the first mention; a view if there is one record batch."""
        return self._column("head", np.int32)

    @cached_property
    def tails(self) -> npt.NDArray[np.int32]:
        """int32 [N], entity row of the second mention."""
        return self._column("tail", np.int32)

    @cached_property
    def sentences(self) -> npt.NDArray[np.int64]:
        """int64 [N], row of the sentence."""
        return self._column("sentence", np.int64)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int32]:
        """int32 [N], number of tokens."""
        parts = [np.diff(offsets) for offsets in self._offsets]
        return np.concatenate([np.empty(0, np.int32), *parts]).astype(np.int32)

    def _column(self, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        parts = [batch.column(name).to_numpy() for batch in self.batches]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, dtype), *parts])

    def gather(self, rows: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """The tokens of some contexts, padded at the end.

        Args:
            rows: integers [B], each in 0 … N − 1; in any order, repeats allowed.

        Returns:
            int32 [B, L], L the greatest length among them, filled up with 0 (= PAD).

        Raises:
            IndexError: a row is out of range.
        """
        chosen = np.asarray(rows, np.int64)
        if not len(chosen):
            return np.zeros((0, 0), np.int32)
        if chosen.min() < 0 or chosen.max() >= len(self):
            raise IndexError(f"context rows must lie in 0 … {len(self) - 1}")
        lengths = self.lengths[chosen]
        padded = np.zeros((len(chosen), int(lengths.max())), np.int32)
        inside = np.arange(padded.shape[1]) < lengths[:, None]  # (B, L)
        batch_of = np.searchsorted(self._begins, chosen, side="right") - 1
        for number in np.unique(batch_of):
            members = np.flatnonzero(batch_of == number)
            first = self._offsets[number][chosen[members] - self._begins[number]]
            places = first[:, None] + np.arange(padded.shape[1])  # (members, L)
            block = np.zeros_like(places, dtype=np.int32)
            block[inside[members]] = self._values[number][places[inside[members]]]
            padded[members] = block
        return padded

    def row(self, row: int) -> Context:
        """One context with everything that is stored of it.

        Raises:
            IndexError: no such row.
        """
        number, place = _locate(self._begins, row)
        return Context(**self.batches[number].slice(place, 1).to_pylist()[0])
