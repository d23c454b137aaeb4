"""Short paths between two entities in a graph or an edge table, as lines for people."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import networkx as nx

from kgrel.data.entities import EntityTable, parse_entity
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import TableReader, find_column, optional_column
from kgrel.graph.graph import Graph
from kgrel.graph.readers import edge_format
from kgrel.score.candidates import SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE
from kgrel.score.graph import texts

KIND = ("metaedge", "predicate", "relation", "kind", "class")
MOST_EDGES = 3
Node = tuple[str | None, str]


def short_paths(path: str | Path, entities: EntityTable, first: int, second: int, limit: int) -> list[str]:
    """The shortest simple paths of two or three edges between two entity rows, in either direction of each edge.

    An edge between the two themselves is what is to be explained, and is no path.

    Args:
        path: the directory of a GRAPH; or csv, tsv, jsonl, parquet or SIF with a header: source, target, optionally
            types and kind of edge.

    Raises:
        ArtifactError: the directory is no GRAPH.
        InputError: the table cannot be read.
    """
    graph = graph_edges(path, entities) if Path(path).is_dir() else table_edges(path, entities)
    start, end = key(entities, first), key(entities, second)
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


def graph_edges(path: str | Path, entities: EntityTable) -> nx.Graph:
    """The edges of a GRAPH; those of the same nodes are one, with all their kinds."""
    given, graph = Graph.open(path), nx.Graph()
    table = given.entities
    seen: dict[tuple[str, str | None], Node] = {}
    nodes = [node_of(entities, seen, id_, type_) for id_, type_ in zip(table.ids, table.types, strict=True)]
    graph.add_nodes_from((node, {"name": name}) for node, name in zip(nodes, table.names, strict=True))
    for type_ in given.edge_types:
        for head, tail in given.ends[:, type_.edges].T.tolist():
            add_edge(graph, nodes[head], nodes[tail], type_.relation)
    return graph


def add_edge(graph: nx.Graph, one: Node, other: Node, kind: str) -> None:
    """Join two nodes, or add a kind to the edge that joins them."""
    if not graph.has_edge(one, other):
        graph.add_edge(one, other, kinds=[])
    graph.edges[one, other]["kinds"].append(kind)


def table_edges(path: str | Path, entities: EntityTable) -> nx.Graph:
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
                    add_edge(graph, ends[0], ends[1], name or "edge")
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

    def name_of(node: Node) -> str:
        name: str = names.get(node) or graph.nodes[node].get("name") or node[1]
        return name

    told = name_of(path[0])
    for one, other in pairwise(path):
        kinds = "|".join(sorted(set(graph.edges[one, other]["kinds"])))
        told += f" –[{kinds}]– {name_of(other)}"
    return told
