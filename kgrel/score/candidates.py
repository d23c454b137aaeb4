"""From the rows of a candidate list to entity rows and statuses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.entities import EntityTable, parse_entity
from kgrel.data.errors import KgrelError
from kgrel.data.tables import find_column, optional_column

SOURCE = ("source", "source_id", "head", "head_id", "subject", "x")
TARGET = ("target", "target_id", "tail", "tail_id", "object", "y")
SOURCE_TYPE = ("source_type", "head_type", "subject_type")
TARGET_TYPE = ("target_type", "tail_type", "object_type")

STATUSES = (
    "ok", "unknown_source", "unknown_target", "unknown_both", "self_pair", "untyped", "invalid", "inductive",
)  # fmt: skip
"""``untyped``: an id without type stands under several types, or no class relates the pair's types.
``invalid``: an id is empty. ``inductive``: scored, with an entity whose embedding was predicted from a graph."""
SCORED = ("ok", "inductive")
"""The statuses of rows that have a score."""

READABLE = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer, pa.types.is_floating,
    pa.types.is_decimal, pa.types.is_null,
)  # fmt: skip
"""Kinds of columns that identifiers and types are read from."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Columns:
    """Names of the columns that identify a pair."""

    source: str
    target: str
    source_type: str | None
    target_type: str | None


@dataclass(frozen=True)
class Resolved:
    """The pairs of a chunk: entity rows (−1 where there is none) and a status for each row."""

    heads: Rows
    tails: Rows
    status: npt.NDArray[np.str_]

    @property
    def ok(self) -> Rows:
        """Rows of the chunk that can be scored."""
        return np.flatnonzero(np.isin(self.status, SCORED))


def find_columns(names: list[str], path: str) -> Columns:
    """Find the columns by name.

    Raises:
        KgrelError: source or target is missing; the message names the file and the columns that are there.
    """
    try:
        source, target = find_column(names, SOURCE), find_column(names, TARGET)
    except KgrelError as error:
        raise KgrelError(f"{path}: {error}") from None
    return Columns(source, target, optional_column(names, SOURCE_TYPE), optional_column(names, TARGET_TYPE))


def refuse_types(schema: pa.Schema, columns: Columns, path: str) -> None:
    """Raise :class:`KgrelError` if an identifier or a type cannot be read from what its column holds."""
    for name in filter(None, (columns.source, columns.target, columns.source_type, columns.target_type)):
        found = schema.field(name).type
        held = found.value_type if pa.types.is_dictionary(found) else found
        if not any(test(held) for test in READABLE):
            raise KgrelError(f"{path}: the column {name!r} holds {found}; text or numbers are needed")


class Resolver:
    """Looks up identifiers in any spelling, each distinct one once."""

    def __init__(self, entities: EntityTable) -> None:
        self.entities = entities

    def resolve(self, table: pa.Table, columns: Columns) -> Resolved:
        """Entity rows and statuses of the pairs of a table."""
        heads, head_status = self._side(table, columns.source, columns.source_type)
        tails, tail_status = self._side(table, columns.target, columns.target_type)
        status = np.full(len(heads), "ok", dtype="U16")
        unknown_head, unknown_tail = head_status == "unknown", tail_status == "unknown"
        status[unknown_head] = "unknown_source"
        status[unknown_tail] = "unknown_target"
        status[unknown_head & unknown_tail] = "unknown_both"
        status[(heads == tails) & (heads >= 0)] = "self_pair"
        status[(head_status == "untyped") | (tail_status == "untyped")] = "untyped"
        status[(head_status == "invalid") | (tail_status == "invalid")] = "invalid"
        return Resolved(heads, tails, status)

    def _side(self, table: pa.Table, column: str, type_column: str | None) -> tuple[Rows, npt.NDArray[np.str_]]:
        """Entity row and status of one side of each pair."""
        codes, ids = distinct(table.column(column))
        types: list[str | None] = [None]
        if type_column is not None:
            type_codes, types = distinct(table.column(type_column))
            codes = codes * len(types) + type_codes
        keys, inverse = np.unique(codes, return_inverse=True)
        found = [self._find(ids[key // len(types)], types[key % len(types)]) for key in keys.tolist()]
        rows = np.array([row for row, _ in found], dtype=np.int64)
        statuses = np.array([status for _, status in found], dtype="U16")
        return rows[inverse], statuses[inverse]

    def _find(self, id_: str | None, type_: str | None) -> tuple[int, str]:
        if id_ is None or not id_.strip():
            return -1, "invalid"
        return self.entities.find(parse_entity(id_, type_))


def distinct(column: pa.ChunkedArray) -> tuple[Rows, list[str | None]]:
    """Each row's place in the list of the column's distinct values as text, see :func:`text_of`; and that list."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)  # its own dictionary may hold null, or a value twice
    encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    return encoded.indices.to_numpy().astype(np.int64), [text_of(value) for value in encoded.dictionary.to_pylist()]


def text_of(value: object) -> str | None:
    """An identifier as text: the numbers 10144 and 10144.0 (whole numbers become floats where a program keeps them
    beside missing values) are ``10144``; null and NaN are None."""
    if value is None or value != value:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
