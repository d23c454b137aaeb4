"""Reading names what is wrong and where; writing is whole or not at all."""

from __future__ import annotations

import gzip
import os
import sys
import tracemalloc
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from kgrel.data import files
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import (
    atomic_file,
    canonical_json,
    compression_of,
    decode_line,
    header_columns,
    lines_of,
    open_input,
    remove_tree,
    sha256_of,
    without_compression,
    write_text,
)
from kgrel.data.tables import TableReader
from tests.compressing import COMPRESSIONS, compressed


def test_lines_without_their_ends_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\r\n\n c \r\n\xef\xbb\xbfd")
    assert list(lines_of(path)) == [(1, b"a"), (2, b"b\r"), (3, b""), (4, b" c "), (5, b"\xef\xbb\xbfd")]


def test_compressed_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(b"a\nb\n"))
    assert list(lines_of(path)) == [(1, b"a"), (2, b"b")]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(b"x\n")))
    assert list(lines_of("-")) == [(1, b"x")]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_compression_is_known_by_its_ending_in_any_case(tmp_path: Path, compression: str) -> None:
    (tmp_path / "T.Tsv").write_bytes(b"a\nb\n")
    path = compressed(tmp_path / "T.Tsv", compression)
    shouted = path.rename(path.with_name(f"T.Tsv{compression.upper()}"))
    assert [line for _, line in lines_of(shouted)] == [b"a", b"b"]
    assert (compression_of(shouted), without_compression(shouted)) == (compression, str(tmp_path / "T.Tsv"))


def test_a_name_that_only_holds_the_ending_of_a_compression_is_plain() -> None:
    for name in ("a.gz.tsv", "a.tsv.gzip", "agz", ""):
        assert (compression_of(name), without_compression(name)) == ("", name)


def test_inputs_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, message in (
        (tmp_path / "none", "none: no such file"),
        (tmp_path, "is a directory; a file is needed"),
        (tmp_path / "file" / "below", r"below: cannot be read \(Not a directory\)"),
    ):
        with pytest.raises(InputError, match=message):
            list(lines_of(path))


@pytest.mark.parametrize(("keep", "place"), [(15, ""), (2000, r", line [1-9]\d*")])
def test_a_compressed_file_that_is_cut_short_names_the_last_whole_line(tmp_path: Path, keep: int, place: str) -> None:
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(b"".join(os.urandom(30).hex().encode() + b"\n" for _ in range(100)))[:keep])
    with pytest.raises(InputError, match=rf"t\.gz{place}: the compressed file is damaged or cut short"):
        list(lines_of(path))


def test_failures_of_the_caller_are_not_blamed_on_the_input(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("x")
    with pytest.raises(FileNotFoundError), open_input(path):
        (tmp_path / "other").read_text()


def test_lines_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"f, line 3: is not valid UTF-8 \(byte 2 of the line\)"):
        decode_line("f", 3, b"a\xff")
    with pytest.raises(InputError, match="f, line 4: holds a NUL byte"):
        decode_line("f", 4, b"a\0")
    assert decode_line("f", 1, "é".encode()) == "é"


def test_header_columns_by_name() -> None:
    wanted = {"id": ("id", "doid"), "name": ("name",)}
    assert header_columns("f", " Name\tDOID", wanted) == {"id": 1, "name": 0}
    with pytest.raises(InputError, match="f, line 1: no column 'id' or 'doid'; the header has 'name'"):
        header_columns("f", "name", wanted)
    with pytest.raises(InputError, match="f, line 1: the column 'name' stands twice"):
        header_columns("f", "id\tname\tname", wanted)


def test_an_atomic_file_appears_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    with atomic_file(path) as partial:
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    with pytest.raises(ZeroDivisionError), atomic_file(path) as partial:  # noqa: PT012
        partial.write_text("half")
        1 / 0  # noqa: B018
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    write_text(tmp_path / "t", "x")
    os.mkfifo(tmp_path / "pipe")
    for path, overwrite, message in (
        (tmp_path / "t", False, "t exists already; .*--overwrite"),
        (tmp_path, True, "is a directory; a file name is needed"),
        (tmp_path / "no" / "t", True, "no is no directory; make it first"),
        (tmp_path / "pipe", True, "pipe is a pipe or a device, which would be replaced"),
    ):
        with pytest.raises(KgrelError, match=message), atomic_file(path, overwrite):
            pass


def test_equal_values_are_equal_bytes_and_nan_is_refused() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == canonical_json({"a": "é", "b": 1}) == '{\n "a": "é",\n "b": 1\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": float("nan")})


def test_sha256_of_known_content(tmp_path: Path) -> None:
    write_text(tmp_path / "t", "abc")
    assert sha256_of(tmp_path / "t") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_removing_a_tree_removes_of_a_link_only_the_link(tmp_path: Path) -> None:
    (tmp_path / "tree" / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "tree")
    remove_tree(tmp_path / "link")
    assert [entry.name for entry in tmp_path.iterdir()] == ["tree"]
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_line_that_would_fill_the_memory_is_refused_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1 << 16)
    path, content = tmp_path / f"bomb.tsv{ending}", b"a\tb\n" + b"x" * (1 << 26)
    path.write_bytes(gzip.compress(content, 1) if ending else content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"line 2: is longer than 0\.0625 MiB"):
            list(lines_of(path))
        with pytest.raises(InputError, match=r"line 2: is longer than"), TableReader(path) as reader:
            list(reader)
        assert tracemalloc.get_traced_memory()[1] < 1 << 25
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_small_file_that_becomes_a_huge_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """Short lines, so that no single one gives it away. What is merely dull is read."""
    monkeypatch.setattr(files, "LONGEST_LINE", 1 << 16)

    def written(content: bytes) -> Path:
        path = tmp_path / f"list.tsv{ending}"
        small = gzip.compress(content) if ending == ".gz" else pa.compress(content, "zstd", asbytes=True)
        path.write_bytes(small)
        return path

    with pytest.raises(InputError, match=r"list\.tsv.*: becomes more than 200 times its size"):
        list(lines_of(written(b"a\tb\n" * 500_000)))
    few = b"".join(b"%06d" % n + b"x" * 50 + b"\n" for n in range(2000))
    assert b"\n".join(line for _, line in lines_of(written(few))) + b"\n" == few
