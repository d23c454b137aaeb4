"""The commands of docs/export.md are executed as they stand, against a real server where they need one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kgrel.export.settings import FORMATS, BoltSettings
from kgrel.score.stream import score_file
from kgrel.train.pair_model import PairModel
from tests.docs.pages import blocks, commands_of
from tests.export.conftest import PASSWORD, arcadedb, bolt, kgrel, query

__all__ = ["arcadedb", "bolt", "kgrel"]
PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")


COMMANDS = [command.words for command in commands_of("docs/export.md")]


@pytest.fixture
def demo(
    pairs_path: Path, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """What ``kgrel demo`` leaves, in small, in the working directory."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "pairs").symlink_to(pairs_path)
    (tmp_path / "demo" / "corpus").symlink_to(corpus_path)
    (tmp_path / "demo" / "world").symlink_to(world_files["nodes.tsv"].parent)
    monkeypatch.chdir(tmp_path)
    score_file(PairModel.open(pairs_path), world_files["candidates.csv"], tmp_path / "demo" / "scored.csv")
    return tmp_path


def test_every_format_has_its_command() -> None:
    assert {words[2] for words in COMMANDS if words[:2] == ["kgrel", "export"]} == FORMATS.keys()


def test_the_commands_that_write_files_can_be_typed_in_one_after_the_other(demo: Path, kgrel: Any) -> None:
    for words in COMMANDS:
        if words[1] == "demo" or words[1:3] == ["export", "neo4j"]:
            continue
        # The small model is barely trained, so that no score may exceed its threshold.
        more = ["--threshold", "0.0"] if words[1] == "export" else []
        outcome = kgrel(*words[1:], *more)
        assert outcome.code == 0, (words, outcome.err)
        if words[1] == "export":
            assert (demo / words[words.index("--out") + 1]).exists()


def test_the_commands_of_a_running_database_load_and_delete(
    demo: Path, bolt: BoltSettings, kgrel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KGREL_NEO4J_PASSWORD", PASSWORD)
    counts = []
    for words in (words for words in COMMANDS if words[1:3] == ["export", "neo4j"]):
        here = [bolt.uri if word == "bolt://localhost:7687" else word for word in words[1:]]
        outcome = kgrel(*here, *([] if "--delete-run" in here else ["--threshold", "0.0", "--top", "50"]))
        assert outcome.code == 0, outcome.err
        counts.append(query(bolt, "MATCH (:NamedThing)-[r]->(:NamedThing) RETURN count(r)")[0][0])
    assert counts == [0, 50, 0]


def test_the_python_example_runs(demo: Path, kgrel: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("docs/export.md", "python")
    code = example.replace("top=100", "top=100, threshold=0.0")
    exec(compile(code, "docs/export.md", "exec"), {})
    assert int(capsys.readouterr().out) == 100
    assert (demo / "best.graphml").exists()
    assert (demo / "mine" / "edges.jsonl").exists()


def test_the_query_and_the_mapping_of_the_page_work(demo: Path, kgrel: Any) -> None:
    ox = pytest.importorskip("pyoxigraph")
    (toml,), (sparql,) = blocks("docs/export.md", "toml"), blocks("docs/export.md", "sparql")
    (demo / "mapping.toml").write_text(toml)
    words = ["export", "rdf", "demo/scored.csv", "--pairs", "demo/pairs", "--mapping", "mapping.toml"]
    outcome = kgrel(*words, "--threshold", "0.0", "--out", "x.trig")
    assert outcome.code == 0, outcome.err
    store = ox.Store()
    store.load(path="x.trig", format=ox.RdfFormat.TRIG)
    rows = list(store.query(sparql))
    assert len(rows) == 10
    scores = [float(row["score"].value) for row in rows]
    assert scores == sorted(scores, reverse=True)
