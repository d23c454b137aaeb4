"""``train-combined`` from the command line: what it makes is scored and evaluated beside its members."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import assert_refused

Kgrel = Callable[..., Any]


@pytest.fixture
def arguments(
    tiny_members: None, representation_path: Path, corpus_path: Path, world_files: dict[str, Path]
) -> tuple[Any, ...]:
    """The verb with its inputs."""
    listed = "--corpus", corpus_path, "--relations", world_files["relations.tsv"]
    return "train-combined", representation_path, *listed, "--device", "cpu"


def test_a_combination_is_trained_scored_and_evaluated_beside_its_members(
    kgrel: Kgrel, arguments: tuple[Any, ...], world_files: dict[str, Path], tmp_path: Path
) -> None:
    out, members = tmp_path / "combined", tmp_path / "combined-members"
    made = kgrel(*arguments, "--out", out, "--json").json
    assert made["trained"] == ["kgrel-fine-tuned", "complex", "label-only", "count", "adamic-adar", "degree"]
    assert made["leakage"]["test"]["pairs_in_training"] == 0
    scored = kgrel("score-pairs", out, world_files["candidates.csv"], "--out", tmp_path / "s.csv", "--json").json
    assert scored["status"]["ok"] > 0
    beside = "--beside", members / "kgrel-fine-tuned", "--beside", members / "complex"
    figures = kgrel("evaluate-pairs", out, *beside, "--draws", 20, "--no-baselines", "--json").json
    assert list(figures["all"]["methods"]) == ["kgrel combined", "kgrel, fine-tuned", "ComplEx"]
    again = kgrel(*arguments, "--members", members, "--out", tmp_path / "again")
    assert (again.code, again.err) == (0, "")
    assert "trained                               none" in again.out.decode()
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (out / "manifest.json").read_bytes()
    refused = kgrel(*arguments, "--seed", 1, "--members", members, "--out", tmp_path / "other")
    assert (refused.code, "was made with another seed" in refused.err) == (1, True)


def test_what_cannot_be_trained_on_leaves_nothing_behind(
    kgrel: Kgrel, arguments: tuple[Any, ...], pairs_path: Path, out: Path
) -> None:
    verb, _, *rest = arguments
    assert_refused(kgrel(verb, pairs_path, *rest, "--out", out), out, ".*pairs: holds a pairs artifact, but .*")
    unfit = "--split", "unseen", "--pairs", "any"
    assert_refused(kgrel(*arguments, *unfit, "--out", out), out, ".*leave out --pairs any")
    assert_refused(kgrel(*arguments, "--folds", 9999, "--out", out), out, ".*or fewer --folds")
