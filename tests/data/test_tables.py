"""A list in, the same list out; and every fault of an input names the file and the line."""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kgrel.data import delimited
from kgrel.data.errors import InputError, KgrelError, NonFiniteError
from kgrel.data.tables import (
    FORMATS,
    Format,
    TableReader,
    find_column,
    format_of,
    optional_column,
    write_table,
)
from tests.compressing import COMPRESSIONS, compressed

TEXT = st.text(
    st.one_of(
        st.sampled_from("\"',;\t\n\r =+-0:\ufeff\u2028\x0b\x1c"),
        st.characters(codec="utf-8", exclude_characters="\0"),
    )
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def write(path: Path, table: pa.Table, format: Format | None = None) -> Path:
    with write_table(path, table, format) as writer:
        writer.write(table)
    return path


def read(path: Path, format: Format | None = None, chunk_rows: int = 65536) -> pa.Table:
    reader = TableReader(path, format, chunk_rows)
    return pa.concat_tables([reader.schema.empty_table(), *reader])


@st.composite
def text_tables(draw: st.DrawFn) -> pa.Table:
    names = draw(st.lists(TEXT, min_size=1, max_size=4, unique=True))
    if names == [""]:
        names = ["x"]
    rows = draw(st.integers(0, 6))
    columns = [draw(st.lists(TEXT, min_size=rows, max_size=rows)) for _ in names]
    return pa.table([pa.array(column, pa.string()) for column in columns], names=names)


@pytest.mark.parametrize("format", FORMATS)
@given(table=text_tables(), chunk_rows=st.integers(1, 4))
def test_text_survives_a_round_trip_in_order(format: Format, table: pa.Table, chunk_rows: int) -> None:
    assume(format != "jsonl" or table.num_rows)  # without a line there are no columns
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "table", table, format)
        assert read(path, format, chunk_rows).to_pydict() == table.to_pydict()


@pytest.mark.parametrize("format", ["csv", "tsv"])
@given(table=text_tables())
def test_the_standard_library_reads_the_same_text(format: Format, table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = write(Path(folder) / "table", table, format).read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="," if format == "csv" else "\t"))
    assert rows == [table.column_names, *map(list, zip(*table.to_pydict().values(), strict=True))]


@pytest.mark.parametrize("format", FORMATS)
@given(values=st.lists(FLOATS, min_size=1, max_size=8))
def test_floats_survive_a_round_trip_to_the_last_bit(format: Format, values: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "table", pa.table({"score": pa.array(values, pa.float64())}), format)
        back = [float(value) for value in read(path, format).column("score").to_pylist()]
    assert [value.hex() for value in back] == [value.hex() for value in values]


def test_parquet_keeps_types_and_nulls(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, None, 3], pa.int32()),
            "kind": pa.array(["a", "b", None]).dictionary_encode(),
            "tags": pa.array([["x"], [], None], pa.list_(pa.string())),
        }
    )
    assert read(write(tmp_path / "t.parquet", table)).equals(table)


def test_null_is_an_empty_field_in_csv_and_null_in_jsonl(tmp_path: Path) -> None:
    table = pa.table({"a": ["x", None], "b": pa.array([None, 1.5], pa.float64())})
    assert write(tmp_path / "t.csv", table).read_text() == "a,b\nx,\n,1.5\n"
    assert write(tmp_path / "t.jsonl", table).read_text() == '{"a": "x", "b": null}\n{"a": null, "b": 1.5}\n'


def test_only_fields_that_need_quotes_get_them(tmp_path: Path) -> None:
    table = pa.table({"id": ["007", "=1+1", "Gene::1", "a,b", 'say "x"', "a\tb"]})
    text = write(tmp_path / "t.csv", table).read_text()
    assert text.splitlines() == ["id", "007", "=1+1", "Gene::1", '"a,b"', '"say ""x"""', "a\tb"]


@pytest.mark.parametrize("format", FORMATS)
def test_chunks_have_exactly_the_asked_size_but_the_last(tmp_path: Path, format: Format) -> None:
    table = pa.table({"n": [str(number) for number in range(25)]})
    path = write(tmp_path / "t", table, format)
    assert [chunk.num_rows for chunk in TableReader(path, format, chunk_rows=10)] == [10, 10, 5]


