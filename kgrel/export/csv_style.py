"""CSV as bulk loaders of graph databases read it: RFC 4180, ``;`` between the items of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kgrel.export.batch import EdgeBatch
from kgrel.export.fragments import Content, Fragment, fragment, lines_of
from kgrel.export.record import Field, Node

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BARE = re.compile(r"[A-Za-z0-9_:.\-/]+")


class CsvStyle:
    """Quoted where that is not needless; a quote is doubled, a backslash is a character like any other.

    Control characters other than tab and line ends become U+FFFD; :attr:`replaced` counts the texts.
    """

    def __init__(self) -> None:
        self.replaced = 0

    def text(self, value: str) -> str:
        """A field; the empty text is quoted, so that it is not taken for none."""
        if _BARE.fullmatch(value):
            return value
        plain = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value)
        self.replaced += plain != value
        return '"' + plain.replace('"', '""') + '"'

    def texts(self, values: Sequence[str]) -> str:
        """A list; its items hold no ``;``, see :func:`kgrel.export.biolink.require_text`."""
        return self.text(";".join(values))


def csv_edges(fields: Sequence[Field], batch: EdgeBatch, style: CsvStyle) -> Content:
    """The lines of a batch: a column for each field."""
    parts: list[Fragment] = []
    for place, entry in enumerate(fields):
        parts += ["," if place else "", fragment(entry, batch.columns[entry.name], style)]
    return lines_of([*parts, "\n"], batch.size)


def csv_nodes(nodes: Iterator[Node], style: CsvStyle, base: str) -> Iterator[str]:
    """The lines of nodes: id, labels (``base`` first), category, name."""
    for node in nodes:
        labels = style.texts([base, *node.category])
        name = "" if node.name is None else style.text(node.name)
        yield f"{style.text(node.id)},{labels},{style.texts(node.category)},{name}\n"
