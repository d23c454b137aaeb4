"""Tables in and out: csv, tsv, jsonl and parquet by ending, in chunks, so that memory stays constant.

What is read and written back is the same list: rows in order, every column, text byte for byte. In csv and
tsv every column is text and an empty field is the empty text (a null is written as an empty field, so it
comes back as empty text); jsonl and parquet keep types and nulls. ``-`` is standard input or output and
needs a format.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.data.delimited import Piece, encode_delimited, encode_header, read_delimited
from kgrel.data.errors import InputError, KgrelError, did_you_mean
from kgrel.data.files import (
    atomic_file,
    compression_of,
    open_input,
    output_stream,
    refuse_place,
    without_compression,
)
from kgrel.data.jsonlines import encode_jsonlines, read_jsonlines

Format = Literal["csv", "tsv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
CHUNK_ROWS = 65536
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def format_of(path: str | Path, format: Format | None = None) -> Format:
    """The format that is given, or else the one that the ending says; that of a compression after it is looked through.

    Raises:
        KgrelError: neither says one of csv, tsv, jsonl, parquet.
    """
    choices = ", ".join(FORMATS)
    if format is not None:
        if format not in FORMATS:
            raise KgrelError(f"unknown table format {format!r}; choose one of {choices}")
        return format
    if str(path) == "-":
        raise KgrelError(f"standard input and output have no ending; give the format: one of {choices}")
    ending = Path(without_compression(path)).suffix.lstrip(".").lower()
    for known in FORMATS:
        if ending == known:
            return known
    raise InputError(path, f"the ending does not tell the format; rename it or give one of {choices}")


class TableReader:
    """A table, read in chunks.

    Iterating yields ``pyarrow.Table`` of exactly ``chunk_rows`` rows, the last one shorter, none empty. A
    file may be iterated again; standard input only once.

    Args:
        path: a regular file, also ``.gz`` or ``.zst``; ``-`` is standard input.
        format: needed for ``-``; otherwise it overrules the ending.
        chunk_rows: rows of a chunk.
        quoted: of csv and tsv: whether a field may stand in quotes (RFC 4180).

    Raises:
        InputError: missing, a directory, a pipe or device, empty, a column that stands twice, not of its
            format; while iterating: ragged rows, wrong quoting or types, invalid UTF-8, NUL bytes, a damaged
            compressed stream, each with its line.
        KgrelError: the format is not known.
    """

    def __init__(
        self, path: str | Path, format: Format | None = None, chunk_rows: int = CHUNK_ROWS, quoted: bool = True
    ) -> None:
        if chunk_rows < 1:
            raise ValueError(f"chunk_rows must be at least 1, not {chunk_rows}")
        self.path = str(path)
        self.format = format_of(path, format)
        self.chunk_rows, self.quoted = chunk_rows, quoted
        _refuse_streams(self.path, self.format)
        self._opened: tuple[ExitStack, Iterator[Piece]] | None = None
        self.schema: pa.Schema = pa.schema([])
        """Names and types of the columns."""
        self._open()

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.schema.names)

    @property
    def in_place(self) -> bool:
        """Whether any row can be read from the file without those before it."""
        return self.format == "parquet" and not compression_of(self.path)

    def __iter__(self) -> Iterator[pa.Table]:
        return (table for _, table in self.numbered())

    def numbered(self) -> Iterator[Piece]:
        """Yield ``(line numbers int64 [n] from 1, table)``; in a parquet file the row numbers from 1."""
        if self._opened is None and self.path == "-":
            raise KgrelError("standard input can be read only once; save it to a file")
        stack, pieces = self._opened or self._open()
        self._opened = None
        with stack:
            yield from _rechunked(pieces, self.chunk_rows)

    def close(self) -> None:
        """Close the file if it was opened and never iterated."""
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None

    def __enter__(self) -> TableReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> tuple[ExitStack, Iterator[Piece]]:
        with ExitStack() as stack:
            stream = stack.enter_context(open_input(self.path))
            if self.format == "parquet" and not self.in_place:
                stream = stack.enter_context(_spooled(stream))
            self.schema, pieces = self._read(stream)
            _refuse_twins(self.path, self.columns)
            self._opened = stack.pop_all(), pieces
        return self._opened

    def _read(self, stream: BinaryIO) -> tuple[pa.Schema, Iterator[Piece]]:
        if self.format == "parquet":
            return _read_parquet(self.path, stream, self.chunk_rows)
        if self.format == "jsonl":
            return read_jsonlines(self.path, stream, self.chunk_rows)
        return read_delimited(self.path, stream, _DELIMITERS[self.format], self.quoted)


def _refuse_streams(path: str, format: Format) -> None:
    if format == "parquet" and path == "-":
        raise KgrelError(f"{path}: parquet is read from a file only, not from a stream; save it to a file")


@contextmanager
def _spooled(stream: BinaryIO) -> Iterator[BinaryIO]:
    """A copy of the stream on disk: Parquet is read from its end, which a compressed file cannot be."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy


def _refuse_twins(path: str, columns: list[str]) -> None:
    for position, name in enumerate(columns):
        if name in columns[:position]:
            raise InputError(path, f"the column {name!r} stands twice; rename one")


