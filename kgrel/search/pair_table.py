"""The pairs of an index: entity rows, what is listed and how often they are mentioned, by number of pair."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError
from kgrel.data.relations import ResolvedRelations

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PairTable:
    """The pairs of an index; the number of a pair is its row here.

    Attributes:
        heads, tails: entity rows (P,), in the order that was given.
        relations: listed classes of each pair, joined by ``|``; None where none is listed, or none was asked for.
        contexts: in how many contexts the pair stands (P,); −1 where no corpus was given.
        removed: pairs that are no answers any more (P,).
    """

    heads: Rows
    tails: Rows
    relations: list[str | None]
    contexts: Rows
    removed: Flags

    def __len__(self) -> int:
        return len(self.heads)

    @property
    def live(self) -> int:
        """Pairs that can be answers."""
        return len(self) - int(self.removed.sum())

    def find(self, head: int, tail: int) -> int:
        """Number of a pair that is not removed, in either order; −1 if the index has none."""
        same = (self.heads == head) & (self.tails == tail) | (self.heads == tail) & (self.tails == head)
        found = np.flatnonzero(same & ~self.removed)
        return int(found[0]) if len(found) else -1

    def with_relation(self, name: str) -> Flags:
        """Which pairs are listed with a class (P,)."""
        return np.array([text is not None and name in text.split("|") for text in self.relations], dtype=np.bool_)

    def joined(self, other: PairTable) -> PairTable:
        """The pairs of ``other`` behind those of this table."""
        return PairTable(
            np.concatenate([self.heads, other.heads]),
            np.concatenate([self.tails, other.tails]),
            self.relations + other.relations,
            np.concatenate([self.contexts, other.contexts]),
            np.concatenate([self.removed, other.removed]),
        )

    def taken(self, rows: Rows) -> PairTable:
        """Some of the pairs, numbered anew."""
        names = [self.relations[row] for row in rows.tolist()]
        return PairTable(self.heads[rows], self.tails[rows], names, self.contexts[rows], self.removed[rows])

    def without(self, rows: Rows) -> PairTable:
        """The same table with some pairs marked as removed."""
        removed = self.removed.copy()
        removed[rows] = True
        return replace(self, removed=removed)

    def write(self, path: Path, entities: EntityTable) -> None:
        """Write as Parquet, with the types for people who read it."""
        types = np.array(entities.types, dtype=object)
        columns = {
            "pair": np.arange(len(self)),
            "head": self.heads,
            "tail": self.tails,
            "head_type": pa.array(types[self.heads], pa.string()),
            "tail_type": pa.array(types[self.tails], pa.string()),
            "relation": pa.array(self.relations, pa.string()),
            "contexts": self.contexts,
            "removed": self.removed,
        }
        pq.write_table(pa.table(columns), path)

    @classmethod
    def read(cls, path: Path, entities: int) -> PairTable:
        """Read what :meth:`write` wrote.

        Raises:
            ArtifactError: the file is damaged, or names entities that are not there.
        """
        try:
            table = pq.read_table(path)
            numbers, heads, tails, contexts = (
                table.column(name).to_numpy().astype(np.int64) for name in ("pair", "head", "tail", "contexts")
            )
            relations = table.column("relation").to_pylist()
            removed = table.column("removed").to_numpy(zero_copy_only=False).astype(np.bool_)
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise ArtifactError(f"{path}: is damaged ({' '.join(str(error).split())[:200]})") from None
        sides = np.concatenate([heads, tails])
        if (numbers != np.arange(len(numbers))).any() or (sides < 0).any() or (sides >= entities).any():
            raise ArtifactError(f"{path}: its pair numbers or entity rows are out of order; build the index again")
        return cls(heads, tails, relations, contexts, removed)


def listed_names(relations: ResolvedRelations, heads: Rows, tails: Rows, entities: int) -> list[str | None]:
    """Listed classes of each pair (n,), in either order, joined by ``|``; None where none is listed."""
    keys = relations.heads * entities + relations.tails
    wanted = np.minimum(heads, tails) * entities + np.maximum(heads, tails)
    starts, ends = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
    names, classes = relations.class_names, relations.classes
    return [
        "|".join(names[row] for row in classes[start:end]) if start < end else None
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
