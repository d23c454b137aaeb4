"""What is wrong with the rows of a graph: all counted, the first of each kind listed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pyarrow as pa

from kgrel.data.errors import KgrelError
from kgrel.data.tables import write_table

Kind = Literal["dangling", "ambiguous", "duplicate", "self_loop", "repeated_node"]
"""An end that is no node; an end whose identifier belongs to nodes of several types; an edge that stands there already;
an edge of a node with itself; a node that stands there already."""
KINDS: tuple[Kind, ...] = get_args(Kind)
LISTED = 1000
"""Rows of each kind that are listed."""
FILE = "problems.tsv"


class Problem(NamedTuple):
    """A row and what is wrong with it."""

    kind: Kind
    file: str
    line: int
    text: str


@dataclass
class Problems:
    """Problems as they are found."""

    counts: Counter[Kind] = field(default_factory=Counter)
    listed: list[Problem] = field(default_factory=list)

    def room(self, kind: Kind) -> int:
        """How many more of a kind are listed."""
        return max(0, LISTED - self.counts[kind])

    def add(self, kind: Kind, path: str | Path, rows: list[tuple[int, str]], count: int | None = None) -> None:
        """Note rows as (line, text), or the first of ``count``."""
        name = Path(path).name
        self.listed += [Problem(kind, name, line, text) for line, text in rows[: self.room(kind)]]
        self.counts[kind] += len(rows) if count is None else count

    def refuse(self) -> None:
        """Raise if there is any.

        Raises:
            KgrelError: with the first, and how many of each kind there are.
        """
        if self.listed:
            first = self.listed[0]
            counts = ", ".join(f"{self.counts[kind]:,} {kind.replace('_', ' ')}" for kind in KINDS if self.counts[kind])
            raise KgrelError(
                f"{first.file}, line {first.line}: {first.text}; in all {counts}; correct the files, or import without "
                f"--strict, which lists them in {FILE}"
            )

    def write(self, directory: Path) -> None:
        """Write ``problems.tsv`` with the columns kind, file, line, text."""
        columns = list(zip(*self.listed, strict=True)) or [(), (), (), ()]
        types = (pa.string(), pa.string(), pa.int64(), pa.string())
        arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
        table = pa.table(arrays, names=list(Problem._fields))
        with write_table(directory / FILE, table) as writer:
            writer.write(table)
