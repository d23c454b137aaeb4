"""What docs/scoring.md shows can be typed in as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kgrel.score.candidates import STATUSES

PAGE = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_python_example_runs_and_keeps_the_rows(
    pairs_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "pairs").symlink_to(pairs_path)
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(example, "docs/scoring.md", "exec"), names)
    scored = names["scored"]
    assert scored["note"].tolist() == ["kept", "as it", "was"]
    assert scored["status"].tolist() == ["ok", "ok", "unknown_source"]
    assert "best_relation" in capsys.readouterr().out


def test_the_statuses_that_scoring_a_list_can_give_are_explained() -> None:
    for status in STATUSES:
        assert f"`{status}`" in PAGE or status == "inductive"
