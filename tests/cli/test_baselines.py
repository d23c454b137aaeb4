"""Baselines from the command line: trained, scored, ranked and evaluated like the classifier; splits by option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Kgrel = Callable[..., Any]


@pytest.fixture
def trained(kgrel: Kgrel, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path) -> Path:
    """A degree baseline."""
    out = tmp_path / "degree"
    found = kgrel(
        "train-baseline", "degree", "--corpus", corpus_path, "--relations", world_files["relations.tsv"],
        "--out", out, "--json",
    ).json  # fmt: skip
    assert found["leakage"]["test"]["pairs_in_training"] == 0
    assert found["thresholds"].keys() == {"CHEMICAL-DISEASE", "CHEMICAL-GENE", "DISEASE-GENE", "GENE-GENE"}
    return out


def test_a_baseline_is_scored_ranked_and_evaluated(
    kgrel: Kgrel, trained: Path, pairs_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    summary = kgrel("score-pairs", trained, world_files["candidates.csv"], "--out", tmp_path / "s.csv", "--json").json
    assert summary["status"]["ok"] > 0
    ranked = kgrel(
        "rank-pairs", trained, "--source-type", "GENE", "--target-type", "DISEASE", "--top", 5, "--json"
    ).json
    scores = [pair["score"] for pair in ranked["pairs"]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0
    figures = kgrel("evaluate-pairs", trained, "--beside", pairs_path, "--draws", 20, "--no-baselines", "--json").json
    assert list(figures["all"]["methods"]) == ["label-degree product", "kgrel"]
    ranking = kgrel("evaluate-ranking", trained, "--edges", 7, "--json").json
    assert ranking["questions"] == 14
    shown = kgrel("evaluate-ranking", trained, "--edges", 7)
    assert shown.code == 0
    assert f"{ranking['realistic']['mrr']:.4f}" in shown.out.decode()


def test_an_artifact_that_scores_nothing_is_refused_by_name(kgrel: Kgrel, corpus_path: Path) -> None:
    for verb in ("evaluate-ranking", "evaluate-pairs"):
        outcome = kgrel(verb, corpus_path)
        assert outcome.code == 1
        assert "holds a corpus artifact, but a pairs artifact or a baseline is needed" in outcome.err


def test_a_corpus_that_holds_pairs_out_is_made_and_used(
    kgrel: Kgrel, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    relations, out = world_files["relations.tsv"], tmp_path / "corpus"
    found = kgrel(
        "hold-out-pairs", corpus_path, "--relations", relations, "--positives", 20, "--out", out, "--json"
    ).json
    assert found["contexts_removed"] > 20
    trained = kgrel(
        "train-baseline", "degree", "--corpus", out, "--relations", relations, "--split", "removed",
        "--out", tmp_path / "degree", "--json",
    ).json  # fmt: skip
    assert trained["test"]["listed"] == 10
    assert trained["leakage"]["test"]["contexts"] == 0


@pytest.mark.parametrize("split", ["entity-cold", "degree-matched"])
def test_a_split_is_chosen_by_option(
    kgrel: Kgrel, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path, split: str
) -> None:
    out = tmp_path / "count"
    trained = kgrel(
        "train-baseline", "cooccurrence", "--corpus", corpus_path, "--relations", world_files["relations.tsv"],
        "--split", split, "--out", out, "--json",
    ).json  # fmt: skip
    assert trained["test"]["listed"] > 0
    assert kgrel("evaluate-pairs", out, "--draws", 20, "--no-baselines").code == 0


def test_several_numbers_are_given_by_repeating_the_option(kgrel: Kgrel, tmp_path: Path) -> None:
    outcome = kgrel(
        "train-baseline", "attention", "--corpus", tmp_path, "--relations", tmp_path, "--out", tmp_path / "a",
        "--learning-rates", "0.1", "--learning-rates", "-1",
    )  # fmt: skip
    assert outcome.code == 1
    assert "learning_rates must be one or more, greater than 0, not (0.1, -1.0)" in outcome.err
