"""Exports read back, record by record, to check them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgrel.data.artifact import MANIFEST, Kind, open_artifact
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import lines_of, without_compression
from kgrel.data.json_values import parse_json
from kgrel.export.rdf_reader import ENDINGS, RdfFile
from kgrel.export.record import FIELDS
from kgrel.export.record import Kind as FieldKind

Records = Iterator[tuple[str, dict[str, Any]]]
"""(place for messages, name → value); values that are not there are left out."""

_KINDS: dict[str, FieldKind] = {field.name: field.kind for field in FIELDS} | {"category": "texts"}
_CSV_KINDS: dict[str, FieldKind] = {
    "string": "text",
    "string[]": "texts",
    "double": "number",
    "long": "whole",
    "boolean": "flag",
    "bool": "flag",
}
_CSV_FIXED = {":id": "id", "id:id": "id", ":start_id": "subject", ":end_id": "object", ":type": "predicate"}


@dataclass(frozen=True)
class ExportFiles:
    """An export that can be read; each call of a reader begins anew."""

    format: str
    nodes: Callable[[], Records]
    edges: Callable[[], Records]


def open_export(path: Path) -> ExportFiles:
    """Open a directory of kgx, neo4j-csv or neptune, a directory of foreign KGX files, a TRAPI or an RDF file.

    Raises:
        KgrelError: none of these, or a file is damaged.
    """
    if not path.exists():
        raise KgrelError(f"{path}: no such file or directory")
    if path.is_file() and path.suffix == ".json":
        return _trapi(path)
    if path.is_file() and path.suffix in ENDINGS:
        rdf = RdfFile(path)
        return ExportFiles("rdf", rdf.nodes, rdf.edges)
    if not path.is_dir():
        raise KgrelError(
            f"{path} is no directory of kgx, neo4j-csv or neptune files, no TRAPI .json and no RDF .nq or .trig; "
            "others are not checked"
        )
    format = "kgx"
    if (path / MANIFEST).exists():
        format = str(open_artifact(path, Kind.EXPORT).manifest.settings.get("format"))
    if format == "kgx":
        return ExportFiles(format, lambda: _kgx(path, "nodes"), lambda: _kgx(path, "edges"))
    if format == "neptune":
        return ExportFiles(format, lambda: _with_header(path / "nodes.csv"), lambda: _with_header(path / "edges.csv"))
    if format == "neo4j-csv":
        return ExportFiles(format, lambda: _parts(path, "nodes"), lambda: _parts(path, "edges"))
    raise KgrelError(f"{path}: exports of the format {format!r} are not checked")


def _kgx(directory: Path, what: str) -> Records:
    named = re.compile(rf"(.*_)?{what}\.(jsonl|tsv)")
    found = sorted(path for path in directory.iterdir() if named.fullmatch(without_compression(path.name)))
    if len(found) != 1:
        raise KgrelError(f"{directory} needs one file {what}.jsonl or {what}.tsv, but has {len(found)}")
    read = _jsonl if without_compression(found[0]).endswith(".jsonl") else _tsv
    return read(found[0])


def _jsonl(path: Path) -> Records:
    for number, line in lines_of(path):
        try:
            values = parse_json(line)
        except ValueError as error:
            raise InputError(path, f"is not valid JSON ({error})", number) from None
        if not isinstance(values, dict):
            raise InputError(path, "is no JSON object", number)
        yield f"{path.name}, line {number}", {name: value for name, value in values.items() if value is not None}


def _tsv(path: Path) -> Records:
    header: list[str] = []
    for number, line in lines_of(path):
        cells = line.decode("utf-8", "replace").split("\t")
        header = header or cells
        if len(cells) != len(header):
            raise InputError(path, f"has {len(cells)} fields, but the header names {len(header)}", number)
        if number > 1:
            named = ((name, _KINDS.get(name, "text"), cell) for name, cell in zip(header, cells, strict=True))
            yield f"{path.name}, line {number}", {n: _value(kind, cell, "|") for n, kind, cell in named if cell}


def _value(kind: FieldKind, cell: str, separator: str) -> Any:
    """A cell as its kind says; as text where it is none of the kind."""
    try:
        if kind == "number":
            return float(cell)
        if kind == "whole":
            return int(cell)
    except ValueError:
        return cell
    if kind == "flag":
        return {"true": True, "false": False}.get(cell, cell)
    return cell.split(separator) if kind == "texts" else cell


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        try:
            yield from csv.reader(stream, strict=True)
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(path, f"is no CSV ({error})") from None


def _with_header(path: Path) -> Records:
    rows = _rows(path)
    return _csv(path, next(rows, []), rows)


def _parts(directory: Path, what: str) -> Records:
    header = next(_rows(directory / f"{what}-header.csv"), [])
    for part in sorted(directory.glob(f"{what}-part-*.csv")):
        yield from _csv(part, header, _rows(part))


def _csv(path: Path, header: list[str], rows: Iterator[list[str]]) -> Records:
    columns = [_csv_column(name) for name in header]
    for number, cells in enumerate(rows, 1):
        if len(cells) != len(columns):
            raise InputError(path, f"row {number} has {len(cells)} fields, but the header names {len(columns)}")
        named = zip(columns, cells, strict=True)
        yield f"{path.name}, row {number}", {name: _value(kind, cell, ";") for (name, kind), cell in named if cell}


def _csv_column(name: str) -> tuple[str, FieldKind]:
    plain = name.lower().partition("(")[0]
    if plain in _CSV_FIXED:
        return _CSV_FIXED[plain], "text"
    if plain == ":label":
        return "labels", "texts"
    name, _, type_ = name.partition(":")
    return name, _CSV_KINDS.get(type_.lower(), "text")


def _trapi(path: Path) -> ExportFiles:
    try:
        graph = parse_json(path.read_bytes())
        graph = graph.get("message", graph).get("knowledge_graph", graph) if isinstance(graph, dict) else {}
        nodes, edges = graph["nodes"], graph["edges"]
        for values in (*nodes.values(), *edges.values()):
            values.get("attributes")
    except (ValueError, KeyError, AttributeError) as error:
        raise InputError(path, f"is no TRAPI knowledge_graph ({error!r})") from None
    return ExportFiles(
        "trapi",
        lambda: ((f"node {key}", {"id": key, "category": node.get("categories")}) for key, node in nodes.items()),
        lambda: ((f"edge {key}", _trapi_edge(key, edge)) for key, edge in edges.items()),
    )


def _trapi_edge(key: str, edge: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: edge[name] for name in ("subject", "predicate", "object") if name in edge}
    for attribute in edge.get("attributes") or ():
        prefix, _, name = str(attribute.get("attribute_type_id")).partition(":")
        values[f"kgrel_{name}" if prefix == "kgrel" else name] = attribute.get("value")
    for role in ("primary_knowledge_source", "supporting_data_source"):
        found = [s.get("resource_id") for s in edge.get("sources") or () if s.get("resource_role") == role]
        if found:
            values[role] = found if role != "primary_knowledge_source" or len(found) > 1 else found[0]
    return {"id": key, **values}
