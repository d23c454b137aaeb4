"""Edges that a program brings one by one, as a source for every writer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from kgrel.data.errors import KgrelError
from kgrel.export.arrow import TYPES
from kgrel.export.batch import BATCH_ROWS, EdgeBatch, Plain, groups
from kgrel.export.record import FIELDS, Edge, Field, Node, qualifier_fields
from kgrel.export.selection import repeated_places

_SCHEMA = pa.schema([*((f.name, TYPES[f.kind]) for f in FIELDS), ("qualifiers", pa.map_(pa.string(), pa.string()))])
DEFAULT_CATEGORY = ("biolink:NamedThing",)


class EdgeRecords:
    """Edges kept in a temporary file; of edges with one id the first. A context manager that frees the file.

    Memory is linear in the number of nodes, not of edges (but for 8 bytes for each repeated edge).

    Args:
        edges: read once.
        nodes: what the ends are called; ends that are not among them get the category ``biolink:NamedThing`` and no
            name. Nodes that no edge ends at are left out.

    Raises:
        KgrelError: two nodes have one identifier; a whole number of more than 64 bits.
    """

    def __init__(self, edges: Iterable[Edge], nodes: Iterable[Node] = ()) -> None:
        self._given: dict[str, Node] = {}
        for node in nodes:
            if self._given.setdefault(node.id, node) != node:
                raise KgrelError(f"the node {node.id} is given twice, and differently")
        self._directory = tempfile.TemporaryDirectory(prefix="kgrel-export-")
        self._path = Path(self._directory.name) / "edges.arrow"
        self._ends: dict[str, None] = {}
        self._predicates: set[str] = set()
        self._qualifiers: set[str] = set()
        try:
            self._write(edges)
        except BaseException:
            self.close()
            raise

    def _write(self, edges: Iterable[Edge]) -> None:
        keys = []
        with pa.ipc.new_file(str(self._path), _SCHEMA) as writer:
            for group in groups(edges, BATCH_ROWS):
                writer.write_batch(self._arrow(group))
                keys.append(np.array([int(edge.id[-16:], 16) for edge in group], np.uint64).view(np.int64))
        all_keys = np.concatenate(keys) if keys else np.empty(0, np.int64)
        self._repeats = repeated_places(all_keys)
        self._count = len(all_keys) - len(self._repeats)

    def _arrow(self, edges: list[Edge]) -> pa.RecordBatch:
        for edge in edges:
            self._ends[edge.subject] = self._ends[edge.object] = None
            self._predicates.add(edge.predicate)
            self._qualifiers.update(name for name, _ in edge.qualifiers)
        columns = {entry.name: [getattr(edge, entry.name) for edge in edges] for entry in _SCHEMA}
        try:
            return pa.record_batch([pa.array(columns[f.name], f.type) for f in _SCHEMA], schema=_SCHEMA)
        except (OverflowError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise KgrelError(f"an edge holds a value that cannot be exported ({error})") from None

    @property
    def fields(self) -> tuple[Field, ...]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return FIELDS + qualifier_fields(self._qualifiers)

    @property
    def edge_count(self) -> int:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return self._count

    @property
    def node_count(self) -> int:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return len(self._ends)

    @property
    def predicates(self) -> list[str]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return sorted(self._predicates)

    @property
    def origin(self) -> dict[str, Any]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return {"parents": {}, "settings": {}}

    def nodes(self) -> Iterator[Node]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return (self._given.get(end) or Node(end, DEFAULT_CATEGORY) for end in self._ends)

    def batches(self) -> Iterator[EdgeBatch]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            begin = 0
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                end = begin + batch.num_rows
                repeats = self._repeats[slice(*np.searchsorted(self._repeats, [begin, end]))] - begin
                begin = end
                keep = np.ones(batch.num_rows, np.bool_)
                keep[repeats] = False
                yield self._batch(batch.filter(pa.array(keep)) if len(repeats) else batch)

    def _batch(self, batch: pa.RecordBatch) -> EdgeBatch:
        columns = {entry.name: Plain(batch.column(entry.name)) for entry in FIELDS}
        if self._qualifiers:
            given = [dict(pairs) for pairs in batch.column("qualifiers").to_pylist()]
            for name in self._qualifiers:
                columns[name] = Plain(pa.array([pairs.get(name) for pairs in given], pa.string()))
        return EdgeBatch(batch.num_rows, {entry.name: columns[entry.name] for entry in self.fields})

    def close(self) -> None:
        """Delete the temporary file."""
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
