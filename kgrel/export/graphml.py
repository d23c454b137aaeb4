"""GraphML for viewers. Lists become one text, parted by ``|``: most readers know no lists.

http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kgrel.data.files import atomic_file
from kgrel.export.batch import EdgeBatch, EdgeSource
from kgrel.export.fragments import Content, Fragment, fragment, lines_of
from kgrel.export.record import Field, Kind, Node

_TYPES: dict[Kind, str] = {"text": "string", "texts": "string", "number": "double", "whole": "long", "flag": "boolean"}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
_ESCAPED = re.compile('[&<>"\r\n\t]')
_TRIPLE = ("id", "subject", "object")


class XmlStyle:
    """XML text; characters that XML 1.0 cannot hold become U+FFFD, and :attr:`replaced` counts the texts."""

    def __init__(self) -> None:
        self.replaced = 0

    def text(self, value: str) -> str:
        """An attribute or the content of an element."""
        plain = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value)
        self.replaced += plain != value
        return _ESCAPED.sub(lambda match: _ESCAPES[match[0]], plain)

    def texts(self, values: Sequence[str]) -> str:
        """A list as one text."""
        return self.text("|".join(values))


def write(source: EdgeSource, out: Path, overwrite: bool = False) -> dict[str, int]:
    """Write the file ``out``; returns how many texts lost a character.

    Raises:
        KgrelError: see :func:`kgrel.data.files.atomic_file`.
    """
    style, fields = XmlStyle(), [field for field in source.fields if field.name not in _TRIPLE]
    with atomic_file(out, overwrite) as partial, partial.open("wb") as stream:
        stream.write(_head(fields).encode())
        for node in source.nodes():
            stream.write(_node(node, style).encode())
        for batch in source.batches():
            stream.write(_edges(fields, batch, style))
        stream.write(b"</graph>\n</graphml>\n")
    return {"replaced": style.replaced}


def _head(fields: Sequence[Field]) -> str:
    keys = [("n_category", "node", "category", "string"), ("n_name", "node", "name", "string")]
    keys += [(field.name, "edge", field.name, _TYPES[field.kind]) for field in fields]
    lines = [f'<key id="{key}" for="{of}" attr.name="{name}" attr.type="{type_}"/>' for key, of, name, type_ in keys]
    opening = '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    return "\n".join([opening, *lines, '<graph id="kgrel" edgedefault="directed">', ""])


def _node(node: Node, style: XmlStyle) -> str:
    name = "" if node.name is None else f'<data key="n_name">{style.text(node.name)}</data>'
    category = f'<data key="n_category">{style.texts(node.category)}</data>'
    return f'<node id="{style.text(node.id)}">{category}{name}</node>\n'


def _edges(fields: Sequence[Field], batch: EdgeBatch, style: XmlStyle) -> Content:
    ends = [
        fragment(Field(name, "text", True), batch.columns[name], style, f'{attribute}="', '"')
        for name, attribute in zip(_TRIPLE, ("<edge id", " source", " target"), strict=True)
    ]
    data: list[Fragment] = [
        fragment(f, batch.columns[f.name], style, f'<data key="{f.name}">', "</data>") for f in fields
    ]
    return lines_of([*ends, ">", *data, "</edge>\n"], batch.size)
