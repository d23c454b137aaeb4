"""KGX: nodes and edges as JSON Lines or TSV, with a manifest of counts and checksums.

https://github.com/biolink/kgx, specification/kgx-format.md. The order of demand of knowledge-graph teams puts it
first; the edges are those of :class:`kgrel.export.record.Edge`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kgrel.export.batch import EdgeBatch, EdgeSource
from kgrel.export.bundle import Bundle, bundle
from kgrel.export.fragments import Content, JsonStyle, fragment, json_text, lines_of
from kgrel.export.record import Field, Node
from kgrel.export.settings import KgxSettings

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class TsvStyle:
    """Tab-separated text without quoting, ``|`` between the items of a list.

    What would end a field or a line becomes a blank; :attr:`replaced` counts the texts.
    """

    def __init__(self) -> None:
        self.replaced = 0

    def text(self, value: str) -> str:
        """A field."""
        plain = _BREAKS.sub(" ", value)
        self.replaced += plain != value
        return plain

    def texts(self, values: Sequence[str]) -> str:
        """A list."""
        return "|".join(map(self.text, values))


def write(source: EdgeSource, out: Path, settings: KgxSettings | None = None, overwrite: bool = False) -> Bundle:
    """Write ``nodes.jsonl`` and ``edges.jsonl``, or ``.tsv``, into the directory ``out``.

    Raises:
        KgrelError: see :func:`kgrel.export.bundle.bundle`.
    """
    settings = settings or KgxSettings()
    with bundle(source, "kgx", out, overwrite, {"table": settings.table}) as made:
        if settings.table == "jsonl":
            made.lines("nodes.jsonl", map(_json_node, source.nodes()))
            made.blocks("edges.jsonl", (_json_edges(source.fields, batch) for batch in source.batches()))
        else:
            style = TsvStyle()
            made.lines("nodes.tsv", _tsv_nodes(source.nodes(), style))
            made.blocks("edges.tsv", _tsv_edges(source, style))
            made.counts["replaced"] = style.replaced
    return made


def _json_node(node: Node) -> str:
    values: dict[str, Any] = {"id": node.id, "category": list(node.category)}
    return json_text(values | ({"name": node.name} if node.name is not None else {})) + "\n"


def _json_edges(fields: Sequence[Field], batch: EdgeBatch) -> Content:
    style = JsonStyle()
    first, *others = fields
    parts = [fragment(first, batch.columns[first.name], style, f'{{"{first.name}":"', '"')]
    parts += [fragment(f, batch.columns[f.name], style, f',"{f.name}":') for f in others]
    return lines_of([*parts, "}\n"], batch.size)


def _tsv_nodes(nodes: Iterable[Node], style: TsvStyle) -> Iterable[str]:
    yield "id\tcategory\tname\n"
    for node in nodes:
        yield f"{node.id}\t{style.texts(node.category)}\t{style.text(node.name or '')}\n"


def _tsv_edges(source: EdgeSource, style: TsvStyle) -> Iterable[Content]:
    yield ("\t".join(field.name for field in source.fields) + "\n").encode()
    for batch in source.batches():
        parts = []
        for place, entry in enumerate(source.fields):
            parts += ["\t" if place else "", fragment(entry, batch.columns[entry.name], style)]
        yield lines_of([*parts, "\n"], batch.size)
