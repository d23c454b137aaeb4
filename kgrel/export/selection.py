"""Which rows of a scored list become edges: all of them, streamed through a file, or the best, held in memory.

Rows are numbers, some 50 bytes each; names and texts come back when they are written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.export.batch import BATCH_ROWS

SCHEMA = pa.schema(
    {
        "head": pa.int32(),
        "subject": pa.int32(),
        "object": pa.int32(),
        "relation": pa.int16(),
        "score": pa.float64(),
        "score_std": pa.float64(),
        "confidence": pa.float64(),
        "rank": pa.int64(),
        "known": pa.bool_(),
    }
)
"""``head``, ``subject``, ``object``: entity rows; ``head`` is the source side of the list. ``relation``: number."""
KEY_FILES = 64
"""Files that the keys of edges are parted into, to find repeated ones: a hundred million edges take 50 MB."""

Rows = npt.NDArray[np.int64]


class Selected(Protocol):
    """Receives rows, then gives those that are kept."""

    repeated: int
    """Rows that repeat an edge, in either order; known after :meth:`finish`."""

    def add(self, rows: pa.Table) -> None:
        """Take rows with :data:`SCHEMA`."""

    def finish(self) -> int:
        """No more rows come. Returns how many are kept."""

    def tables(self) -> Iterator[pa.Table]:
        """The kept rows, in pieces of at most ``BATCH_ROWS``; again on each call."""

    def close(self) -> None:
        """Free what is held."""


def edge_keys(rows: pa.Table, entities: int, relations: int) -> Rows:
    """One number for each edge, equal for equal subject, object and relation (n,)."""
    subject, object_, relation = (rows.column(name).to_numpy() for name in ("subject", "object", "relation"))
    keys: Rows = (subject.astype(np.int64) * entities + object_) * relations + relation
    return keys


class Streamed:
    """All rows, in the order of the list, in a temporary file; of repeated edges the first.

    Memory does not depend on the number of rows, but for 8 bytes for each repeated one.

    Args:
        entities: number of entities, ``relations`` of relations.
    """

    def __init__(self, entities: int, relations: int) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="kgrel-export-")
        self._path = Path(self._directory.name) / "rows.arrow"
        self._sizes = entities, relations
        self._writer = pa.ipc.new_file(str(self._path), SCHEMA)
        self._keys = Repeats(Path(self._directory.name))
        self._count = 0
        self._repeats: Rows = np.empty(0, np.int64)
        self.repeated = 0

    def add(self, rows: pa.Table) -> None:
        """See :class:`Selected`."""
        self._count += rows.num_rows
        self._writer.write_table(rows.combine_chunks(), max_chunksize=BATCH_ROWS)
        self._keys.add(edge_keys(rows, *self._sizes))

    def finish(self) -> int:
        """See :class:`Selected`."""
        self._writer.close()
        self._repeats = self._keys.places()
        self.repeated = len(self._repeats)
        return self._count - self.repeated

    def tables(self) -> Iterator[pa.Table]:
        """See :class:`Selected`."""
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            begin = 0
            for number in range(reader.num_record_batches):
                batch = pa.Table.from_batches([reader.get_batch(number)])
                end = begin + batch.num_rows
                first, last = np.searchsorted(self._repeats, [begin, end])
                if first < last:
                    keep = np.ones(batch.num_rows, np.bool_)
                    keep[self._repeats[first:last] - begin] = False
                    batch = batch.filter(pa.array(keep))
                begin = end
                yield batch

    def close(self) -> None:
        """See :class:`Selected`."""
        self._directory.cleanup()


class Repeats:
    """Finds keys that came before, wherever: equal keys fall into the same of a number of files.

    Memory is that of one file, and 8 bytes for each repeated key.

    Args:
        directory: where the files are.
        files: how many.
    """

    def __init__(self, directory: Path, files: int = KEY_FILES) -> None:
        self._files = [(directory / f"keys-{number}").open("wb") for number in range(files)]
        self._count = 0

    def add(self, keys: Rows) -> None:
        """Take the next keys (n,)."""
        part = keys % len(self._files)
        order = np.argsort(part, kind="stable")
        placed = np.stack([order + self._count, keys[order]], axis=1)
        ends = np.cumsum(np.bincount(part, minlength=len(self._files)))
        for file, mine in zip(self._files, np.split(placed, ends[:-1]), strict=True):
            file.write(mine.tobytes())
        self._count += len(keys)

    def places(self) -> Rows:
        """Places of the keys that stand further ahead already, ascending. Deletes the files."""
        found = [np.empty(0, np.int64)]
        for file in self._files:
            file.close()
            place, value = np.fromfile(file.name, np.int64).reshape(-1, 2).T
            found.append(place[repeated_places(value)])
            Path(file.name).unlink()
        return np.sort(np.concatenate(found))


def repeated_places(keys: Rows) -> Rows:
    """Places of keys that stand further ahead already, ascending."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    again: Rows = np.sort(order[1:][ordered[1:] == ordered[:-1]])
    return again


