"""A TRAPI knowledge_graph as JSON, for message.knowledge_graph.

https://github.com/NCATSTranslator/ReasonerAPI, TRAPI 1.5. Every property of the record that is not of the triple is an
attribute; ``sources`` names the publisher.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc

from kgrel.data.files import atomic_file
from kgrel.export.batch import EdgeBatch, EdgeSource
from kgrel.export.fragments import Content, Fragment, JsonStyle, concatenated, fragment, json_text, lines_of
from kgrel.export.record import FIELDS, Field, Node

_OUTSIDE = ("id", "subject", "predicate", "object", "primary_knowledge_source", "supporting_data_source")
_OWN = frozenset(field.name for field in FIELDS)


class _SourceStyle(JsonStyle):
    """Resources as further sources."""

    def texts(self, values: Sequence[str]) -> str:
        """A source for each resource, each with a comma before it."""
        role = "supporting_data_source"
        return "".join("," + json_text({"resource_id": value, "resource_role": role}) for value in values)


def write(source: EdgeSource, out: Path, overwrite: bool = False) -> None:
    """Write the file ``out``.

    Raises:
        KgrelError: see :func:`kgrel.data.files.atomic_file`.
    """
    with atomic_file(out, overwrite) as partial, partial.open("wb") as stream:
        stream.write(b'{"nodes":{')
        for place, node in enumerate(source.nodes()):
            stream.write((("," if place else "") + "\n" + _node(node)).encode())
        stream.write(b'\n},"edges":{')
        for place, batch in enumerate(source.batches()):
            lines = _edges(source.fields, batch)
            stream.write(lines if place else lines[1:])  # each line begins with the comma that parts it from the last
        stream.write(b"\n}}\n")


def _node(node: Node) -> str:
    values = {"categories": list(node.category), "attributes": []}
    named = ({"name": node.name} if node.name is not None else {}) | values
    return f"{json_text(node.id)}:{json_text(named)}"


def _edges(fields: Sequence[Field], batch: EdgeBatch) -> Content:
    style, columns = JsonStyle(), batch.columns

    def cell(name: str, before: str, after: str, style: JsonStyle = style) -> Fragment:
        field = next(field for field in fields if field.name == name)
        return fragment(field, columns[name], style, before, after)

    parts = [
        cell("id", ',\n"', '":{'),
        cell("subject", '"subject":', ","),
        cell("predicate", '"predicate":', ","),
        cell("object", '"object":', ","),
        cell("primary_knowledge_source", '"sources":[{"resource_id":', ',"resource_role":"primary_knowledge_source"}'),
        cell("supporting_data_source", "", "", _SourceStyle()),
        '],"qualifiers":[',
        _qualifiers(fields, batch),
        '],"attributes":[',
    ]
    attributes = [field for field in fields if field.name in _OWN and field.name not in _OUTSIDE]
    # knowledge_level is always there and comes first, so that a comma may stand before every other.
    attributes.sort(key=lambda field: field.name != "knowledge_level")
    for place, field in enumerate(attributes):
        before = ("," if place else "") + f'{{"attribute_type_id":"{_attribute(field)}","value":'
        parts.append(fragment(field, columns[field.name], style, before, "}"))
    return lines_of([*parts, "]}"], batch.size)


def _attribute(field: Field) -> str:
    return f"biolink:{field.name}" if field.slot else f"kgrel:{field.name.removeprefix('kgrel_')}"


def _qualifiers(fields: Sequence[Field], batch: EdgeBatch) -> Fragment:
    """The qualifiers that each edge has, parted by commas."""
    parts: list[Fragment] = []
    for field in (field for field in fields if field.name not in _OWN):
        before = f',{{"qualifier_type_id":"biolink:{field.name}","qualifier_value":'
        parts.append(fragment(field, batch.columns[field.name], JsonStyle(), before, "}"))
    if not parts:
        return ""
    return pc.utf8_slice_codeunits(concatenated(parts, batch.size), 1)
