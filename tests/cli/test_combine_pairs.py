"""``combine-pairs`` from the command line: what it makes is scored, ranked and evaluated as its members are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Kgrel = Callable[..., Any]


@pytest.fixture
def degree(kgrel: Kgrel, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path) -> Path:
    """A baseline of the split of the classifier."""
    out, relations = tmp_path / "degree", world_files["relations.tsv"]
    assert kgrel("train-baseline", "degree", "--corpus", corpus_path, "--relations", relations, "--out", out).code == 0
    return out


def test_a_combination_is_scored_ranked_and_evaluated(
    kgrel: Kgrel, degree: Path, pairs_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    out, scored = tmp_path / "combined", tmp_path / "scored.csv"
    made = kgrel("combine-pairs", pairs_path, degree, "--folds", 2, "--out", out, "--json").json
    assert made["members_validation_average_precision"].keys() == {"kgrel", "label-degree product"}
    assert made["leakage"]["test"]["pairs_in_training"] == 0
    summary = kgrel("score-pairs", out, world_files["candidates.csv"], "--out", scored, "--json").json
    assert summary["status"]["ok"] > 0
    ranking = "--source-type", "GENE", "--target-type", "DISEASE", "--top", 5
    assert len(kgrel("rank-pairs", out, *ranking, "--json").json["pairs"]) == 5
    figures = kgrel("evaluate-pairs", out, "--beside", pairs_path, "--draws", 20, "--no-baselines", "--json").json
    assert list(figures["all"]["methods"]) == ["kgrel + label-degree product", "kgrel"]
    assert figures["calibration"]["pairs"] > 0
    assert kgrel("evaluate-ranking", out, "--edges", 5, "--json").json["questions"] == 10
    source = "--primary-knowledge-source", "infores:test", "--threshold", 0
    assert kgrel("export", "kgx", scored, "--pairs", out, *source, "--out", tmp_path / "edges").code == 0
    assert any((tmp_path / "edges").glob("*edges*"))
    proposed = kgrel("propose-pairs", out, "--types", "GENE,DISEASE", "--out", tmp_path / "p.csv", "--json").json
    assert proposed["proposed"] > 0
    refused = kgrel("score-pairs", out, world_files["candidates.csv"], "--uncertainty", "--out", tmp_path / "u.csv")
    assert (refused.code, "gives no uncertainty" in refused.err) == (1, True)


def test_one_member_is_no_combination(kgrel: Kgrel, pairs_path: Path, tmp_path: Path) -> None:
    outcome = kgrel("combine-pairs", pairs_path, "--out", tmp_path / "combined")
    assert outcome.code == 1
    assert outcome.err == "kgrel: one scorer is no combination; give two or more\n"
