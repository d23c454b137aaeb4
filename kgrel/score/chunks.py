"""The chunks of a candidate list by number, so that any of many workers can read any of them.

A Parquet list is read where it is. The lines of text formats, and what a compressed file holds, have no number without
reading all that stand before them, so such a list is first cut into Arrow record batches, one a chunk.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.data.delimited import Piece
from kgrel.data.errors import InputError
from kgrel.data.files import atomic_file
from kgrel.data.tables import TableReader


class Chunks(Protocol):
    """The chunks of a list."""

    def __len__(self) -> int: ...

    def rows(self, number: int) -> int:
        """Number of rows of a chunk."""
        ...

    def read(self, number: int) -> Piece:
        """Line numbers (n,) and rows of a chunk, as :meth:`kgrel.data.tables.TableReader.numbered` gives them.

        Raises:
            InputError: the list is damaged there.
        """
        ...


class ParquetChunks:
    """The chunks of a Parquet file; holds the row groups that a chunk stands in, and no others.

    Args:
        chunk_rows: rows of a chunk.
    """

    def __init__(self, path: Path, chunk_rows: int) -> None:
        self.path, self.chunk_rows = path, chunk_rows
        self._file = pq.ParquetFile(path, pre_buffer=False)
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts: npt.NDArray[np.int64] = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self._held: dict[int, pa.Table] = {}

    def __len__(self) -> int:
        return -(-int(self._starts[-1]) // self.chunk_rows)

    def rows(self, number: int) -> int:
        """See :class:`Chunks`."""
        return min(self.chunk_rows, int(self._starts[-1]) - number * self.chunk_rows)

    def read(self, number: int) -> Piece:
        """See :class:`Chunks`."""
        start = number * self.chunk_rows
        stop = start + self.rows(number)
        first = int(np.searchsorted(self._starts, start, "right")) - 1
        groups = range(first, int(np.searchsorted(self._starts, stop, "left")))
        try:
            # Neighbouring chunks often stand in the same row group; it is decoded once.
            self._held = {group: self._held.get(group) or self._file.read_row_group(group) for group in groups}
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(self.path, f"is damaged between rows {start + 1} and {stop} ({error})") from None
        table = pa.concat_tables(self._held.values()).slice(start - int(self._starts[first]), stop - start)
        return np.arange(start + 1, stop + 1), table.combine_chunks()


class ArrowChunks:
    """The chunks of a file that :func:`cut` wrote."""

    def __init__(self, path: Path) -> None:
        self._file = pa.ipc.open_file(pa.memory_map(str(path)))

    def __len__(self) -> int:
        count: int = self._file.num_record_batches
        return count

    def rows(self, number: int) -> int:
        """See :class:`Chunks`."""
        rows: int = self._file.get_batch(number).num_rows
        return rows

    def read(self, number: int) -> Piece:
        """See :class:`Chunks`."""
        table = pa.Table.from_batches([self._file.get_batch(number)])
        last = table.num_columns - 1
        return table.column(last).to_numpy(), table.remove_column(last)


def cut(reader: TableReader, path: Path) -> None:
    """Write the chunks of a list as record batches of an Arrow file, the line numbers in the last column.

    Raises:
        InputError: see :class:`kgrel.data.tables.TableReader`.
    """
    schema = reader.schema.append(pa.field("line", pa.int64()))
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with atomic_file(path) as partial, pa.ipc.new_file(str(partial), schema, options=options) as writer:
        for lines, table in reader.numbered():
            (batch,) = pa.table([*table.columns, pa.array(lines)], schema=schema).combine_chunks().to_batches()
            writer.write_batch(batch)


def chunks_of(reader: TableReader, cut_path: Path) -> Chunks:
    """The chunks of a list; one that is no plain Parquet file is cut to ``cut_path`` unless that was done before."""
    if reader.in_place:
        return ParquetChunks(Path(reader.path).resolve(), reader.chunk_rows)
    if not cut_path.exists():
        cut(reader, cut_path)
    return ArrowChunks(cut_path)
