"""Files for ``neo4j-admin database import full`` (Neo4j 5 and later), and for ``LOAD CSV``.

Headers stand in files of their own, so that the same part files serve both. The importer trims what is not quoted,
reads ``""`` as the empty text and nothing as none, knows no escape inside a list, and makes no index.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kgrel.export.batch import EdgeBatch, EdgeSource
from kgrel.export.bundle import Bundle, bundle
from kgrel.export.csv_style import CsvStyle, csv_edges, csv_nodes
from kgrel.export.cypher import BASE_LABEL, constraint, quoted, with_runs
from kgrel.export.record import Field, Kind

PART_ROWS = 1 << 20
"""About so many edges stand in one part file."""
_TYPES: dict[Kind, str] = {
    "text": "string",
    "texts": "string[]",
    "number": "double",
    "whole": "long",
    "flag": "boolean",
}
_FIXED = {"subject": ":START_ID(node)", "object": ":END_ID(node)", "predicate": ":TYPE"}
_NODE_HEADER = "id:ID(node),:LABEL,category:string[],name:string"

IMPORT = """#!/bin/sh
# Makes a new database from these files: sh import.sh [DATABASE]. The server must not be using it.
# Then run constraints.cypher on it: the import makes no index.
set -eu
cd "$(dirname "$0")"
exec neo4j-admin database import full "${1:-neo4j}" \\
    --multiline-fields=true --array-delimiter=';' --quote='"' --trim-strings=false --skip-bad-relationships=false \\
    --nodes="nodes-header.csv,nodes-part-.*" \\
    --relationships="edges-header.csv,edges-part-.*"
"""


def write(source: EdgeSource, out: Path, overwrite: bool = False) -> Bundle:
    """Write headers, part files, ``import.sh``, ``constraints.cypher`` and ``load.cypher`` into ``out``.

    Raises:
        KgrelError: see :func:`kgrel.export.bundle.bundle`.
    """
    style = CsvStyle()
    with bundle(source, "neo4j-csv", out, overwrite) as made:
        made.text("nodes-header.csv", _NODE_HEADER + "\n")
        made.text("edges-header.csv", ",".join(map(_column, source.fields)) + "\n")
        made.lines("nodes-part-0001.csv", csv_nodes(source.nodes(), style, BASE_LABEL))
        parts = _write_edges(source, made, style)
        made.text("import.sh", IMPORT, executable=True)
        made.text("constraints.cypher", constraint(BASE_LABEL) + ";\n")
        made.text("load.cypher", load_script(source, parts))
        made.counts["replaced"] = style.replaced
    return made


def _column(field: Field) -> str:
    return _FIXED.get(field.name, f"{field.name}:{_TYPES[field.kind]}")


def _write_edges(source: EdgeSource, made: Bundle, style: CsvStyle) -> list[str]:
    """The part files; returns their names."""
    batches = source.batches()
    names: list[str] = []
    while (first := next(batches, None)) is not None:
        names.append(f"edges-part-{len(names) + 1:04}.csv")
        made.blocks(names[-1], (csv_edges(source.fields, batch, style) for batch in _part(first, batches)))
    if not names:
        names.append("edges-part-0001.csv")
        made.text(names[0], "")
    return names


def _part(first: EdgeBatch, others: Iterator[EdgeBatch]) -> Iterator[EdgeBatch]:
    """Batches until the part is full."""
    rows = first.size
    yield first
    while rows < PART_ROWS:
        batch = next(others, None)
        if batch is None:
            return
        rows += batch.size
        yield batch


def load_script(source: EdgeSource, parts: list[str]) -> str:
    """Cypher that loads the same files into a running database; repeated, it changes nothing."""
    cells = {entry.name: _cell(entry, place) for place, entry in enumerate(source.fields)}
    apart = ("id", "subject", "predicate", "object", "kgrel_run_ids")
    ends = {entry.name: f"row[{place}]" for place, entry in enumerate(source.fields) if entry.name in apart}
    run = cells["kgrel_run_ids"]
    properties = ", ".join(f"{quoted(name)}: {cell}" for name, cell in cells.items() if name not in apart)
    lines = [
        "// Copy the part files to the import directory of the server and run this with cypher-shell.",
        "// Names with a backslash need db.import.csv.legacy_quote_escaping=false.",
        constraint(BASE_LABEL) + ";",
        "LOAD CSV FROM 'file:///nodes-part-0001.csv' AS row",
        f"CALL (row) {{ MERGE (n:{BASE_LABEL} {{id: row[0]}})",
        f"  ON CREATE SET n.category = split(row[2], ';'), n.name = {_given('row[3]')} }}",
        "IN TRANSACTIONS OF 5000 ROWS;",
    ]
    for part in parts:
        for predicate in source.predicates:
            lines += [
                f"LOAD CSV FROM 'file:///{part}' AS row WITH row WHERE {ends['predicate']} = {text_literal(predicate)}",
                f"CALL (row) {{ MATCH (s:{BASE_LABEL} {{id: {ends['subject']}}})",
                f"  MATCH (o:{BASE_LABEL} {{id: {ends['object']}}})",
                f"  MERGE (s)-[r:{quoted(predicate)} {{id: {ends['id']}}}]->(o)",
                f"  SET r += {{{properties}}}, r.kgrel_run_ids = {with_runs(run)} }} IN TRANSACTIONS OF 5000 ROWS;",
            ]
    return "\n".join(lines) + "\n"


def _given(cell: str) -> str:
    """A cell, null where it is empty: some servers read an empty field as the empty text."""
    return f"CASE {cell} WHEN '' THEN null ELSE {cell} END"


def _cell(field: Field, place: int) -> str:
    cell = _given(f"row[{place}]")
    forms: dict[Kind, str] = {
        "text": cell,
        "texts": f"split({cell}, ';')",
        "number": f"toFloat({cell})",
        "whole": f"toInteger({cell})",
        "flag": f"toBoolean({cell})",
    }
    return forms[field.kind]


def text_literal(text: str) -> str:
    """A text as a Cypher literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
