"""The best paths between two entities in a graph or an edge table, as lines for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from kgrel.data.entities import Entity, EntityTable, parse_entity
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import TableReader, find_column, optional_column
from kgrel.graph.best_paths import WeighedPath, best_paths, line_of
from kgrel.graph.graph import EdgeType, Graph
from kgrel.graph.readers import edge_format
from kgrel.graph.settings import PathSettings
from kgrel.graph.walks import Walks
from kgrel.score.candidates import SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE
from kgrel.score.graph import texts

KIND = ("metaedge", "predicate", "relation", "kind", "class")
Key = tuple[str, str]
"""Type, empty where it is not known, and identifier."""


@dataclass(frozen=True)
class PathFinder:
    """Paths between entities, through an opened graph."""

    walks: Walks
    entities: EntityTable
    """Those that are asked for, which need not be the graph's own."""
    names: list[str]
    """Of each node of the graph."""

    @classmethod
    def open(cls, path: str | Path, entities: EntityTable) -> PathFinder:
        """Open a graph.

        Args:
            path: the directory of a GRAPH; or csv, tsv, jsonl, parquet or SIF with a header: source, target,
                optionally types and kind of edge.

        Raises:
            ArtifactError: the directory is no GRAPH.
            InputError: the table cannot be read.
        """
        graph = Graph.open(path) if Path(path).is_dir() else table_graph(path, entities)
        return cls(Walks(graph, PathSettings().damping), entities, names_of(graph.entities, entities))

    def find(self, first: int, second: int, limit: int) -> list[WeighedPath]:
        """The simple paths of two or three edges between two entity rows that weigh most, whatever their edges'
        direction; an edge between the two themselves is what is to be explained, and is no path."""
        nodes = self.walks.graph.entities
        start, end = (node_of(nodes, self.entities, row) for row in (first, second))
        if start < 0 or end < 0 or start == end:
            return []
        return best_paths(self.walks, start, end, limit)

    def line(self, path: WeighedPath) -> str:
        """A path for people."""
        return line_of(self.walks, path, self.names)


def short_paths(path: str | Path, entities: EntityTable, first: int, second: int, limit: int) -> list[str]:
    """The best paths between two entity rows as lines; see :class:`PathFinder`."""
    finder = PathFinder.open(path, entities)
    return [finder.line(found) for found in finder.find(first, second, limit)]


def node_of(nodes: EntityTable, entities: EntityTable, row: int) -> int:
    """The node that an entity is, under its identifier or another of its own; −1 = none."""
    for id_ in (entities.ids[row], *entities.alternatives[row]):
        found, status = nodes.find(Entity(entities.types[row], id_))
        if status == "ok":
            return found
    return -1


def names_of(nodes: EntityTable, entities: EntityTable) -> list[str]:
    """The name of each node: as an entity, or else its own, or else its identifier."""
    found = []
    for type_, id_, name in zip(nodes.types, nodes.ids, nodes.names, strict=True):
        row, _ = entities.find(Entity(type_ or None, id_))
        found.append((entities.names[row] if row >= 0 else "") or name or id_)
    return found


def table_graph(path: str | Path, entities: EntityTable) -> Graph:
    """An edge table as a graph; entities in whatever spelling are one node, equal edges one edge."""
    rows: dict[Key, int] = {}
    seen: dict[tuple[str, str | None], int] = {}

    def number(text: str, type_: str | None) -> int:
        if (text, type_) not in seen:
            seen[text, type_] = rows.setdefault(key_of(entities, text, type_), len(rows))
        return seen[text, type_]

    edges: set[tuple[str, int, int]] = set()
    with TableReader(path, edge_format(path)) as reader:
        try:
            sides = find_column(reader.columns, SOURCE), find_column(reader.columns, TARGET)
        except KgrelError as error:
            raise InputError(path, str(error), 1) from None
        types = [optional_column(reader.columns, names) for names in (SOURCE_TYPE, TARGET_TYPE)]
        kind = optional_column(reader.columns, KIND)
        for table in reader:
            columns = [texts(table, name) for name in sides]
            given = [texts(table, name) if name else [None] * table.num_rows for name in (*types, kind)]
            for one, other, type_, other_type, name in zip(*columns, *given, strict=True):
                if one and other:
                    edges.add((name or "edge", number(one, type_), number(other, other_type)))
    ordered = sorted(edges)
    sizes = Counter(name for name, _, _ in ordered)  # in the order of the edges
    limits = [0, *accumulate(sizes.values())]
    stretches = [EdgeType("", name, "", *ends) for name, ends in zip(sizes, pairwise(limits), strict=True)]
    nodes = EntityTable([t for t, _ in rows], [i for _, i in rows], [""] * len(rows), [[] for _ in rows])
    ends = np.array([(head, tail) for _, head, tail in ordered], np.int64).reshape(-1, 2).T.copy()
    return Graph(nodes, ends, stretches)


def key_of(entities: EntityTable, text: str, type_: str | None) -> Key:
    """Type and identifier that a text names, as the table has them where it knows them."""
    entity = parse_entity(text, type_)
    row, status = entities.find(entity)
    return (entities.types[row], entities.ids[row]) if status == "ok" else (entity.type or "", entity.id)
