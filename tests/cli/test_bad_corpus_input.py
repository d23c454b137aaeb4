"""Whatever is wrong with sentences and lexicons: one sentence that names file and line, and nothing half-written."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Kgrel, assert_refused

Files = dict[str, Path]


@pytest.fixture
def build(kgrel: Kgrel, world_files: Files, out: Path) -> Callable[..., Any]:
    """Run ``build-corpus`` with one input replaced."""

    def run(*more: object, sentences: Path | None = None, genes: Path | None = None) -> Any:
        lexicons = {"GENE": genes or world_files["genes.tsv"], "DISEASE": world_files["diseases.tsv"]}
        given = [argument for type_, path in lexicons.items() for argument in ("--lexicon", f"{type_}={path}")]
        return kgrel("build-corpus", sentences or world_files["sentences.tsv"], *given, "--out", out, *more)

    return run


@pytest.mark.parametrize("role", ["sentences", "genes"])
def test_sentences_and_lexicons_that_cannot_be_read_are_refused(
    build: Callable[..., Any], tmp_path: Path, out: Path, role: str
) -> None:
    assert_refused(build(**{role: tmp_path / "none.tsv"}), out, rf"{tmp_path}/none\.tsv: no such file")
    (tmp_path / "folder.tsv").mkdir()
    assert_refused(build(**{role: tmp_path / "folder.tsv"}), out, rf"{tmp_path}/folder\.tsv: is a directory; .*")
    (tmp_path / "empty.tsv").write_bytes(b"")
    assert_refused(build(**{role: tmp_path / "empty.tsv"}), out, rf"{tmp_path}/empty\.tsv: is empty; .*")
    (tmp_path / "columns.tsv").write_text("one\ttwo\nx\ty\n")
    sentence = rf"{tmp_path}/columns\.tsv, line 1: no column '.*; the header has 'one', 'two'"
    assert_refused(build(**{role: tmp_path / "columns.tsv"}), out, sentence)
    (tmp_path / "header.tsv").write_bytes(b"doc_id\tsent\0ence\n")
    assert_refused(build(**{role: tmp_path / "header.tsv"}), out, rf"{tmp_path}/header\.tsv, line 1: holds a NUL .*")


@pytest.mark.parametrize("role", ["sentences", "genes"])
def test_damaged_compressed_sentences_and_lexicons_are_refused(
    build: Callable[..., Any], world_files: Files, tmp_path: Path, out: Path, role: str
) -> None:
    path = tmp_path / "damaged.tsv.gz"
    whole = world_files["sentences.tsv" if role == "sentences" else "genes.tsv"].read_bytes()
    for content in (b"not compressed", gzip.compress(whole)[:-200], gzip.compress(whole)[:100]):
        path.write_bytes(content)
        assert_refused(build(**{role: path}), out, rf"{path}.*: the compressed file is damaged or cut short.*")


def test_sentences_that_name_no_pair_are_refused(build: Callable[..., Any], tmp_path: Path, out: Path) -> None:
    path = tmp_path / "sentences.tsv"
    path.write_text("doc_id\tsentence\n1\tNothing is named here.\n")
    assert_refused(build(sentences=path), out, rf"{path}: no sentence names two different entities .*")
    path.write_text("doc_id\tsentence\n")
    assert_refused(build(sentences=path), out, rf"{path}: holds a header but no sentence")


BAD_LINES = [b"only one field", b"1\ttwo\tthree\tfour\tfive\tsix\tseven", b"1\t\0", b"1\t\xff\xfe"]


def with_bad_lines(path: Path, into: Path) -> list[int]:
    """Copy a table with bad lines strewn in; their line numbers."""
    lines = path.read_bytes().splitlines()
    for bad, place in zip(BAD_LINES, (3, 7, 9, len(lines) - 1), strict=True):
        lines.insert(place, bad)
    into.write_bytes(b"\n".join(lines) + b"\n")
    return [number for number, line in enumerate(lines, start=1) if line in BAD_LINES]


@pytest.mark.parametrize(
    ("role", "name", "counted"),
    [("sentences", "sentences.tsv", "bad_lines"), ("genes", "genes.tsv", "lexicon_bad_lines")],
)
def test_a_bad_line_is_counted_and_told_and_fatal_only_under_strict(
    build: Callable[..., Any], world_files: Files, tmp_path: Path, out: Path, role: str, name: str, counted: str
) -> None:
    path = tmp_path / name
    numbers = with_bad_lines(world_files[name], path)
    sentence = rf"{path}, line {numbers[0]}: has 1 fields, the header has \d"
    assert_refused(build("--strict", **{role: path}), out, sentence)
    outcome = build("--json", **{role: path})
    summary = outcome.json
    assert summary[counted] == len(BAD_LINES)
    for number, first in zip(numbers, summary[f"{counted}_first"], strict=True):
        assert f"{name} line {number}: " in first
    assert f"{len(BAD_LINES)} bad lines left out, e.g. {name} line {numbers[0]}" in outcome.err
    without = build("--json", "--overwrite").json
    assert {key: summary[key] for key in ("contexts", "entities", "words")} == {
        key: without[key] for key in ("contexts", "entities", "words")
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r": is empty; an OBO file is needed"),
        (b"format-version: 1.2\n", r": has no \[Term\]; is this an OBO file\?"),
        (b"[Term]\nid: DOID:1\n", r", line 1: the \[Term\] that begins here has no 'name'"),
        (b"[Term]\nid: DOID:1\nname: a\0b\n", r", line 3: holds a NUL byte; .*"),
        (b"[Term]\nid: DOID:1\nname: \xff\n", r", line 3: is not valid UTF-8 .*"),
        (b"[Term]\nid: DOID:1\nname: fever\nsynonym: heat EXACT []\n", r", line 1: .*unquoted synonym.*"),
    ],
)
def test_a_faulty_ontology_is_refused_by_line(
    build: Callable[..., Any], tmp_path: Path, out: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "terms.obo"
    path.write_bytes(content)
    assert_refused(build("--lexicon", f"SYMPTOM={path}"), out, str(path) + sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, ": no such file"), (b"fine\n\0\n", ", line 2: holds a NUL .*"), (b"\xff\n", ", line 1: is not valid .*")],
)
def test_a_faulty_stop_list_is_refused(
    build: Callable[..., Any], tmp_path: Path, out: Path, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / "stop.txt"
    if content is not None:
        path.write_bytes(content)
    assert_refused(build("--stop-list", path), out, str(path) + sentence)


def test_a_setting_out_of_range_is_refused_by_name(build: Callable[..., Any], out: Path) -> None:
    assert_refused(build("--max-tokens", 1), out, "max_tokens must be at least 3, not 1")
