"""Edges as Arrow tables, for what reads Parquet or Arrow itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from kgrel.export.batch import Column, Constant, EdgeBatch, Plain
from kgrel.export.record import Field, Kind, Node

TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "number": pa.float64(),
    "whole": pa.int64(),
    "flag": pa.bool_(),
}
NODE_SCHEMA = pa.schema({"id": pa.string(), "category": pa.list_(pa.string()), "name": pa.string()})


def edge_schema(fields: Sequence[Field]) -> pa.Schema:
    """Names and types of the columns."""
    return pa.schema([(field.name, TYPES[field.kind]) for field in fields])


def edge_table(fields: Sequence[Field], batch: EdgeBatch) -> pa.Table:
    """A batch as a table; empty lists are null."""
    arrays = [_array(batch.columns[field.name], batch.size, TYPES[field.kind]) for field in fields]
    return pa.table(arrays, schema=edge_schema(fields))


def _array(column: Column, size: int, type_: pa.DataType) -> pa.Array:
    if isinstance(column, Plain):
        return column.array.cast(type_)
    if isinstance(column, Constant):
        return pa.repeat(pa.scalar(_given(column.value), type_), size)
    return pa.array(map(_given, column.values), type_).take(pa.array(column.codes))


def _given(value: object) -> object:
    return None if value == () else value


def node_table(nodes: Iterable[Node]) -> pa.Table:
    """Nodes as a table."""
    rows = [(node.id, list(node.category), node.name) for node in nodes]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, NODE_SCHEMA, strict=True)], schema=NODE_SCHEMA)
