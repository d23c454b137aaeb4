"""CSV files for the bulk loader of Amazon Neptune, in its openCypher format.

https://docs.aws.amazon.com/neptune/latest/userguide/bulk-load-tutorial-format-opencypher.html
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from kgrel.export.batch import EdgeSource
from kgrel.export.bundle import Bundle, bundle
from kgrel.export.csv_style import CsvStyle, csv_edges, csv_nodes
from kgrel.export.cypher import BASE_LABEL
from kgrel.export.record import Field, Kind

_TYPES: dict[Kind, str] = {"text": "String", "texts": "String[]", "number": "Double", "whole": "Long", "flag": "Bool"}
_FIXED = {"id": ":ID", "subject": ":START_ID", "object": ":END_ID", "predicate": ":TYPE"}


def write(source: EdgeSource, out: Path, overwrite: bool = False) -> Bundle:
    """Write ``nodes.csv`` and ``edges.csv``, with headers, into the directory ``out``.

    Raises:
        KgrelError: see :func:`kgrel.export.bundle.bundle`.
    """
    style = CsvStyle()
    with bundle(source, "neptune", out, overwrite) as made:
        header = ":ID,:LABEL,category:String[],name:String\n"
        made.lines("nodes.csv", chain([header], csv_nodes(source.nodes(), style, BASE_LABEL)))
        head = (",".join(map(_column, source.fields)) + "\n").encode()
        edges = (csv_edges(source.fields, batch, style) for batch in source.batches())
        made.blocks("edges.csv", chain([head], edges))
        made.counts["replaced"] = style.replaced
    return made


def _column(field: Field) -> str:
    return _FIXED.get(field.name, f"{field.name}:{_TYPES[field.kind]}")
