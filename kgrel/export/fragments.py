"""From columns to lines of text: one string kernel for a field instead of one call for a value.

A line is a row of fragments: text that is the same in every line, and arrays with a piece for each line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.export.batch import Coded, Column, Constant
from kgrel.export.record import Field, Kind

Fragment: TypeAlias = str | pa.Array
Content = bytes | memoryview
"""What is written to a file; it must not be kept."""
BLOCK_LINES = 1024
"""Lines of a block: the arrays of a whole batch of long lines are fresh memory each time, which costs more to touch
than to fill."""
_STRING = pa.large_string()
json_text: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
"""A value as JSON, not escaped beyond need."""


class Style(Protocol):
    """How a format writes texts. Numbers are written alike everywhere: shortest digits that give them back."""

    def text(self, value: str) -> str:
        """One text, with its quotes."""
        ...

    def texts(self, values: Sequence[str]) -> str:
        """A list of texts."""
        ...


def number_text(value: float) -> str:
    """The shortest digits that give the number back, never those of a whole number: ``1.0``, ``1e-7``."""
    return repr(float(value))


def fragment(
    field: Field, column: Column, style: Style, before: str = "", after: str = "", absent: str = ""
) -> Fragment:
    """The piece of each line that holds a field.

    Args:
        before: written before a value, ``after`` behind it.
        absent: written where there is no value (None or an empty list).
    """

    formatted = _formatter(field, style)

    def piece(value: Any) -> str:
        if value is None or value == () or value == []:
            return absent
        return f"{before}{formatted(value)}{after}"

    if isinstance(column, Constant):
        return piece(column.value)
    if isinstance(column, Coded):
        return pa.array(map(piece, column.values), _STRING).take(pa.array(column.codes))
    if field.kind in ("text", "texts") and field.name != "id":
        return _distinct(column.array, piece)
    return _joined_around(_cells(field, column.array), before, after, absent)


def _formatter(field: Field, style: Style) -> Callable[[Any], str]:
    formats: dict[Kind, Callable[[Any], str]] = {
        "text": style.text,
        "texts": style.texts,
        "number": number_text,
        "whole": str,
        "flag": lambda flag: "true" if flag else "false",
    }
    return formats[field.kind]


def _distinct(array: pa.Array, piece: Callable[[Any], str]) -> Fragment:
    """Texts and lists of texts, which may need quoting."""
    if array.null_count == len(array):
        return piece(None)
    return pa.array(map(piece, array.to_pylist()), _STRING)


def _cells(field: Field, array: pa.Array) -> pa.Array:
    """Numbers, flags and edge identifiers as text, null where there is none; none of them needs quoting."""
    if field.kind == "flag":
        return pc.if_else(array, _text("true"), _text("false"))
    text = pc.cast(array, _STRING)
    if field.kind == "number":
        whole = pc.invert(pc.match_substring_regex(text, "[.e]"))
        return pc.if_else(whole, pc.binary_join_element_wise(text, _text(".0"), _text("")), text)
    return text


def _joined_around(cells: pa.Array, before: str, after: str, absent: str) -> Fragment:
    if cells.null_count == len(cells):
        return absent
    if before or after:
        cells = pc.binary_join_element_wise(_text(before), cells, _text(after), _text(""))
    return pc.fill_null(cells, _text(absent)) if cells.null_count else cells


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, _STRING)


def lines_of(fragments: Sequence[Fragment], size: int) -> Content:
    """The lines, one after the other, in UTF-8; their ends are fragments too."""
    if not size:
        return b""
    merged: list[Fragment] = []
    for part in fragments:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif not isinstance(part, str) or part:
            merged.append(part)
    if not any(isinstance(part, pa.Array) for part in merged):
        return "".join(map(str, merged)).encode() * size
    pieces = [_text(part) if isinstance(part, str) else part for part in merged]
    rows = pc.binary_join_element_wise(*pieces, _text(""))
    # The strings of an array stand one behind the other already, so that nothing is copied.
    offsets = np.frombuffer(rows.buffers()[1], np.int64)[rows.offset : rows.offset + size + 1]
    return memoryview(rows.buffers()[2])[offsets[0] : offsets[-1]]


def blocks_of_lines(fragments: Sequence[Fragment], size: int, rows: int = BLOCK_LINES) -> Iterator[Content]:
    """The same lines in blocks that fit into the processor's cache, for formats that say much of each edge."""
    for begin in range(0, size, rows):
        count = min(rows, size - begin)
        yield lines_of([part if isinstance(part, str) else part.slice(begin, count) for part in fragments], count)


def concatenated(parts: Sequence[Fragment], size: int) -> pa.Array:
    """Fragments joined line by line, as an array (size,)."""
    if all(isinstance(part, str) for part in parts):
        return pa.array(np.full(size, "".join(map(str, parts)), dtype=object), _STRING)
    return pc.binary_join_element_wise(*[_text(p) if isinstance(p, str) else p for p in parts], _text(""))


class JsonStyle:
    """JSON."""

    def text(self, value: str) -> str:
        """A JSON string."""
        return encode_basestring(value)

    def texts(self, values: Sequence[str]) -> str:
        """A JSON array."""
        return json_text(list(values))
