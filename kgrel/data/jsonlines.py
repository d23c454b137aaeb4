"""JSON Lines: one object a line.

A column has one JSON type: text, whole numbers, numbers, true/false, or nested values (objects and lists).
Nested values are kept as their JSON text in a string column whose field metadata says so, and are written
back nested. The columns are those of the first chunk; a key that an object lacks is null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.delimited import Piece
from kgrel.data.errors import InputError, KgrelError, NonFiniteError, did_you_mean
from kgrel.data.files import decode_line, lines_in
from kgrel.data.json_values import refuse_constant

NESTED = {b"kgrel": b"json"}
"""Field metadata of a string column that holds JSON text."""

_EXACT_IN_FLOAT = 1 << 53
_NAMES = {bool: "true/false", int: "whole numbers", float: "numbers", str: "text", dict: "nested values"}
_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string(), dict: pa.string()}


def read_jsonlines(path: str | Path, stream: BinaryIO, chunk_rows: int) -> tuple[pa.Schema, Iterator[Piece]]:
    """Read the first chunk now, which decides the columns, and the others as they are asked for.

    Raises:
        InputError: an empty file, and for any line: no JSON object, a key that stands twice, NaN or
            infinity, a key that the first chunk lacks, a value of another type than its column; each with
            its line.
    """
    objects = json_objects(path, stream)
    first = list(islice(objects, chunk_rows))
    if not first:
        raise InputError(path, "is empty; at least one JSON object is needed")
    kinds = _column_kinds(path, first)
    return _schema(kinds), _pieces(path, objects, first, kinds, chunk_rows)


def json_objects(path: str | Path, stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number from 1, object)`` for each line that is not blank; any keys, values of any type.

    Raises:
        InputError: no JSON object, a key that stands twice, NaN or infinity; with its line.
    """
    for number, line in lines_in(path, stream):
        text = decode_line(path, number, line)
        if not text.strip():
            continue
        try:
            value = _DECODER.decode(text)
        except json.JSONDecodeError as error:
            message = f"is not valid JSON ({error.msg} at character {error.pos + 1})"
            raise InputError(path, message, number) from None
        except ValueError as error:
            raise InputError(path, str(error), number) from None
        except RecursionError:
            raise InputError(path, "is nested too deeply", number) from None
        if not isinstance(value, dict):
            raise InputError(path, "is not a JSON object; one object {...} a line is needed", number)
        yield number, value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = next(key for key in values if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return values


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=refuse_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _column_kinds(path: str | Path, rows: list[tuple[int, dict[str, Any]]]) -> dict[str, type]:
    """The JSON type of each column of the first chunk; a column of nulls may hold text later."""
    kinds: dict[str, type | None] = {}
    for number, values in rows:
        for name, value in values.items():
            kind, before = _kind(value), kinds.setdefault(name, None)
            if {kind, before} == {int, float}:
                kinds[name] = float
            elif kind is not None and before not in (None, kind):
                _refuse_kind(path, number, name, kind, before)
            else:
                kinds[name] = kind or before
    return {name: kind or str for name, kind in kinds.items()}


def _kind(value: Any) -> type | None:
    if value is None:
        return None
    return dict if isinstance(value, list) else type(value)


def _refuse_kind(path: str | Path, number: int, name: str, kind: type, column: type | None) -> NoReturn:
    message = f"the column {name!r} holds {_NAMES[kind]} here, but {_NAMES[column or str]} in the lines before"
    raise InputError(path, message, number)


def _schema(kinds: dict[str, type]) -> pa.Schema:
    return pa.schema(
        pa.field(name, _TYPES[kind], metadata=NESTED if kind is dict else None) for name, kind in kinds.items()
    )


def _pieces(
    path: str | Path,
    objects: Iterator[tuple[int, dict[str, Any]]],
    rows: list[tuple[int, dict[str, Any]]],
    kinds: dict[str, type],
    chunk_rows: int,
) -> Iterator[Piece]:
    schema = _schema(kinds)
    while rows:
        for number, values in rows:
            if not values.keys() <= kinds.keys():
                name = next(name for name in values if name not in kinds)
                hint = did_you_mean(name, kinds)
                message = f"the key {name!r} is not one of the first {chunk_rows} lines{hint}"
                raise InputError(path, message, number)
        columns = [_column(path, rows, name, kind) for name, kind in kinds.items()]
        yield np.array([number for number, _ in rows], np.int64), pa.table(columns, schema=schema)
        rows = list(islice(objects, chunk_rows))


def _column(path: str | Path, rows: list[tuple[int, dict[str, Any]]], name: str, kind: type) -> pa.Array:
    quick = _quick_column([values.get(name) for _, values in rows], kind)
    if quick is not None:
        return quick
    column = []
    for number, values in rows:
        value = values.get(name)
        found = _kind(value)
        if found is not None and found is not kind and (found, kind) != (int, float):
            _refuse_kind(path, number, name, found, kind)
        column.append(_storable(path, number, name, value, kind))
    return pa.array(column, _TYPES[kind])


def _quick_column(values: list[Any], kind: type) -> pa.Array | None:
    """The column if Arrow takes every value as it is, else None: then each value is looked at."""
    if kind is dict or not set(map(type, values)) <= {kind, type(None)}:
        return None
    try:
        array = pa.array(values, _TYPES[kind])
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        return None
    return array if kind is not float or pc.all(pc.is_finite(array), min_count=0).as_py() else None


def _storable(path: str | Path, number: int, name: str, value: Any, kind: type) -> Any:
    """The value as its column stores it.

    Raises:
        InputError: it would not come back as it is: too large, or half a surrogate pair.
    """
    if value is None or kind is bool:
        return value
    if kind is dict:
        return json.dumps(value, ensure_ascii=True)
    if kind is str:
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise InputError(path, f"the value of {name!r} holds half a surrogate pair", number) from None
        return value
    limit = _EXACT_IN_FLOAT if kind is float and isinstance(value, int) else (1 << 63) - 1
    if (isinstance(value, int) and abs(value) > limit) or abs(value) == math.inf:
        raise InputError(path, f"the value of {name!r} is too large; write it as text", number)
    return float(value) if kind is float else value


def encode_jsonlines(table: pa.Table) -> bytes:
    """One object a row, nested values as such.

    Raises:
        NonFiniteError: NaN or infinity, which JSON cannot hold.
        KgrelError: a column that cannot be written as JSON.
    """
    names = table.column_names
    columns = [_values(table.column(name), table.schema.field(name)) for name in names]
    lines = []
    for row in zip(*columns, strict=True):
        values = dict(zip(names, row, strict=True))
        try:
            lines.append(_ENCODER.encode(values))
        except ValueError:
            message = f"a nested value holds NaN or infinity, which JSON cannot: {values}"
            raise NonFiniteError(message) from None
        except TypeError as error:
            raise KgrelError(f"a nested value cannot be written as JSON ({error}): {values}") from None
    return "".join(line + "\n" for line in lines).encode()


def _values(column: pa.ChunkedArray, field: pa.Field) -> list[Any]:
    if field.metadata and field.metadata.get(b"kgrel") == NESTED[b"kgrel"]:
        return [None if text is None else json.loads(text) for text in column.to_pylist()]
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_floating(kind):
        finite = pc.is_finite(pc.cast(column, pa.float64()))
        if not pc.all(finite, min_count=0).as_py():
            row = pc.index(finite, False).as_py()
            place = f"row {row + 1} of a chunk"
            raise NonFiniteError(f"the column {field.name!r} holds NaN or infinity ({place}), which JSON cannot")
    if pa.types.is_nested(kind) or (pa.types.is_primitive(kind) and not pa.types.is_temporal(kind)):
        return list(column.to_pylist())
    try:
        return list(pc.cast(column, pa.large_string()).to_pylist())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        raise KgrelError(f"the column {field.name!r} ({column.type}) cannot be written as text") from None
