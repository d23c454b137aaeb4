"""A knowledge graph as a sparse matrix of which nodes are joined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array, csr_array

from kgrel.data.entities import Entity, EntityTable, parse_entity
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import TableReader, find_column, optional_column
from kgrel.graph.graph import Graph
from kgrel.graph.readers import edge_format
from kgrel.score.candidates import SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE, distinct

Rows = npt.NDArray[np.int64]


def symmetric(first: Rows, second: Rows, values: Rows, size: int) -> csr_array:
    """``values`` at (first, second) and (second, first), those of the same place summed: int64 (size, size)."""
    rows, columns = np.concatenate([first, second]), np.concatenate([second, first])
    return coo_array((np.concatenate([values, values]), (rows, columns)), shape=(size, size)).tocsr()


def adjacency(first: Rows, second: Rows, size: int) -> csr_array:
    """1 where two different nodes are joined by an edge or more, in either direction: int64 (size, size)."""
    apart = first != second
    matrix = symmetric(first[apart], second[apart], np.ones(int(apart.sum()), dtype=np.int64), size)
    matrix.data[:] = 1
    return matrix


def read_graph(path: str | Path, entities: EntityTable) -> csr_array:
    """The graph of a GRAPH artifact or an edge table; its first nodes are the rows of ``entities``, others come behind.

    Memory is linear in the number of distinct edges.

    Args:
        path: the directory of a GRAPH; or csv, tsv, jsonl, parquet or SIF with a header, also compressed, with the
            columns source and target (or head and tail …), optionally their types; others, such as the kind of the
            edge, are not looked at.

    Raises:
        ArtifactError: see :meth:`kgrel.graph.graph.Graph.open`.
        InputError: the table cannot be read, or no node of it is among the entities.
    """
    nodes = Nodes(entities)
    read = _artifact_edges if Path(path).is_dir() else _table_edges
    both = read(path, nodes)
    both = both[:, (both >= 0).all(axis=0)]
    if not (both < len(entities)).any():
        raise InputError(
            path,
            f"no node of this graph is among the entities of the artifact; its nodes are {nodes.examples()}, "
            f"those of the artifact {entities.examples()}: use the same identifiers",
        )
    return adjacency(both[0], both[1], len(nodes))


def _artifact_edges(path: str | Path, nodes: Nodes) -> Rows:
    """Both ends of each edge of a GRAPH (2, E)."""
    graph = Graph.open(path)
    return nodes.rows(graph.entities.ids, graph.entities.types)[graph.ends]


def _table_edges(path: str | Path, nodes: Nodes) -> Rows:
    """Both ends of each edge of a table, each unordered pair once a chunk (2, E); −1 where an end is no node."""
    with TableReader(path, edge_format(path)) as reader:
        try:
            source, target = find_column(reader.columns, SOURCE), find_column(reader.columns, TARGET)
        except KgrelError as error:
            raise InputError(path, str(error), 1) from None
        types = [optional_column(reader.columns, names) for names in (SOURCE_TYPE, TARGET_TYPE)]
        edges = []
        for table in reader:
            sides = [
                nodes.rows(texts(table, name), texts(table, kind) if kind else None)
                for name, kind in zip((source, target), types, strict=True)
            ]
            edges.append(np.unique(np.sort(np.stack(sides), axis=0), axis=1))
    return np.concatenate(edges, axis=1) if edges else np.zeros((2, 0), dtype=np.int64)


def texts(table: pa.Table, name: str) -> list[str | None]:
    """A column's identifiers as text."""
    codes, values = distinct(table.column(name))
    return [values[code] for code in codes.tolist()]


class Nodes:
    """Numbers for nodes in any spelling: those of the entities, then others as they come."""

    def __init__(self, entities: EntityTable) -> None:
        self._entities = entities
        self._others: dict[Entity, int] = {}
        self._seen: dict[tuple[str | None, str | None], int] = {}

    def __len__(self) -> int:
        return len(self._entities) + len(self._others)

    def examples(self, count: int = 5) -> str:
        """Some of the identifiers as they were spelled, for a message."""
        shown = [f"{type_}::{id_}" if type_ else id_ for id_, type_ in list(self._seen)[:count]]
        return ", ".join(map(repr, shown)) or "none"

    def rows(self, ids: Sequence[str | None], types: Sequence[str | None] | None) -> Rows:
        """The number of each node (n,); −1 where the id is empty or stands under several types."""
        keys: list[tuple[str | None, str | None]] = list(zip(ids, types or [None] * len(ids), strict=True))
        for key in dict.fromkeys(keys):
            if key not in self._seen:
                self._seen[key] = self._number(*key)
        return np.array([self._seen[key] for key in keys], dtype=np.int64)

    def _number(self, id_: str | None, type_: str | None) -> int:
        if id_ is None or not id_.strip():
            return -1
        entity = parse_entity(id_, type_)
        row, status = self._entities.find(entity)
        if status == "unknown":
            return self._others.setdefault(entity, len(self))
        return row
