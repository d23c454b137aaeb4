"""The nodes of a graph while it is read: given by a file, or by the edges themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.entities import Entity, EntityTable, parse_entity
from kgrel.data.errors import InputError
from kgrel.graph.problems import Problems
from kgrel.graph.readers import NODE

Ints = npt.NDArray[np.int64]


class NodeCollector:
    """Nodes in the order in which they come, each (type, id) once.

    Attributes:
        types: of each node; ``ids`` and ``names`` likewise.
        otherwise_typed: what a CURIE says → nodes with that CURIE of which the file says another type.
    """

    def __init__(self) -> None:
        self.types: list[str] = []
        self.ids: list[str] = []
        self.names: list[str] = []
        self.otherwise_typed: dict[Entity, list[int]] = {}
        self._rows: dict[Entity, int] = {}
        self._further: list[pa.Table] = []

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, path: str | Path, lines: Ints, table: pa.Table, problems: Problems) -> None:
        """Take a table of :func:`kgrel.graph.readers.read_nodes`; of a node that stands twice the first row.

        Raises:
            InputError: a node without an identifier or a type.
        """
        fresh = np.zeros(table.num_rows, np.bool_)
        repeated = []
        columns = [table.column(name).to_pylist() for name in NODE]
        for place, (line, id_, type_, name) in enumerate(zip(lines.tolist(), *columns, strict=True)):
            entity = self._entity(path, line, id_, type_)
            if entity in self._rows:
                repeated.append((line, f"the node {entity.type}::{entity.id} stands there already"))
                continue
            fresh[place] = True
            row = self._append(entity, name)
            spelled = parse_entity(id_ or "")
            if spelled.type not in (None, entity.type):
                self.otherwise_typed.setdefault(spelled, []).append(row)
        problems.add("repeated_node", path, repeated)
        self._further.append(table.drop_columns(list(NODE)).filter(pa.array(fresh)))

    def declare(self, path: str | Path, line: int, id_: str | None, type_: str | None, name: str | None) -> int:
        """The row of a node that an edge names, made if it is new.

        Raises:
            InputError: see :meth:`add`.
        """
        entity = self._entity(path, line, id_, type_)
        row = self._rows.get(entity)
        return self._append(entity, name) if row is None else row

    def _entity(self, path: str | Path, line: int, id_: str | None, type_: str | None) -> Entity:
        entity = parse_entity(id_ or "", type_)
        if not entity.id:
            raise InputError(path, "the identifier of a node is empty", line)
        if entity.type is None:
            message = f"the node {id_!r} has no type; add it in a column of its own, or write it as TYPE::id"
            raise InputError(path, message, line)
        return entity

    def _append(self, entity: Entity, name: str | None) -> int:
        assert entity.type is not None
        row = self._rows[entity] = len(self.ids)
        self.types.append(entity.type)
        self.ids.append(entity.id)
        self.names.append(name or "")
        return row

    def by_type(self) -> tuple[EntityTable, Ints, pa.Table]:
        """The nodes sorted by type; the new row of each; and their further columns."""
        order = np.array(sorted(range(len(self)), key=self.types.__getitem__), np.int64)
        renumbered = np.empty(len(order), np.int64)
        renumbered[order] = np.arange(len(order))
        types, ids, names = (taken(column, order) for column in (self.types, self.ids, self.names))
        further = pa.concat_tables(self._further, promote_options="default") if self._further else pa.table({})
        properties = further.take(pa.array(order)) if further.num_columns else pa.table({})
        return EntityTable(types, ids, names, [[] for _ in ids]), renumbered, properties


def taken(values: Sequence[Any], order: Ints) -> list[Any]:
    """The values in another order."""
    return [values[row] for row in order.tolist()]
