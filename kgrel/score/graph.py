"""A knowledge graph of given edges, as a sparse matrix of which nodes are joined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array, csr_array

from kgrel.data.entities import Entity, EntityTable, parse_entity
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import Format, TableReader, find_column, format_of, optional_column
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
    """The graph of an edge table; its first nodes are the rows of ``entities``, whatever else it has comes behind.

    Memory is linear in the number of distinct edges.

    Args:
        path: csv, tsv, jsonl, parquet or SIF with a header, also ``.gz``, with the columns source and target (or head
            and tail …), optionally their types; others, such as the kind of the edge, are not looked at.

    Raises:
        InputError: the table cannot be read, or no node of it is among the entities.
    """
    with TableReader(path, edge_format(path)) as reader:
        try:
            source, target = find_column(reader.columns, SOURCE), find_column(reader.columns, TARGET)
        except KgrelError as error:
            raise InputError(path, str(error), 1) from None
        types = [optional_column(reader.columns, names) for names in (SOURCE_TYPE, TARGET_TYPE)]
        nodes = Nodes(entities)
        edges = []
        for table in reader:
            sides = [
                nodes.rows(texts(table, name), texts(table, kind) if kind else None)
                for name, kind in zip((source, target), types, strict=True)
            ]
            edges.append(np.unique(np.sort(np.stack(sides), axis=0), axis=1))
    both = np.concatenate(edges, axis=1) if edges else np.zeros((2, 0), dtype=np.int64)
    both = both[:, (both >= 0).all(axis=0)]
    if not (both < len(entities)).any():
        raise InputError(path, "no node of this graph is among the entities of the artifact; are its ids TYPE::id?")
    return adjacency(both[0], both[1], len(nodes))


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

    def rows(self, ids: list[str | None], types: list[str | None] | None) -> Rows:
        """The number of each node (n,); −1 where the id is empty or stands under several types."""
        keys = list(zip(ids, types or [None] * len(ids), strict=True))
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


def edge_format(path: str | Path) -> Format:
    """The format of an edge table: a SIF with a header is a tsv."""
    return "tsv" if Path(str(path).removesuffix(".gz")).suffix.lower() == ".sif" else format_of(path)
