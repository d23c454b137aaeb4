"""Short paths between two entities in an edge table, as lines for people."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import networkx as nx

from kgrel.data.entities import EntityTable, parse_entity
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import TableReader, find_column, optional_column
from kgrel.score.candidates import SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE
from kgrel.score.graph import edge_format, texts

KIND = ("metaedge", "predicate", "relation", "kind", "class")
MOST_EDGES = 3
Node = tuple[str | None, str]


def short_paths(path: str | Path, entities: EntityTable, first: int, second: int, limit: int) -> list[str]:
    """The shortest simple paths of two or three edges between two entity rows, in either direction of each edge.

    An edge between the two themselves is what is to be explained, and is no path.

    Args:
        path: csv, tsv, jsonl, parquet or SIF with a header: source, target, optionally types and kind of edge.

    Raises:
        InputError: the table cannot be read.
    """
    graph, start, end = read_edges(path, entities), key(entities, first), key(entities, second)
    if start not in graph or end not in graph:
        return []
    if graph.has_edge(start, end):
        graph.remove_edge(start, end)
    found: list[list[Node]] = []
    for edges in range(2, MOST_EDGES + 1):
        longer = (nodes for nodes in nx.all_simple_paths(graph, start, end, edges) if len(nodes) == edges + 1)
        found += islice(longer, limit - len(found))
    names = {key(entities, row): name for row, name in enumerate(entities.names)}
    return [line_of(graph, nodes, names) for nodes in found]


def key(entities: EntityTable, row: int) -> Node:
    """The node of an entity."""
    return entities.types[row], entities.ids[row]


def read_edges(path: str | Path, entities: EntityTable) -> nx.Graph:
    """The edges of a table; those of the same nodes are one, with all their kinds."""
    graph = nx.Graph()
    with TableReader(path, edge_format(path)) as reader:
        try:
            sides = find_column(reader.columns, SOURCE), find_column(reader.columns, TARGET)
        except KgrelError as error:
            raise InputError(path, str(error), 1) from None
        types = [optional_column(reader.columns, names) for names in (SOURCE_TYPE, TARGET_TYPE)]
        kind = optional_column(reader.columns, KIND)
        nodes: dict[tuple[str, str | None], Node] = {}
        for table in reader:
            columns = [texts(table, name) for name in sides]
            given = [texts(table, name) if name else [None] * table.num_rows for name in types]
            kinds = texts(table, kind) if kind else [None] * table.num_rows
            for one, other, type_, other_type, name in zip(*columns, *given, kinds, strict=True):
                if one and other:
                    ends = [node_of(entities, nodes, text, t) for text, t in ((one, type_), (other, other_type))]
                    if not graph.has_edge(*ends):
                        graph.add_edge(*ends, kinds=[])
                    graph.edges[ends[0], ends[1]]["kinds"].append(name or "edge")
    return graph


def node_of(entities: EntityTable, nodes: dict[tuple[str, str | None], Node], text: str, type_: str | None) -> Node:
    """The node that a text names; entities of the table in whatever spelling are one node."""
    if (text, type_) not in nodes:
        entity = parse_entity(text, type_)
        row, status = entities.find(entity)
        nodes[text, type_] = key(entities, row) if status == "ok" else (entity.type, entity.id)
    return nodes[text, type_]


def line_of(graph: nx.Graph, path: list[Node], names: dict[Node, str]) -> str:
    """``AKT1 –[GiG]– GSK3B –[DaG]– …``."""
    told = names.get(path[0], path[0][1])
    for one, other in pairwise(path):
        kinds = "|".join(sorted(set(graph.edges[one, other]["kinds"])))
        told += f" –[{kinds}]– {names.get(other, other[1])}"
    return told
