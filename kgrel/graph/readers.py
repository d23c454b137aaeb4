"""The files of a graph as tables of nodes and edges, whatever their format calls the columns.

A format is a list of accepted column names. What the readers yield has the names of :data:`EDGE` and :data:`NODE`,
every column text, with the line of each row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.delimited import Piece
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import open_input, without_compression
from kgrel.data.jsonlines import json_objects
from kgrel.data.tables import CHUNK_ROWS, Format, TableReader, find_column, format_of, optional_column
from kgrel.graph.settings import GraphFormat

Names = tuple[str, ...]
EDGE = ("head", "relation", "tail")
NODE = ("id", "type", "name")
HEADS: Names = ("head", "source", "subject", "head_id", "source_id")
RELATIONS: Names = ("relation", "predicate", "metaedge", "edge_type")
TAILS: Names = ("tail", "target", "object", "tail_id", "target_id")


@dataclass(frozen=True)
class Dialect:
    """What a format calls its columns.

    Attributes:
        nodes: for id, type and name of a node the accepted names; empty where the format has no nodes file.
        edges: for head, relation and tail of an edge, and for what it may say of its ends.
        optional: columns that need not be there.
        quoted: whether a field of a tsv may stand in quotes.
    """

    nodes: dict[str, Names]
    edges: dict[str, Names]
    optional: frozenset[str] = field(default_factory=frozenset)
    quoted: bool = True


_TYPED = frozenset({"head_type", "tail_type"})
DIALECTS: dict[GraphFormat, Dialect] = {
    "hetionet": Dialect(
        {"id": ("id",), "type": ("kind",), "name": ("name",)},
        {"head": ("source",), "relation": ("metaedge",), "tail": ("target",)},
    ),
    "kgx": Dialect(
        {"id": ("id",), "type": ("category",), "name": ("name",)},
        {"head": ("subject",), "relation": ("predicate",), "tail": ("object",)},
        frozenset({"name"}),
        quoted=False,
    ),
    "tsv": Dialect(
        {"id": ("id", "node_id", "identifier"), "type": ("type", "kind", "category"), "name": ("name", "label")},
        {
            "head": HEADS,
            "relation": RELATIONS,
            "tail": TAILS,
            "head_type": ("head_type", "source_type", "subject_type"),
            "tail_type": ("tail_type", "target_type", "object_type"),
        },
        _TYPED | {"name", "type"},
    ),
    "primekg": Dialect(
        {},
        {
            "head": ("x_id",),
            "relation": ("relation",),
            "tail": ("y_id",),
            "head_type": ("x_type",),
            "tail_type": ("y_type",),
            "head_name": ("x_name",),
            "tail_name": ("y_name",),
        },
    ),
}
GENERAL_CATEGORIES = frozenset(
    {
        "NamedThing",
        "Entity",
        "ThingWithTaxon",
        "BiologicalEntity",
        "PhysicalEssence",
        "PhysicalEssenceOrOccurrent",
        "OntologyClass",
        "GenomicEntity",
        "GeneOrGeneProduct",
        "GeneProductMixin",
        "MacromolecularMachineMixin",
        "ChemicalEntityOrGeneOrGeneProduct",
        "ChemicalEntityOrProteinOrPolypeptide",
        "ChemicalOrDrugOrTreatment",
        "DiseaseOrPhenotypicFeature",
        "Polypeptide",
        "SubjectOfInvestigation",
    }
)
"""Biolink categories and mixins that stand beside a more telling one."""


def edge_format(path: str | Path) -> Format:
    """The format of an edge table: a SIF with a header is a tsv."""
    return "tsv" if Path(without_compression(path)).suffix.lower() == ".sif" else format_of(path)


def type_of_category(text: str) -> str:
    """The type of a KGX category, or of several joined by ``|``: the first that is not general, without ``biolink:``.

    Examples:
        >>> type_of_category("biolink:NamedThing|biolink:Gene")
        'Gene'
    """
    names = [name.strip().removeprefix("biolink:") for name in text.split("|")]
    return next((name for name in names if name and name not in GENERAL_CATEGORIES), names[0])


def read_nodes(path: str | Path, format: GraphFormat) -> Iterator[Piece]:
    """Tables with the columns :data:`NODE`, and behind them all others of the file.

    Raises:
        InputError: a column is missing, or what :class:`~kgrel.data.tables.TableReader` raises.
        KgrelError: the format has no nodes file.
    """
    dialect = DIALECTS[format]
    if not dialect.nodes:
        raise KgrelError(f"--format {format} reads one file of edges, which holds the nodes; leave {path} out")
    for lines, table in _tables(path, format, dialect.nodes, rest=True):
        column = table.column("type")
        if format == "kgx":
            codes = pc.dictionary_encode(column.combine_chunks())
            types = pa.array([type_of_category(text or "") for text in codes.dictionary.to_pylist()], pa.string())
            table = table.set_column(table.column_names.index("type"), "type", types.take(codes.indices))
        yield lines, table


def read_edges(path: str | Path, format: GraphFormat) -> Iterator[Piece]:
    """Tables with the columns :data:`EDGE`, and those of head_type, tail_type, head_name, tail_name that there are.

    Raises:
        InputError: see :func:`read_nodes`.
    """
    return _tables(path, format, DIALECTS[format].edges)


def _tables(path: str | Path, format: GraphFormat, wanted: dict[str, Names], rest: bool = False) -> Iterator[Piece]:
    """The wanted columns under their own names; with ``rest`` the others behind them."""
    kind, dialect = edge_format(path), DIALECTS[format]
    if format == "kgx" and kind == "jsonl":
        yield from _objects(path, wanted, dialect.optional, rest)
        return
    with TableReader(path, kind, quoted=dialect.quoted) as reader:
        columns = _columns(path, reader.columns, wanted, dialect.optional)
        others = [name for name in reader.columns if name not in columns.values()] if rest else []
        for lines, table in reader.numbered():
            arrays = {name: _text(path, table, column, lines) for name, column in columns.items()}
            arrays |= {name: _text(path, table, name, lines) for name in others if name not in arrays}
            yield lines, _complete(arrays, wanted, table.num_rows)


def _columns(
    path: str | Path, columns: Sequence[str], wanted: dict[str, Names], optional: frozenset[str]
) -> dict[str, str]:
    """For each wanted column that there is, its name in the file."""
    found = {}
    for name, accepted in wanted.items():
        column = optional_column(columns, accepted)
        if column is None and name not in optional:
            try:
                find_column(columns, accepted)
            except KgrelError as error:
                raise InputError(path, str(error), 1) from None
        if column is not None:
            found[name] = column
    return found


def _text(path: str | Path, table: pa.Table, name: str, lines: np.ndarray) -> pa.ChunkedArray:
    column = table.column(name)
    if pa.types.is_floating(column.type) or pa.types.is_nested(column.type):
        raise InputError(path, f"the column {name!r} holds {column.type}; write it as text", int(lines[0]))
    return pc.cast(column, pa.string())


def _complete(arrays: dict[str, Any], wanted: dict[str, Names], rows: int) -> pa.Table:
    """Of nodes, the columns that need not be there, as nulls."""
    if "id" in wanted:
        arrays = {name: arrays.get(name, pa.nulls(rows, pa.string())) for name in NODE} | arrays
    return pa.table(arrays)


def _objects(path: str | Path, wanted: dict[str, Names], optional: frozenset[str], rest: bool) -> Iterator[Piece]:
    """KGX as JSON Lines: every object may have keys of its own, lists are joined by ``|``."""
    keys = {name: accepted[0] for name, accepted in wanted.items()}
    with open_input(path) as stream:
        objects = json_objects(path, stream)
        while some := list(islice(objects, CHUNK_ROWS)):
            lines = np.array([line for line, _ in some], np.int64)
            for line, values in some:
                missing = next((k for name, k in keys.items() if name not in optional and not values.get(k)), None)
                if missing is not None:
                    raise InputError(path, f"the object has no {missing!r}; KGX needs it", line)
            others = sorted({key for _, values in some for key in values} - set(keys.values())) if rest else []
            columns = keys | {key: key for key in others if key not in keys}
            arrays = {
                name: pa.array([_plain(values.get(key)) for _, values in some], pa.string())
                for name, key in columns.items()
            }
            yield lines, _complete(arrays, wanted, len(some))


def _plain(value: Any) -> str | None:
    """A JSON value as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "|".join(value)
    return json.dumps(value, ensure_ascii=False)
