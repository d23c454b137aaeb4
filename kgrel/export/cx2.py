"""CX2 for Cytoscape and NDEx.

https://cytoscape.org/cx/cx2/specification/cytoscape-exchange-format-specification-(version-2)/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from kgrel.data.files import atomic_file
from kgrel.export.batch import Coded, EdgeBatch, EdgeSource
from kgrel.export.fragments import Content, Fragment, JsonStyle, fragment, json_text, lines_of
from kgrel.export.record import Field, Kind, Node

_TYPES: dict[Kind, str] = {
    "text": "string",
    "texts": "list_of_string",
    "number": "double",
    "whole": "long",
    "flag": "boolean",
}
_ENDS = ("subject", "object")


def write(source: EdgeSource, out: Path, overwrite: bool = False) -> None:
    """Write the file ``out``; memory is linear in the nodes.

    Raises:
        KgrelError: see :func:`kgrel.data.files.atomic_file`.
    """
    fields = [field for field in source.fields if field.name not in _ENDS]
    numbers: dict[str, int] = {}
    with atomic_file(out, overwrite) as partial, partial.open("wb") as stream:
        stream.write(_head(source, fields).encode())
        for node in source.nodes():
            comma = "," if numbers else ""
            numbers[node.id] = len(numbers)
            stream.write(f"{comma}\n{_node(node, numbers[node.id])}".encode())
        stream.write(b'\n]},{"edges":[')
        begin = 0
        for batch in source.batches():
            lines = _edges(fields, batch, numbers, begin)
            stream.write(lines if begin else lines[1:])  # each line begins with the comma that parts it from the last
            begin += batch.size
        stream.write(b'\n]},{"status":[{"success":true}]}]\n')


def _head(source: EdgeSource, fields: Sequence[Field]) -> str:
    counts = {
        "attributeDeclarations": 1,
        "networkAttributes": 1,
        "nodes": source.node_count,
        "edges": source.edge_count,
    }
    declared = {
        "nodes": {"id": {"d": "string"}, "name": {"d": "string"}, "category": {"d": "list_of_string"}},
        "edges": {field.name: {"d": _TYPES[field.kind]} for field in fields},
        "networkAttributes": {"name": {"d": "string"}},
    }
    aspects = [
        {"CXVersion": "2.0", "hasFragments": False},
        {"metaData": [{"name": name, "elementCount": count} for name, count in counts.items()]},
        {"attributeDeclarations": [declared]},
        {"networkAttributes": [{"name": "kgrel predictions"}]},
    ]
    return "[" + ",\n".join(map(json_text, aspects)) + ',{"nodes":['


def _node(node: Node, number: int) -> str:
    values = {"id": node.id, "category": list(node.category)}
    return json_text({"id": number, "v": values | ({"name": node.name} if node.name is not None else {})})


def _edges(fields: Sequence[Field], batch: EdgeBatch, numbers: dict[str, int], begin: int) -> Content:
    ends: list[Fragment] = []
    for name, key in zip(_ENDS, ("s", "t"), strict=True):
        ends += [f',"{key}":', _numbered(batch, name, numbers)]
    identifiers = pa.array(np.arange(begin, begin + batch.size)).cast(pa.large_string())
    first, *others = fields
    values = [fragment(first, batch.columns[first.name], JsonStyle(), f'"{first.name}":"', '"')]
    values += [fragment(field, batch.columns[field.name], JsonStyle(), f',"{field.name}":') for field in others]
    return lines_of([',\n{"id":', identifiers, *ends, ',"v":{', *values, "}}"], batch.size)


def _numbered(batch: EdgeBatch, name: str, numbers: dict[str, int]) -> pa.Array:
    """The number of each edge's node, as text (n,)."""
    column = batch.columns[name]
    if isinstance(column, Coded):
        return pa.array([str(numbers[value]) for value in column.values], pa.large_string()).take(
            pa.array(column.codes)
        )
    return pa.array([str(numbers[value]) for value in batch.values(name)], pa.large_string())
