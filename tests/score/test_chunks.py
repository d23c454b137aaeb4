"""Any chunk by number is the chunk that reading from the beginning gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgrel.data.errors import InputError
from kgrel.data.files import compression_of, without_compression
from kgrel.data.tables import FORMATS, TableReader, write_table
from kgrel.score.chunks import ArrowChunks, ParquetChunks, chunks_of
from tests.compressing import compressed


def table_of(rows: int) -> pa.Table:
    """Text that breaks lines, so that line numbers are not row numbers, and a column named like the hidden one."""
    text = [f"{row}\n{row}" if row % 3 == 0 else str(row) for row in range(rows)]
    return pa.table({"line": text, "source": [str(row) for row in range(rows)]})


@pytest.mark.parametrize("format", [*FORMATS, "parquet.zst"])
@pytest.mark.parametrize("rows", [0, 1, 100, 101, 250])
def test_chunks_by_number_in_any_order_are_those_of_the_reader(tmp_path: Path, format: str, rows: int) -> None:
    path = tmp_path / f"list.{without_compression(format)}"
    with write_table(path, table_of(rows)) as writer:
        writer.write(table_of(rows))
    if compression := compression_of(format):
        path = compressed(path, compression)
    if format == "jsonl" and not rows:
        return  # a file without rows tells no columns and is refused by the reader
    chunks = chunks_of(TableReader(path, chunk_rows=100), tmp_path / "cut")
    expected = list(TableReader(path, chunk_rows=100).numbered())
    assert len(chunks) == len(expected)
    for number in np.random.default_rng(0).permutation(len(expected)).tolist():
        lines, table = chunks.read(number)
        assert chunks.rows(number) == table.num_rows == len(lines)
        assert lines.tolist() == expected[number][0].tolist()
        assert table.equals(expected[number][1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(groups=st.lists(st.integers(0, 30), max_size=8), chunk_rows=st.integers(1, 40), seed=st.integers(0, 99))
def test_chunks_of_a_parquet_file_do_not_depend_on_its_row_groups(
    tmp_path: Path, groups: list[int], chunk_rows: int, seed: int
) -> None:
    total = sum(groups)
    table = pa.table({"x": pa.array(range(total), pa.int32())})
    with pq.ParquetWriter(tmp_path / "list.parquet", table.schema) as writer:
        for size, end in zip(groups, np.cumsum(groups), strict=True):
            writer.write_table(table.slice(int(end) - size, size))
    chunks = ParquetChunks(tmp_path / "list.parquet", chunk_rows)
    assert len(chunks) == -(-total // chunk_rows)
    for number in np.random.default_rng(seed).integers(len(chunks), size=10).tolist() if total else []:
        lines, chunk = chunks.read(number)
        start = number * chunk_rows
        assert chunk.equals(table.slice(start, chunk_rows).combine_chunks())
        assert lines.tolist() == list(range(start + 1, start + chunk.num_rows + 1))


def test_a_list_is_cut_once(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("source\n1\n2\n")
    chunks_of(TableReader(tmp_path / "list.csv"), tmp_path / "cut")
    (tmp_path / "list.csv").write_text("source\n3\n")
    again = chunks_of(TableReader(tmp_path / "list.csv"), tmp_path / "cut")
    assert isinstance(again, ArrowChunks)
    assert again.read(0)[1]["source"].to_pylist() == ["1", "2"]


def test_damage_is_named_by_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table({"x": np.random.default_rng(0).random(5000)}), path, row_group_size=1000)
    content = bytearray(path.read_bytes())
    content[4:44] = b"\xff" * 40  # the header of the first page
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"list\.parquet: is damaged between rows 1 and 100"):
        ParquetChunks(path, 100).read(0)
