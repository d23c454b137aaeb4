"""Whatever is wrong with an input: one sentence that names the file and the line, exit 1, and nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kgrel.data.artifact import Kind, open_artifact
from tests.cli.conftest import assert_refused

Kgrel = Callable[..., Any]
Files = dict[str, Path]
QUICK = ["--steps", 2, "--batch-size", 8, "--device", "cpu"]


def cut_short(content: bytes) -> bytes:
    """A compressed file that ends too early; noise makes it long enough to be cut in the middle."""
    noise = np.random.default_rng(0).integers(97, 122, 100_000, dtype=np.uint8).tobytes()
    return gzip.compress(content + noise + b"\n")[:-40_000]


# Tables: candidates, relations, the probe's relations ---------------------------------------------------------

HEADERS = {"candidates": "source\ttarget\tnote", "relations": "class\tsource_id\ttarget_id"}
ROWS = {"candidates": "1\t2\tx", "relations": "GENE-GENE\t1\t2"}
READERS = [("score-pairs", "candidates"), ("train-pairs", "relations"), ("pretrain", "relations")]
"""Each verb that reads a table, and which."""


@pytest.fixture
def read_table(
    kgrel: Kgrel, corpus_path: Path, representation_path: Path, pairs_path: Path, out: Path
) -> Callable[..., Any]:
    """Run a verb on a table."""

    def run(verb: str, table: Path, *more: object) -> Any:
        match verb:
            case "score-pairs":
                return kgrel(verb, pairs_path, table, "--out", out.with_suffix(".csv"), *more)
            case "train-pairs":
                given = ["--corpus", corpus_path, "--relations", table, "--out", out, *QUICK, "--batch-negatives", 4]
                return kgrel(verb, representation_path, *given, *more)
            case _:
                return kgrel(verb, corpus_path, "--relations", table, "--out", out, "--size", "tiny", *QUICK, *more)

    return run


@pytest.mark.parametrize(("verb", "role"), READERS)
@pytest.mark.parametrize(
    ("rows", "line", "sentence"),
    [
        (b"1\t2\n", 3, r"has 2 fields, but the header names 3"),
        (b"\n1\t2\t3\t4\n", 4, r"has 4 fields, but the header names 3"),
        (b"1\t\0\t3\n", 3, r"holds a NUL byte; is this a text file\?"),
        (b"\xff\t2\t3\n", 3, r"is not valid UTF-8 \(byte 1 of the line\)"),
        (b'"1\t2\t3\n', 3, r"a quoted field that begins in this row is never closed"),
        (b'"1"x\t2\t3\n', 3, r"text follows a closing quote; .*"),
    ],
    ids=["few", "many", "nul", "utf-8", "open-quote", "after-quote"],
)
def test_a_table_with_a_faulty_row_is_refused_by_file_and_line(
    read_table: Callable[..., Any],
    tmp_path: Path,
    out: Path,
    verb: str,
    role: str,
    rows: bytes,
    line: int,
    sentence: str,
) -> None:
    table = tmp_path / "table.tsv"
    table.write_bytes(f"{HEADERS[role]}\n{ROWS[role]}\n".encode() + rows)
    assert_refused(read_table(verb, table), out, rf"{table}, line {line}: {sentence}")


@pytest.mark.parametrize(("verb", "role"), READERS)
def test_a_table_without_a_usable_header_is_refused(
    read_table: Callable[..., Any], tmp_path: Path, out: Path, verb: str, role: str
) -> None:
    table = tmp_path / "table.tsv"
    table.write_bytes(b"")
    assert_refused(read_table(verb, table), out, rf"{table}: is empty; .*")
    table.write_text(f"more\t{HEADERS[role]}\tmore\n")
    assert_refused(read_table(verb, table), out, rf"{table}: the column 'more' stands twice; rename one")


@pytest.mark.parametrize(("verb", "role"), READERS)
def test_a_table_that_is_not_there_or_no_file_is_refused(
    read_table: Callable[..., Any], tmp_path: Path, out: Path, verb: str, role: str
) -> None:
    assert_refused(read_table(verb, tmp_path / "none.tsv"), out, rf"{tmp_path}/none\.tsv: no such file")
    (tmp_path / "folder.tsv").mkdir()
    sentence = rf"{tmp_path}/folder\.tsv: is a directory; a file is needed"
    if role == "relations":  # a directory may be a GRAPH
        sentence = rf"{tmp_path}/folder\.tsv: no manifest\.json; this is no artifact, .*"
    assert_refused(read_table(verb, tmp_path / "folder.tsv"), out, sentence)
    (tmp_path / "table.docx").write_text("x")
    sentence = rf"{tmp_path}/table\.docx: the ending does not tell the format; .*"
    assert_refused(read_table(verb, tmp_path / "table.docx"), out, sentence)


@pytest.mark.parametrize(("verb", "role"), READERS)
def test_a_damaged_compressed_table_is_refused(
    read_table: Callable[..., Any], tmp_path: Path, out: Path, verb: str, role: str
) -> None:
    table = tmp_path / "table.tsv.gz"
    rows = f"{HEADERS[role]}\n" + f"{ROWS[role]}\n" * 50
    for content in (b"not compressed", gzip.compress(b"")[:9], cut_short(rows.encode())):
        table.write_bytes(content)
        sentence = rf"{table}.*: the compressed file is damaged or cut short.*"
        assert_refused(read_table(verb, table), out, sentence)


@pytest.mark.parametrize(("verb", "role"), READERS)
def test_a_table_that_is_no_parquet_or_jsonl_is_refused(
    read_table: Callable[..., Any], tmp_path: Path, out: Path, verb: str, role: str
) -> None:
    table = tmp_path / "table.parquet"
    table.write_bytes(b"PAR1 but not really PAR1")
    assert_refused(read_table(verb, table), out, rf"{table}: is no readable parquet file .*")
    table = tmp_path / "table.jsonl"
    table.write_text('{"source": "1", "target": "2"}\n{"source": \n')
    assert_refused(read_table(verb, table), out, rf"{table}, line 2: is not valid JSON .*")


@pytest.mark.parametrize(
    ("verb", "role", "missing"),
    [
        ("score-pairs", "candidates", "source"),
        ("score-pairs", "candidates", "target"),
        ("train-pairs", "relations", "class"),
        ("train-pairs", "relations", "source_id"),
        ("train-pairs", "relations", "target_id"),
        ("pretrain", "relations", "class"),
    ],
)
def test_a_missing_column_is_refused_and_those_that_are_there_are_named(
    read_table: Callable[..., Any], tmp_path: Path, out: Path, verb: str, role: str, missing: str
) -> None:
    table = tmp_path / "table.tsv"
    header = re.sub(rf"\b{missing}\b", "other", HEADERS[role])
    table.write_text(f"{header}\n{ROWS[role]}\n")
    there = ", ".join(map(repr, header.split("\t")))
    sentence = rf"{table}(, line 1)?: no column '.*{missing}'.*; the columns are {there}.*"
    assert_refused(read_table(verb, table), out, sentence)


@pytest.mark.parametrize("verb", ["train-pairs", "pretrain"])
@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("", r"{table}: has no rows; at least one relation is needed"),
        ("GENE-GENE\t1\t\n", r"{table}, line 2: the column 'target_id' is empty"),
        ("\t1\t2\n", r"{table}, line 2: the column 'class' is empty"),
        ("GENE-GENE\tGene::x\tGene::y\n", r"{table}: none of the 1 rows names two known entities; .*'Gene::x'.*"),
        ("A-B\tPlanet::1\tPlanet::2\n", r"{table}: none of the 1 rows names two known entities; .*'Planet::1'.*"),
        ("GENE-GENE\t1\t2\n", r"only \d+ listed pairs are there, too few to split .*"),
    ],
    ids=["none", "empty-id", "empty-class", "unknown", "unknown-type", "too-few"],
)
def test_relations_that_say_nothing_are_refused(
    read_table: Callable[..., Any], tmp_path: Path, out: Path, verb: str, rows: str, sentence: str
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("class\tsource_id\ttarget_id\n" + rows)
    assert_refused(read_table(verb, table), out, sentence.format(table=table))


def test_candidates_of_an_unknown_type_are_kept_with_a_status_or_refused_by_line(
    kgrel: Kgrel, pairs_path: Path, tmp_path: Path, out: Path
) -> None:
    table = tmp_path / "list.csv"
    table.write_text("source,source_type,target\n1,GENE,2\n1,Planet,2\n")
    arguments = ["score-pairs", pairs_path, table, "--out", out.with_suffix(".jsonl")]
    sentence = rf"{table}, line 3: the pair '1', '2' cannot be scored: unknown_source"
    assert_refused(kgrel(*arguments, "--on-unknown", "error"), out, sentence)
    assert kgrel(*arguments, "--json").json["status"] == {"ok": 1, "unknown_source": 1}


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        (pa.array([["1"]]), "list<.*: string>"),
        (pa.array([{"id": 1}]), "struct<id: int64>"),
        (pa.array([b"1"]), "binary"),
        (pa.array([True]), "bool"),
        (pa.array([0], pa.timestamp("s")), "timestamp\\[ms\\]"),
    ],
    ids=["list", "struct", "binary", "bool", "timestamp"],
)
@pytest.mark.parametrize("name", ["source", "target_type"])
def test_a_parquet_file_whose_identifiers_are_none_is_refused_by_column_and_type(
    kgrel: Kgrel, pairs_path: Path, tmp_path: Path, out: Path, column: pa.Array, type_: str, name: str
) -> None:
    table = {"source": pa.array(["1"]), "target": pa.array(["2"]), "target_type": pa.array(["GENE"])}
    pq.write_table(pa.table(table | {name: column}), tmp_path / "list.parquet")
    outcome = kgrel("score-pairs", pairs_path, tmp_path / "list.parquet", "--out", out.with_suffix(".csv"))
    assert_refused(
        outcome, out, rf"{tmp_path}/list\.parquet: the column '{name}' holds {type_}; text or numbers are .*"
    )


def test_a_very_long_identifier_is_unknown_and_kept(kgrel: Kgrel, pairs_path: Path, tmp_path: Path) -> None:
    long, out = "x" * 100_000, tmp_path / "scored.jsonl"
    (tmp_path / "list.tsv").write_text(f"source\ttarget\n{long}\t2\n")
    assert kgrel("score-pairs", pairs_path, tmp_path / "list.tsv", "--out", out, "--json").json["status"] == {
        "unknown_source": 1
    }
    assert json.loads(out.read_text())["source"] == long


def test_a_field_that_never_ends_is_refused_by_line(kgrel: Kgrel, pairs_path: Path, tmp_path: Path, out: Path) -> None:
    (tmp_path / "list.tsv").write_text(f"source\ttarget\n1\t2\n{'x' * 1_000_000}\t2\n")
    outcome = kgrel("score-pairs", pairs_path, tmp_path / "list.tsv", "--out", out.with_suffix(".csv"))
    assert_refused(outcome, out, rf"{tmp_path}/list\.tsv, line 3: a field is longer than 131,072 characters; .*")


def test_candidates_that_are_a_pipe_are_refused_and_not_waited_for(
    kgrel: Kgrel, pairs_path: Path, tmp_path: Path, out: Path
) -> None:
    os.mkfifo(tmp_path / "list.csv")
    outcome = kgrel("score-pairs", pairs_path, tmp_path / "list.csv", "--out", out.with_suffix(".csv"))
    assert_refused(outcome, out, rf"{tmp_path}/list\.csv: is a pipe or a device; .* pass - to read standard input")


LIMITED = """
import resource, sys
from kgrel_cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
sys.argv = ["kgrel", *sys.argv[1:]]
main()
"""
"""The command with a limit on the size of a file, which fails as a full disk does."""


def test_a_disk_that_takes_no_more_is_one_sentence_and_the_run_goes_on_later(
    kgrel: Kgrel, pairs_path: Path, world_files: Files, tmp_path: Path, out: Path
) -> None:
    lines = world_files["candidates.csv"].read_text().splitlines(keepends=True)
    many = tmp_path / "many.csv"
    many.write_text("".join([lines[0], *(lines[1:] * (2000 // len(lines) + 1))]))
    scored = out.with_suffix(".csv")
    arguments = ["score-pairs", str(pairs_path), str(many), "--out", str(scored), "--chunk-rows", "512"]
    ended = subprocess.run([sys.executable, "-c", LIMITED, *arguments], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"kgrel: .*File too large.*\n", ended.stderr), ended.stderr
    assert not scored.exists()
    summary = kgrel(*arguments, "--json").json
    assert summary["resumed_rows"] > 0
    kgrel(*arguments[:4], tmp_path / "whole.csv")
    assert scored.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert list(out.parent.iterdir()) == [scored]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_at_the_end_of_standard_output_is_one_sentence(pairs_path: Path, world_files: Files) -> None:
    arguments = ["score-pairs", pairs_path, world_files["candidates.csv"], "--out", "-", "--output-format", "csv"]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "kgrel_cli", *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ended.returncode == 1
    assert re.fullmatch(rb"kgrel: .*No space left on device.*\n", ended.stderr), ended.stderr


def test_a_stream_without_a_format_is_refused(kgrel: Kgrel, pairs_path: Path, out: Path) -> None:
    outcome = kgrel("score-pairs", pairs_path, "-", "--out", out.with_suffix(".csv"), stdin=b"source,target\n")
    assert_refused(outcome, out, r"standard input and output have no ending; give the format: .*")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none/scored.csv", r".*/none is no directory; make it first"),
        ("scored.docx", r".*/scored\.docx: the ending does not tell the format; .*"),
        ("scored.csv.gz", r".*/scored\.csv\.gz: compressed output is not written; leave out \.gz"),
    ],
)
def test_outputs_that_cannot_be_written_are_refused(
    kgrel: Kgrel, pairs_path: Path, world_files: Files, out: Path, name: str, sentence: str
) -> None:
    outcome = kgrel("score-pairs", pairs_path, world_files["candidates.csv"], "--out", out.parent / name)
    assert_refused(outcome, out, sentence)


# Artifacts ------------------------------------------------------------------------------------------------------

ARTIFACT_READERS = [
    ("pretrain", "corpus"),
    ("pretrain --init-from", "representation"),
    ("train-pairs", "representation"),
    ("train-pairs --corpus", "corpus"),
    ("tune-threshold", "pairs"),
    ("evaluate-pairs", "pairs"),
    ("score-pairs", "pairs"),
]
"""Each place where a verb takes an artifact, and its kind."""


@pytest.fixture
def artifacts(corpus_path: Path, representation_path: Path, pairs_path: Path) -> Files:
    return {"corpus": corpus_path, "representation": representation_path, "pairs": pairs_path}


@pytest.fixture
def read_artifact(kgrel: Kgrel, artifacts: Files, world_files: Files, out: Path) -> Callable[..., Any]:
    """Run a verb with ``path`` in place of one of its artifacts."""

    def run(place: str, path: Path) -> Any:
        good, relations = artifacts, world_files["relations.tsv"]
        train = ["--relations", relations, "--out", out, *QUICK, "--batch-negatives", 4]
        arguments: dict[str, list[object]] = {
            "pretrain": ["pretrain", path, "--out", out, "--size", "tiny", *QUICK],
            "pretrain --init-from": ["pretrain", good["corpus"], "--init-from", path, "--out", out, *QUICK],
            "train-pairs": ["train-pairs", path, "--corpus", good["corpus"], *train],
            "train-pairs --corpus": ["train-pairs", good["representation"], "--corpus", path, *train],
            "tune-threshold": ["tune-threshold", path, "--out", out],
            "evaluate-pairs": ["evaluate-pairs", path],
            "score-pairs": ["score-pairs", path, world_files["candidates.csv"], "--out", out.with_suffix(".csv")],
        }
        return kgrel(*arguments[place])

    return run


@pytest.mark.parametrize(("place", "kind"), ARTIFACT_READERS)
def test_an_artifact_that_is_none_is_refused(
    read_artifact: Callable[..., Any], artifacts: Files, tmp_path: Path, out: Path, place: str, kind: str
) -> None:
    sentence = rf"{tmp_path}/none: no such {kind} artifact \(a directory is expected\)"
    assert_refused(read_artifact(place, tmp_path / "none"), out, sentence)
    (tmp_path / "file").write_text("x")
    sentence = rf"{tmp_path}/file: no such {kind} artifact \(a directory is expected\)"
    assert_refused(read_artifact(place, tmp_path / "file"), out, sentence)
    (tmp_path / "empty").mkdir()
    assert_refused(read_artifact(place, tmp_path / "empty"), out, rf"{tmp_path}/empty: no manifest\.json; .*")
    other = next(path for name, path in artifacts.items() if name != kind)
    held = open_artifact(other, Kind(next(name for name in artifacts if name != kind))).manifest.kind
    verb = {"corpus": "build-corpus", "representation": "pretrain", "pairs": "train-pairs"}[kind]
    needed = rf"a {kind} artifact( or a baseline is needed| is needed; kgrel {verb} makes one)"
    sentence = rf"{other}: holds a {held} artifact, but {needed}"
    assert_refused(read_artifact(place, other), out, sentence)


@pytest.mark.parametrize(("place", "kind"), ARTIFACT_READERS)
def test_a_damaged_artifact_is_refused_by_the_name_of_the_file(
    read_artifact: Callable[..., Any], artifacts: Files, tmp_path: Path, out: Path, place: str, kind: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(artifacts[kind], copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    name = sorted(manifest["files"])[0]
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert_refused(read_artifact(place, copy), out, rf"{copy}: the file {name} is damaged .*")
    (copy / name).write_bytes(content[: len(content) // 2])
    assert_refused(read_artifact(place, copy), out, rf"{copy}: the file {name} is damaged .*")
    (copy / name).unlink()
    assert_refused(read_artifact(place, copy), out, rf"{copy}: the file {name} is missing or not a plain file")
    (copy / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 999}))
    assert_refused(read_artifact(place, copy), out, rf"{copy}: written with schema 999 .*: upgrade kgrel")
    (copy / "manifest.json").write_text(json.dumps(manifest)[:-9])
    assert_refused(read_artifact(place, copy), out, rf"{copy}: manifest\.json is damaged .*")