def _read_parquet(path: str, stream: BinaryIO, chunk_rows: int) -> tuple[pa.Schema, Iterator[Piece]]:
    try:
        # Reading ahead would keep every row group that was read until the last one.
        file = pq.ParquetFile(stream, pre_buffer=False)
        schema = file.schema_arrow
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(path, f"is no readable parquet file ({_first_line(error)})") from None

    def pieces() -> Iterator[Piece]:
        row = 0
        try:
            for batch in file.iter_batches(batch_size=chunk_rows):
                yield np.arange(row + 1, row + len(batch) + 1), pa.Table.from_batches([batch], schema)
                row += len(batch)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(path, f"is damaged after row {row} ({_first_line(error)})") from None

    return schema, pieces()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _rechunked(pieces: Iterator[Piece], rows: int) -> Iterator[Piece]:
    """The same rows in chunks of exactly ``rows``, the last one shorter."""
    numbers: list[npt.NDArray[np.int64]] = []
    tables: list[pa.Table] = []
    held = 0
    for some_numbers, table in pieces:
        numbers.append(some_numbers)
        tables.append(table)
        held += table.num_rows
        if held < rows:
            continue
        all_numbers, all_rows = np.concatenate(numbers), pa.concat_tables(tables)
        whole = held - held % rows
        for start in range(0, whole, rows):
            yield all_numbers[start : start + rows], all_rows.slice(start, rows).combine_chunks()
        numbers, tables, held = [all_numbers[whole:]], [all_rows.slice(whole)], held - whole
    if held:
        yield np.concatenate(numbers), pa.concat_tables(tables).combine_chunks()


class TableWriter:
    """Appends tables to an output; made by :func:`write_table`."""

    def __init__(self, schema: pa.Schema, append: Callable[[pa.Table], object]) -> None:
        self.schema, self._append = schema, append
        self.rows = 0
        """Rows written so far."""

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table with the columns of the first one.

        Raises:
            ValueError: other columns, or types that do not fit.
            KgrelError: a value that the format cannot hold.
        """
        if table.column_names != self.schema.names:
            raise ValueError(f"the columns are {table.column_names}, but the file has {self.schema.names}")
        self._append(table.cast(self.schema))
        self.rows += table.num_rows


class _RowGroups:
    """Writes parquet in row groups of ``CHUNK_ROWS``, so that the bytes do not depend on the pieces."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._tables: list[pa.Table] = []
        self._held = 0

    def append(self, table: pa.Table) -> None:
        self._tables.append(table)
        self._held += table.num_rows
        while self._held >= CHUNK_ROWS:
            self._write(CHUNK_ROWS)

    def _write(self, rows: int) -> None:
        held = pa.concat_tables(self._tables)
        self._writer.write_table(held.slice(0, rows).combine_chunks())
        self._tables, self._held = [held.slice(rows)], self._held - rows

    def __enter__(self) -> _RowGroups:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._held:
            self._write(self._held)


def refuse_output(path: str | Path, schema: pa.Schema, format: Format | None, overwrite: bool) -> Format:
    """Refuse what :func:`write_table` would refuse, before the work and not after it; returns the format."""
    format = format_of(path, format)
    if compression := compression_of(path):
        raise KgrelError(f"{path}: compressed output is not written; leave out {compression}")
    _refuse_twins(str(path), list(schema.names))
    if str(path) != "-":
        refuse_place(Path(path), overwrite)
    return format


@contextmanager
def write_table(
    path: str | Path, schema: pa.Schema | pa.Table, format: Format | None = None, overwrite: bool = True
) -> Iterator[TableWriter]:
    """Write a table in pieces; a file appears whole, when the block ends well, or not at all.

    Args:
        path: ``-`` is standard output, written as the pieces come.
        schema: names and types of the columns, or a table that has them (its rows are not written).
        format: needed for ``-``; otherwise it overrules the ending.
        overwrite: whether an existing file is replaced.

    Raises:
        KgrelError: the format is not known, compressed output, the place cannot be written, a column stands
        twice.
    """
    schema = schema.schema if isinstance(schema, pa.Table) else schema
    format = refuse_output(path, schema, format, overwrite)
    with ExitStack() as stack:
        if str(path) == "-":
            stream: IO[bytes] = output_stream()
            stack.callback(stream.flush)
        else:
            stream = stack.enter_context(stack.enter_context(atomic_file(path, overwrite)).open("wb"))
        yield TableWriter(schema, _appender(stack, stream, schema, format))


def _appender(stack: ExitStack, stream: IO[bytes], schema: pa.Schema, format: Format) -> Callable[[pa.Table], object]:
    """How a table is added to the stream; begins the file where the format has a beginning."""
    if format == "parquet":
        return stack.enter_context(_RowGroups(stack.enter_context(pq.ParquetWriter(stream, schema)))).append
    if format == "jsonl":
        return lambda table: stream.write(encode_jsonlines(table))
    delimiter = _DELIMITERS[format]
    stream.write(encode_header(list(schema.names), delimiter))
    return lambda table: stream.write(encode_delimited(table, delimiter))


def optional_column(columns: Sequence[str], accepted: Sequence[str]) -> str | None:
    """The first column, in the order of ``accepted``, that bears an accepted name (case ignored), or None."""
    by_name = {name.strip().lower(): name for name in reversed(columns)}
    return next((by_name[name.lower()] for name in accepted if name.lower() in by_name), None)


def find_column(columns: Sequence[str], accepted: Sequence[str]) -> str:
    """The column that bears one of the accepted names; see :func:`optional_column`.

    Raises:
        KgrelError: there is none; names the columns that there are, and the nearest.
    """
    found = optional_column(columns, accepted)
    if found is None:
        wanted = " or ".join(repr(name) for name in accepted)
        near = next((hint for hint in (did_you_mean(name, columns) for name in accepted) if hint), "")
        raise KgrelError(f"no column {wanted}; the columns are {', '.join(map(repr, columns))}{near}")
    return found
