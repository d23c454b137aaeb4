"""Edges by columns, because a million of them one by one are slow.

A column is one value for all edges, some distinct values with a code for each edge, or a value for each edge; so a
writer formats a value once and not once for each edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.export.record import Field, Node

T = TypeVar("T")
BATCH_ROWS = 65_536
NODE_ROWS = 10_000
"""Nodes that are formatted before they are written."""


def groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` items."""
    remaining = iter(items)
    while group := list(islice(remaining, size)):
        yield group


@dataclass(frozen=True)
class Constant:
    """The same value for every edge."""

    value: Any
    """Text, a list of texts, a number, a flag, or None."""


@dataclass(frozen=True)
class Coded:
    """Distinct values, and which of them each edge has."""

    codes: npt.NDArray[np.int64]
    """Place in ``values`` (n,)."""
    values: list[Any]


@dataclass(frozen=True)
class Plain:
    """A value for each edge."""

    array: pa.Array
    """(n,) with nulls: float64, int64, bool, string, or list of string."""


Column = Constant | Coded | Plain


@dataclass(frozen=True)
class EdgeBatch:
    """n edges.

    Attributes:
        size: n.
        columns: a column for each field, in the order of the fields.
    """

    size: int
    columns: dict[str, Column]

    def values(self, name: str) -> list[Any]:
        """The values of one field, as Python values (n,)."""
        column = self.columns[name]
        if isinstance(column, Constant):
            return [column.value] * self.size
        if isinstance(column, Coded):
            return [column.values[code] for code in column.codes.tolist()]
        return list(column.array.to_pylist())

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each edge as name → value; None and empty lists are left out, lists are lists."""
        given = {name: column for name, column in self.columns.items() if not _absent(column)}
        lists = [_as_lists(self.values(name)) for name in given]
        for row in zip(*lists, strict=True):
            yield {name: value for name, value in zip(given, row, strict=True) if value is not None and value != []}


def _absent(column: Column) -> bool:
    return isinstance(column, Constant) and (column.value is None or column.value == ())


def _as_lists(values: list[Any]) -> list[Any]:
    return [list(value) if isinstance(value, tuple) else value for value in values]


class EdgeSource(Protocol):
    """What a writer reads: once the nodes, and as often as it likes the edges."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The properties that edges can have, in order."""
        ...

    @property
    def edge_count(self) -> int:
        """Number of edges."""
        ...

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        ...

    @property
    def predicates(self) -> list[str]:
        """The predicates that occur, sorted."""
        ...

    @property
    def origin(self) -> dict[str, Any]:
        """What the edges were made of, as JSON: hashes of inputs, settings, counts."""
        ...

    def nodes(self) -> Iterator[Node]:
        """The nodes that an edge ends at, each once."""
        ...

    def batches(self) -> Iterator[EdgeBatch]:
        """All edges, each once."""
        ...