class Best:
    """The best rows, best first; ties by subject, object and relation. Memory is linear in the rows kept.

    Args:
        top: rows kept in all; ``per_head`` of each head before that; 0 = no limit.
    """

    def __init__(self, entities: int, relations: int, top: int, per_head: int) -> None:
        self._sizes, self._top, self._per_head = (entities, relations), top, per_head
        self._kept, self._waiting = SCHEMA.empty_table(), [SCHEMA.empty_table()]
        self._held = 0
        self.repeated = 0

    def add(self, rows: pa.Table) -> None:
        """See :class:`Selected`."""
        self._waiting.append(rows)
        self._held += rows.num_rows
        if self._held > max(4 * BATCH_ROWS, self._kept.num_rows):
            self._prune()

    def _prune(self) -> None:
        rows = pa.concat_tables([self._kept, *self._waiting]).combine_chunks()
        self._waiting, self._held = [], 0
        if self._per_head:
            rows = self._best_of_heads(rows)
        rows = rows.take(pa.array(self._order(rows)))
        if self._top:
            rows = rows.filter(pa.array(self._places(rows) < self._top))
        if not self._per_head:
            rows = self._distinct(rows)
        self._kept = rows

    def _order(self, rows: pa.Table, *before: npt.NDArray[np.int32]) -> Rows:
        names = ("head", "relation", "object", "subject")
        ties = [rows.column(name).to_numpy() for name in names]
        return np.lexsort((*ties, -rows.column("score").to_numpy(), *before))

    def _best_of_heads(self, rows: pa.Table) -> pa.Table:
        """The best rows of each head, an edge once for each head."""
        rows = rows.take(pa.array(self._order(rows, rows.column("head").to_numpy())))
        head, keys = rows.column("head").to_numpy(), edge_keys(rows, *self._sizes)
        by_edge = np.lexsort((keys, head))  # stable: of a repeated edge the best score comes first
        head, keys = head[by_edge], keys[by_edge]
        again = by_edge[1:][(head[1:] == head[:-1]) & (keys[1:] == keys[:-1])]
        self.repeated += len(again)
        rows = rows.take(pa.array(np.delete(np.arange(rows.num_rows), again)))
        head = rows.column("head").to_numpy()
        places = np.arange(len(head))
        starts = np.searchsorted(head, head)
        rank = places - starts + 1
        ranked = rows.set_column(rows.schema.get_field_index("rank"), "rank", pa.array(rank, pa.int64()))
        return ranked.filter(pa.array(rank <= self._per_head))

    def _places(self, rows: pa.Table) -> Rows:
        """Place of each row among the different edges, rows being ordered: repeats have that of the first."""
        keys = edge_keys(rows, *self._sizes)
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        is_first = np.zeros(len(keys), np.int64)
        is_first[first] = 1
        places: Rows = (np.cumsum(is_first) - 1)[first[inverse]]
        return places

    def _distinct(self, rows: pa.Table) -> pa.Table:
        _, first = np.unique(edge_keys(rows, *self._sizes), return_index=True)
        self.repeated += rows.num_rows - len(first)
        return rows.take(pa.array(np.sort(first)))

    def finish(self) -> int:
        """See :class:`Selected`."""
        self._prune()
        self._kept = self._distinct(self._kept)
        if not self._per_head:
            rank = pa.array(np.arange(1, self._kept.num_rows + 1), pa.int64())
            self._kept = self._kept.set_column(SCHEMA.get_field_index("rank"), "rank", rank)
        return int(self._kept.num_rows)

    def tables(self) -> Iterator[pa.Table]:
        """See :class:`Selected`."""
        for begin in range(0, self._kept.num_rows, BATCH_ROWS):
            yield self._kept.slice(begin, BATCH_ROWS)

    def close(self) -> None:
        """See :class:`Selected`."""
