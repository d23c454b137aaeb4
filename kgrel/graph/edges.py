"""The edges of a graph while it is read: spellings become rows of nodes, each spelling once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.entities import EntityTable, parse_entity
from kgrel.data.errors import InputError
from kgrel.graph.nodes import NodeCollector
from kgrel.graph.problems import Kind, Problems

Ints = npt.NDArray[np.int64]
Key = tuple[str | None, str | None]
DANGLING, AMBIGUOUS = -1, -2
SIDES = ("head", "tail")


class EdgeCollector:
    """Heads, tails and relations as numbers.

    Args:
        path: of the edges, for messages.
        nodes: receives the nodes that the edges name, where no file gives them.
        given: the nodes that a file gives; then an edge to any other is left out and counted.
    """

    def __init__(self, path: str | Path, nodes: NodeCollector, given: EntityTable | None, problems: Problems) -> None:
        self._path, self._nodes, self._given, self._problems = path, nodes, given, problems
        self._seen: dict[Key, int] = {}
        self._relations: dict[str, int] = {}
        self._pieces: list[tuple[Ints, Ints, Ints, Ints]] = []
        self.rows = 0
        """Rows of the file so far."""

    @property
    def relations(self) -> list[str]:
        """Names of the relations, in the order in which they came."""
        return list(self._relations)

    @property
    def spellings(self) -> list[str]:
        """Identifiers as the edges spell them."""
        return [id_ or "" for id_, _ in self._seen]

    def add(self, lines: Ints, table: pa.Table) -> None:
        """Take a table of :func:`kgrel.graph.readers.read_edges`.

        Raises:
            InputError: an empty identifier or relation; a node without a type where no file gives the nodes.
        """
        self.rows += table.num_rows
        heads, tails = (self._side(lines, table, side) for side in SIDES)
        relations = self._relation(lines, table.column("relation"))
        worst = np.where((heads == DANGLING) | (tails == DANGLING), DANGLING, np.minimum(heads, tails))
        for kind, sign in (("dangling", DANGLING), ("ambiguous", AMBIGUOUS)):
            self._note(kind, sign, lines, table, heads, np.flatnonzero(worst == sign))  # type: ignore[arg-type]
        good = worst >= 0
        self._pieces.append((lines[good], heads[good], relations[good], tails[good]))

    def _side(self, lines: Ints, table: pa.Table, side: str) -> Ints:
        """The node of each row (n,), or :data:`DANGLING` or :data:`AMBIGUOUS`."""
        ids, types = _codes(table, side), _codes(table, f"{side}_type")
        keys, first, places = np.unique(ids[0] * (len(types[1]) + 1) + types[0], return_index=True, return_inverse=True)
        names = table.column(f"{side}_name") if f"{side}_name" in table.column_names else None
        rows = np.empty(len(keys), np.int64)
        # By first appearance, so that nodes are numbered in the order of the file.
        for number in np.argsort(first, kind="stable").tolist():
            id_code, type_code = divmod(int(keys[number]), len(types[1]) + 1)
            key = ids[1][id_code], types[1][type_code] if type_code < len(types[1]) else None
            row = self._seen.get(key)
            if row is None:
                place = int(first[number])
                row = self._seen[key] = self._number(int(lines[place]), key, names and names[place].as_py())
            rows[number] = row
        found: Ints = rows[places.reshape(-1)]
        return found

    def _number(self, line: int, key: Key, name: str | None) -> int:
        id_, type_ = key
        if not (id_ or "").strip():
            raise InputError(self._path, "the identifier of an end is empty", line)
        if self._given is None:
            return self._nodes.declare(self._path, line, id_, type_, name)
        entity = parse_entity(id_ or "", type_)
        row, status = self._given.find(entity)
        others = self._nodes.otherwise_typed.get(entity, []) if not (type_ or "").strip() else []
        found = [row, *others] if status == "ok" else others
        if status == "untyped" or len(found) > 1:
            return AMBIGUOUS
        return found[0] if found else DANGLING

    def _relation(self, lines: Ints, column: pa.ChunkedArray) -> Ints:
        encoded = pc.dictionary_encode(column.combine_chunks())
        names = [(name or "").strip() for name in encoded.dictionary.to_pylist()]
        codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
        empty = np.array([not name for name in names] + [True])[codes]
        if empty.any():
            raise InputError(self._path, "the relation of an edge is empty", int(lines[int(np.argmax(empty))]))
        numbers = [self._relations.setdefault(name, len(self._relations)) for name in names]
        found: Ints = np.array(numbers, np.int64)[codes]
        return found

    def _note(self, kind: Kind, sign: int, lines: Ints, table: pa.Table, heads: Ints, bad: Ints) -> None:
        what = "is no node" if sign == DANGLING else "is a node of several types; write it as TYPE::id"
        shown = []
        for place in bad[: self._problems.room(kind)].tolist():
            side = "head" if heads[place] == sign else "tail"
            shown.append((int(lines[place]), f"the {side} {table.column(side)[place].as_py()!r} {what}"))
        self._problems.add(kind, self._path, shown, len(bad))

    def columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Lines, heads, relations and tails of the edges whose ends are nodes (n,) each."""
        pieces: Any = list(zip(*self._pieces, strict=True)) or [[np.empty(0, np.int64)]] * 4
        lines, heads, relations, tails = (np.concatenate(column) for column in pieces)
        return lines, heads, relations, tails


def _codes(table: pa.Table, name: str) -> tuple[Ints, list[str | None]]:
    """A text column as (code of each row (n,), distinct values); a column that is not there has code 0 of none."""
    if name not in table.column_names:
        return np.zeros(table.num_rows, np.int64), []
    encoded = pc.dictionary_encode(table.column(name).combine_chunks(), null_encoding="encode")
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()
