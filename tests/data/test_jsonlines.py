"""JSON values keep type, nulls and nesting; and every fault names the file and the line."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.data.errors import InputError
from kgrel.data.tables import TableReader, write_table

TEXT = st.text(st.characters(codec="utf-8"))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def write(path: Path, table: pa.Table) -> None:
    with write_table(path, table) as writer:
        writer.write(table)


def read(path: Path, chunk_rows: int = 65536) -> pa.Table:
    return pa.concat_tables(TableReader(path, chunk_rows=chunk_rows))


JSON_VALUES = {
    "text": TEXT,
    "whole": st.integers(-(2**63) + 1, 2**63 - 1),
    "number": FLOATS,
    "flag": st.booleans(),
    "nested": st.one_of(st.lists(st.integers() | TEXT), st.dictionaries(TEXT, FLOATS | st.none())),
}


@given(st.lists(st.fixed_dictionaries({k: st.none() | v for k, v in JSON_VALUES.items()}), min_size=1, max_size=5))
def test_json_values_keep_their_types_nulls_and_nesting(rows: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "a.jsonl", Path(folder) / "b.jsonl"
        first.write_text("".join(json.dumps(row) + "\n" for row in rows))
        write(second, read(first))
        assert [json.loads(line) for line in second.read_bytes().decode().split("\n")[:-1]] == rows


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", None, "is empty; at least one JSON object"),
        (b'{"a": 1}\n{"a": \n', 2, r"is not valid JSON \(Expecting value at character 7\)"),
        (b'{"a": 1}\n[1]\n', 2, "is not a JSON object"),
        (b'{"a": 1, "a": 2}\n', 1, "the key 'a' stands twice"),
        (b'{"a": NaN}\n', 1, "NaN, which is no JSON number"),
        (b'{"a": 1e999}\n', 1, "'a' is too large"),
        (b'{"a": 9223372036854775808}\n', 1, "'a' is too large"),
        (b'{"a": 0.5}\n{"a": 9007199254740993}\n', 2, "'a' is too large"),
        (b'{"a": "\\ud800"}\n', 1, "half a surrogate pair"),
        (b'{"a": 1}\n\n{"a": "x"}\n', 3, "'a' holds text here, but whole numbers in the lines before"),
        (b'{"a": true}\n{"a": 1}\n', 2, "'a' holds whole numbers here, but true/false"),
        (b'{"a": "\xff"}\n', 1, "is not valid UTF-8"),
        (b'{"a": "\0"}\n', 1, "NUL byte"),
        (b'{"a":' * 100_000 + b"\n", 1, "is nested too deeply"),
    ],
)
def test_faults_of_jsonl_name_file_and_line(tmp_path: Path, content: bytes, line: int | None, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as failure:
        read(path)
    assert failure.value.line == line
    assert str(path) in str(failure.value)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (b'{"score": 1, "sourze": "x"}', r"the key 'sourze' .*did you mean 'source'"),
        (b'{"score": 1.5}', "'score' holds numbers here, but whole numbers in the lines before"),
        (b'{"score": 9223372036854775808}', "'score' is too large"),
    ],
)
def test_later_chunks_of_jsonl_have_the_columns_of_the_first(tmp_path: Path, second: bytes, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"score": 1, "source": "y"}\n' + second)
    with pytest.raises(InputError, match=message) as failure:
        read(path, chunk_rows=1)
    assert failure.value.line == 2


def test_a_column_of_nulls_may_hold_text_later(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": null}\n{"a": "x"}\n{}\n')
    assert read(path, chunk_rows=1).to_pydict() == {"a": [None, "x", None]}


def test_whole_numbers_pass_among_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n{"a": 2.5}\n{"a": 3}\n')
    assert read(path).to_pydict() == {"a": [1.0, 2.5, 3.0]}