def test_small_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quoted fields reach over blocks, and the two parsers take turns."""
    table = pa.table({"a": [f"row {n}" + '\n"x"\n' * (n % 3 == 0) for n in range(60)], "b": ["é,"] * 60})
    path = write(tmp_path / "t.csv", table)
    whole = list(TableReader(path, chunk_rows=7).numbered())
    for size in (1, 5, 64, 200):
        monkeypatch.setattr(delimited, "BLOCK_BYTES", size)
        pieces = list(TableReader(path, chunk_rows=7).numbered())
        assert [lines.tolist() for lines, _ in pieces] == [lines.tolist() for lines, _ in whole]
        assert [rows.to_pydict() for _, rows in pieces] == [rows.to_pydict() for _, rows in whole]


def test_the_longest_field_is_the_same_wherever_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the two parsers gets to it; characters count, not bytes."""
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 64)
    most = csv.field_size_limit()
    for number in (0, 40):
        rows = ["row"] * number + ["é" * most]
        assert read(write(tmp_path / "long.tsv", pa.table({"a": rows}))).column("a").to_pylist() == rows
        with pytest.raises(InputError, match="a field is longer than") as failure:
            read(write(tmp_path / "longer.tsv", pa.table({"a": [*rows[:-1], rows[-1] + "x", "row"]})))
        assert failure.value.line == number + 2


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,2\n\n3,"x\ny"\n5,6\n')
    numbers, table = next(TableReader(path).numbered())
    assert numbers.tolist() == [2, 4, 6]
    assert table.to_pydict() == {"a": ["1", "3", "5"], "b": ["2", "x\ny", "6"]}


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,2\n", b"a,b\r\n1,2\r\n", b"a,b\n1,2", b"\xef\xbb\xbfa,b\n1,2\n", b'"a","b"\n"1","2"\n'],
)
def test_accepted_ways_to_write_the_same_csv(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert read(path).to_pydict() == {"a": ["1"], "b": ["2"]}


def test_text_that_looks_like_null_or_spaces_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("a\tb\nNA\t 1 \nnull\t\n")
    assert read(path).to_pydict() == {"a": ["NA", "null"], "b": [" 1 ", ""]}


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("format", FORMATS)
def test_a_compressed_table_is_the_table(tmp_path: Path, format: Format, compression: str) -> None:
    plain = write(tmp_path / f"t.{format}", pa.table({"a": ["x", "ü\t", ""], "b": [1, None, 3]}))
    path = compressed(plain, compression)
    expected = list(TableReader(plain, chunk_rows=2).numbered())
    for _ in range(2):
        with TableReader(path, chunk_rows=2) as reader:
            found = list(reader.numbered())
        assert [lines.tolist() for lines, _ in found] == [lines.tolist() for lines, _ in expected]
        assert [table for _, table in found] == [table for _, table in expected]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_compressed_parquet_file_that_is_cut_short_is_refused(tmp_path: Path, compression: str) -> None:
    path = compressed(write(tmp_path / "t.parquet", pa.table({"a": np.random.default_rng(0).random(999)})), compression)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(InputError, match=rf"t\.parquet\{compression}: the compressed file is damaged or cut short"):
        TableReader(path)


def test_a_file_can_be_iterated_again(tmp_path: Path) -> None:
    reader = TableReader(write(tmp_path / "t.csv", pa.table({"a": ["x", "y"]})))
    assert [table.to_pydict() for table in reader] == [table.to_pydict() for table in reader]


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n")
    reader = TableReader(path)
    assert reader.columns == ["a", "b"]
    assert list(reader) == []


def test_standard_input_and_output_are_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a,b\n1,2\n")))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=output))
    reader = TableReader("-", "csv")
    with write_table("-", reader.schema, "tsv") as writer:
        for table in reader:
            writer.write(table)
        assert output.getvalue() == b"a\tb\n1\t2\n"
    with pytest.raises(KgrelError, match="only once"):
        list(reader)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", None, "is empty; a header line"),
        (b"\n\n", None, "is empty; a header line"),
        (b"a,b,a\n", None, "the column 'a' stands twice"),
        (b"a,b\n1,2\n3\n", 3, "has 1 fields, but the header names 2"),
        (b"a,b\n1,2\n3,4,5\n", 3, "has 3 fields, but the header names 2"),
        (b'a,b\n"x\ny",2\n3\n', 4, "has 1 fields"),
        (b"a,b\n1,2\n\xff,4\n", 3, r"is not valid UTF-8 \(byte 1 of the line\)"),
        (b"a,\xff\n1,2\n", 1, "is not valid UTF-8"),
        (b"a,b\n1,2\n3,\0\n", 3, "NUL byte"),
        (b'a,b\n1,2\n3,"open\n5,6\n', 3, "is never closed"),
        (b'a,b\n1,"x\n2,"y\n', 2, "text follows a closing quote"),
        (b"a,b\n1,2\n3,x\ry\n", 3, "carriage return"),
        (b'a,b\n1,"' + b"x" * 140_000 + b"\n" * 3, 2, "is a quote left open"),
    ],
)
def test_faults_of_csv_name_file_and_line(tmp_path: Path, content: bytes, line: int | None, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as failure:
        read(path)
    assert failure.value.line == line
    assert str(failure.value).startswith(f"{path}, line {line}: " if line else f"{path}: ")


def test_files_that_are_not_there_or_no_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        TableReader(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"folder\.csv: is a directory"):
        TableReader(tmp_path / "folder.csv")
    with pytest.raises(InputError, match="cannot be read"):
        TableReader(write(tmp_path / "t.csv", pa.table({"a": ["x"]})) / "below.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=r"pipe\.csv: is a pipe or a device"):
        TableReader(tmp_path / "pipe.csv")


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_damaged_compression_names_the_last_good_line(
    tmp_path: Path, format: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1 << 14)
    line = b'"%08d"\n' if format == "csv" else b'{"a": "%08d"}\n'
    content = gzip.compress(b"".join(line % number for number in np.random.default_rng(0).permutation(99999)))
    path = tmp_path / f"t.{format}.gz"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(
        InputError, match=rf"t\.{format}\.gz, line [1-9]\d*: the compressed file is damaged or cut short"
    ):
        read(path)
    path.write_bytes(b"plain text")
    with pytest.raises(InputError, match="the compressed file is damaged"):
        read(path)


def test_what_is_no_parquet_file_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for content in (b"", b"a,b\n1,2\n"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"t\.parquet: is no readable parquet file"):
            TableReader(path)
    table = pa.table({"a": np.random.default_rng(0).random(100_000)})
    write(path, table)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"t\.parquet: is damaged after row"):
        read(path)


def test_parquet_with_twin_columns_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="the column 'a' stands twice"):
        TableReader(tmp_path / "t.parquet")


