"""The commands and the program of docs/graph.md run as they stand, one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from kgrel.graph.problems import KINDS
from kgrel.graph.settings import GraphFormat
from tests.cli.conftest import kgrel
from tests.docs.pages import blocks, commands_of

__all__ = ["kgrel"]
PAGE = (Path(__file__).parents[2] / "docs" / "graph.md").read_text(encoding="utf-8")
QUICK = {
    "pretrain": ["--steps", "2", "--batch-size", "8", "--device", "cpu"],
    "train-pairs": ["--steps", "2", "--batch-size", "8", "--batch-negatives", "4", "--device", "cpu"],
    "train-inductive": ["--steps", "2", "--width", "8", "--batch-size", "8"],
}


def test_the_page_can_be_typed_in(
    corpus_path: Path,
    world_files: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kgrel: Any,
    request: pytest.FixtureRequest,
) -> None:
    (tmp_path / "demo").mkdir()
    world = world_files["nodes.tsv"].parent
    places = {"world": world, "corpus": corpus_path, "candidates.csv": world / "candidates.csv"}
    places |= {"repr": request.getfixturevalue("representation_path"), "pairs": request.getfixturevalue("pairs_path")}
    for name, path in places.items():
        (tmp_path / "demo" / name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    for words in (command.words for command in commands_of("docs/graph.md")):
        if words[1] != "demo":
            outcome = kgrel(*words[1:], *QUICK.get(words[1], []))
            assert outcome.code == 0, (words, outcome.err)
    for name, clean in (("paths-pairs", False), ("measured-pairs", True)):
        summary = json.loads((tmp_path / "demo" / name / "manifest.json").read_text(encoding="utf-8"))["summary"]
        assert (summary["leakage"]["test"]["pairs_joined_in_the_graph"] == 0) is clean
    (example,) = blocks("docs/graph.md", "python")
    exec(compile(example, "docs/graph.md", "exec"), {})


def test_every_format_and_every_kind_of_problem_is_explained() -> None:
    for name in (*get_args(GraphFormat), *KINDS):
        assert f"| `{name}` |" in PAGE
