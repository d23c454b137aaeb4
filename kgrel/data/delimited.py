"""Comma- and tab-separated text (RFC 4180 quoting), block by block, with the line number of every row.

Every column is a string and an empty field is the empty string. Blocks of whole lines without a quote are
parsed by Arrow; the others, and those that Arrow refuses, go through the strict reader of the standard
library, which knows the line at fault. So a quote that is left open, or text after a closing quote, is an
error, never a row that silently swallows the next one. Blank lines are no rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from kgrel.data import files
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import decode_line, read_block

BLOCK_BYTES = 1 << 22
Piece = tuple[npt.NDArray[np.int64], pa.Table]
"""Line numbers [n] from 1, and the table of n rows."""

_CSV_ERRORS = {
    "unexpected end of data": "a quoted field that begins in this row is never closed",
    "field larger": f"a field is longer than {csv.field_size_limit():,} characters; is a quote left open?",
    "expected after": "text follows a closing quote; inside a quoted field a quote is written twice",
    "new-line character": "a carriage return stands inside a field without quotes; quote the field",
}


class _Lines:
    """The lines of a stream, by blocks for Arrow and one by one for the strict reader."""

    def __init__(self, path: str | Path, stream: BinaryIO, delimiter: str, quoted: bool) -> None:
        self.path, self._stream, self.delimiter, self.quoted = path, stream, delimiter, quoted
        self.number = 0
        """Lines taken so far."""
        self._rest = b""
        self._open = io.BytesIO()
        self._left = 0

    def block(self) -> bytes:
        """The next whole lines, at least one; empty at the end of the file."""
        parts, size = [self._rest], len(self._rest)
        while True:
            data = read_block(self.path, self._stream, BLOCK_BYTES, self.number)
            cut = data.rfind(b"\n") + 1
            if cut or not data:
                break
            parts.append(data)
            size += len(data)
            if size > files.LONGEST_LINE:
                files.refuse_length(self.path, self.number + 1)
        self._rest = data[cut:]
        block = b"".join([*parts, data[:cut]])
        return block.removeprefix(b"\xef\xbb\xbf") if self.number == 0 else block

    def open_block(self, block: bytes) -> None:
        """Hand out the lines of ``block`` through iteration."""
        self._open, self._left = io.BytesIO(block), len(block)

    @property
    def inside(self) -> bool:
        """Whether the opened block has lines left."""
        return self._left > 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if not self._left:  # a quoted field reaches beyond the block
            self.open_block(self.block())
        line = self._open.readline()
        if not line:
            raise StopIteration
        self._left -= len(line)
        self.number += 1
        return decode_line(self.path, self.number, line)


def read_delimited(
    path: str | Path, stream: BinaryIO, delimiter: str, quoted: bool = True
) -> tuple[pa.Schema, Iterator[Piece]]:
    """Read the header now and the rows as they are asked for.

    Args:
        quoted: whether a field may stand in quotes; otherwise a quote is a character like any other.

    Raises:
        InputError: no header, and while iterating a row with more or fewer fields than the header, wrong
            quoting, invalid UTF-8, a NUL byte or a damaged compressed stream, each with its line.
    """
    lines = _Lines(path, stream, delimiter, quoted)
    lines.open_block(lines.block())
    header = next((row for _, row in _strict_rows(lines)), None)
    if header is None:
        raise InputError(path, "is empty; a header line with the names of the columns is needed")
    return pa.schema([pa.field(name, pa.string()) for name in header]), _pieces(lines, header)


def _pieces(lines: _Lines, header: list[str]) -> Iterator[Piece]:
    if lines.inside:
        yield _strict_piece(lines, header)
    while block := lines.block():
        piece = _fast_piece(lines, block, header)
        if piece is None:
            lines.open_block(block)
            piece = _strict_piece(lines, header)
        yield piece


def _fast_piece(lines: _Lines, block: bytes, header: list[str]) -> Piece | None:
    """Let Arrow parse a block where one line is one row; None where that is not sure."""
    if (lines.quoted and b'"' in block) or b"\0" in block or block.count(b"\r") != block.count(b"\r\n"):
        return None
    rows = block.count(b"\n") + (not block.endswith(b"\n"))
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block),
            # One parsing block a call: Arrow refuses rows that do not fit into its own block.
            pyarrow.csv.ReadOptions(column_names=header, block_size=len(block) + 1),
            pyarrow.csv.ParseOptions(delimiter=lines.delimiter, quote_char=False),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != rows or _longest_field(table) > csv.field_size_limit():
        return None
    numbers = np.arange(lines.number + 1, lines.number + rows + 1, dtype=np.int64)
    lines.number += rows
    return numbers, table


def _longest_field(table: pa.Table) -> int:
    """The bytes of the longest field, which are at least its characters: the strict reader counts those."""
    return max(pc.max(pc.binary_length(column)).as_py() or 0 for column in table.columns)


def _strict_piece(lines: _Lines, header: list[str]) -> Piece:
    numbers, rows = [], []
    for number, row in _strict_rows(lines):
        if len(row) != len(header):
            raise InputError(lines.path, f"has {len(row)} fields, but the header names {len(header)}", number)
        numbers.append(number)
        rows.append(row)
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    arrays = [pa.array(column, pa.string()) for column in columns]
    return np.array(numbers, np.int64), pa.table(arrays, names=header)


def _strict_rows(lines: _Lines) -> Iterator[tuple[int, list[str]]]:
    """Rows until the opened block is used up, each with the number of its first line."""
    reader = csv.reader(
        lines, delimiter=lines.delimiter, quoting=csv.QUOTE_MINIMAL if lines.quoted else csv.QUOTE_NONE, strict=True
    )
    while lines.inside:
        number = lines.number + 1
        try:
            row = next(reader)
        except csv.Error as error:
            known = (message for sign, message in _CSV_ERRORS.items() if sign in str(error))
            raise InputError(lines.path, next(known, str(error)), number) from None
        if row:
            yield number, row


def encode_delimited(table: pa.Table, delimiter: str) -> bytes:
    """The rows as text: quoted only where needed, a null as an empty field, numbers with all their digits.

    Raises:
        KgrelError: a column that cannot be written as text.
    """
    if not table.num_rows:
        return b""
    cells = [_cells(table.column(name), name, delimiter) for name in table.column_names]
    if len(cells) == 1:  # a row that is one empty field would be a blank line
        cells[0] = pc.if_else(pc.equal(cells[0], _text("")), _text('""'), cells[0])
    last = pc.binary_join_element_wise(cells[-1], _text("\n"), _text(""))
    rows = pc.binary_join_element_wise(*cells[:-1], last, _text(delimiter))
    return b"".join(_bytes_of(chunk) for chunk in rows.chunks)


def encode_header(columns: list[str], delimiter: str) -> bytes:
    """The header line."""
    names = pa.table([pa.array([name], pa.string()) for name in columns], names=columns)
    return encode_delimited(names, delimiter)


def _bytes_of(strings: pa.LargeStringArray) -> bytes:
    """All strings of an array, one after the other."""
    everything = pa.LargeListArray.from_arrays(pa.array([0, len(strings)], pa.int64()), strings)
    return bytes(pc.binary_join(everything, _text(""))[0].as_buffer())


def _text(value: str) -> pa.LargeStringScalar:
    return pa.scalar(value, pa.large_string())


def _cells(column: pa.ChunkedArray, name: str, delimiter: str) -> pa.ChunkedArray:
    """A column as quoted text: large strings, so that 65,536 long fields do not overflow an offset."""
    try:
        text = pc.fill_null(pc.cast(column, pa.large_string()), _text(""))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        raise KgrelError(f"the column {name!r} ({column.type}) cannot be written as text") from None
    needed = pc.match_substring_regex(text, f'["\n\r\ufeff{delimiter}]')
    if not pc.any(needed).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    quoted = pc.binary_join_element_wise(_text('"'), doubled, _text('"'), _text(""))
    return pc.if_else(needed, quoted, text)