def test_formats_follow_the_ending_and_are_never_guessed() -> None:
    assert format_of("a/b.TSV.gz") == format_of("a/b.TSV.ZST") == "tsv"
    assert format_of("list.csv", "jsonl") == "jsonl"
    with pytest.raises(InputError, match=r"list\.txt: the ending does not tell the format"):
        format_of("list.txt")
    with pytest.raises(KgrelError, match="give the format"):
        format_of("-")
    with pytest.raises(KgrelError, match="unknown table format 'xml'"):
        format_of("a.csv", "xml")  # type: ignore[arg-type]
    with pytest.raises(KgrelError, match="from a file only"):
        TableReader("-", "parquet")


@pytest.mark.parametrize("format", FORMATS)
def test_an_interrupted_output_leaves_what_was_there(tmp_path: Path, format: Format) -> None:
    path = tmp_path / f"t.{format}"
    path.write_text("before")
    table = pa.table({"a": ["x"]})
    with pytest.raises(ZeroDivisionError), write_table(path, table) as writer:  # noqa: PT012
        writer.write(table)
        1 / 0  # noqa: B018
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_outputs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    table = pa.table({"a": ["x"]})
    path = write(tmp_path / "t.csv", table)
    with pytest.raises(KgrelError, match="exists already"), write_table(path, table, overwrite=False):
        pass
    for ending in COMPRESSIONS:
        with pytest.raises(KgrelError, match=rf"leave out \{ending}"), write_table(tmp_path / f"t.csv{ending}", table):
            pass
    with pytest.raises(KgrelError, match="make it first"), write_table(tmp_path / "no" / "t.csv", table):
        pass
    twins = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(KgrelError, match="stands twice"), write_table(path, twins):
        pass
    with pytest.raises(ValueError, match="the columns are"), write_table(path, table) as writer:
        writer.write(pa.table({"b": ["x"]}))


def test_values_that_a_format_cannot_hold_are_refused_by_column(tmp_path: Path) -> None:
    for wrong in (math.nan, math.inf):
        with pytest.raises(NonFiniteError, match=r"the column 'score' holds NaN or infinity \(row 2 of a chunk\)"):
            write(tmp_path / "t.jsonl", pa.table({"score": [0.5, wrong]}))
    with pytest.raises(NonFiniteError, match="nested value"):
        write(tmp_path / "t.jsonl", pa.table({"scores": [[math.nan]]}))
    with pytest.raises(KgrelError, match=r"the column 'tags' \(list<.*\) cannot be written as text"):
        write(tmp_path / "t.csv", pa.table({"tags": [["x"]]}))
    with pytest.raises(KgrelError, match="the column 'raw'"):
        write(tmp_path / "t.jsonl", pa.table({"raw": pa.array([b"\xff"])}))
    assert list(tmp_path.iterdir()) == []


def test_columns_are_found_by_name_case_ignored() -> None:
    assert find_column(["Target", "SOURCE_ID"], ["source_id", "source"]) == "SOURCE_ID"
    assert find_column(["head", "source"], ["source", "head"]) == "source"
    assert optional_column(["a"], ["b"]) is None
    with pytest.raises(KgrelError, match=r"no column 'source' or 'head'; .*'sourcee'.*did you mean 'sourcee'"):
        find_column(["sourcee", "x"], ["source", "head"])
