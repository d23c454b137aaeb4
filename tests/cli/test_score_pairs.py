"""The options of ``kgrel score-pairs``, ``rank-pairs`` and ``propose-pairs``, and what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from kgrel.data.errors import KgrelError
from kgrel.model.representation import Representation
from kgrel.score.pair_scorer import PairScorer
from kgrel.text.corpus import Corpus
from kgrel.train.train_pairs import train_pairs
from kgrel_cli.main import cli
from tests.conftest import TINY_PAIRS

LIST = "source,target\n1,2\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def refusal(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code != 0
    return str(result.exception) if isinstance(result.exception, KgrelError) else result.output


def test_all_pairs_of_two_types_are_ranked_as_by_rank_pairs(pairs_path: Path, tmp_path: Path) -> None:
    best = ("--top", 20, "--per-head", 3, "--novel-only", "--json")
    one = run("score-pairs", pairs_path, "--all", "GENE, DISEASE", *best, "--out", tmp_path / "one.csv")
    sides = ("--source-type", "GENE", "--target-type", "DISEASE")
    other = run("rank-pairs", pairs_path, *sides, *best, "--out", tmp_path / "other.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()
    assert json.loads(one.stdout) == json.loads(other.stdout)
    assert json.loads(one.stdout)["kept"] == 20


def test_an_ensemble_ranks_by_the_mean_of_its_members(
    corpus_path: Path, representation_path: Path, world_files: dict[str, Path], pairs_path: Path, tmp_path: Path
) -> None:
    other, out = tmp_path / "other", tmp_path / "ranked.csv"
    settings = replace(TINY_PAIRS, seed=1, split_seed=TINY_PAIRS.seed)
    representation, corpus = Representation.open(representation_path), Corpus.open(corpus_path)
    train_pairs(representation, corpus, world_files["relations.tsv"], other, settings)
    run("score-pairs", pairs_path, "--all", "GENE,DISEASE", "--top", 0, "--ensemble", other, "--out", out)
    ranked = pd.read_csv(out, dtype={"source": str, "target": str})
    scored = PairScorer.load(pairs_path, [other]).score(ranked[["source", "target"]])
    assert ranked["score"].tolist() == sorted(scored["score"], reverse=True)
    assert ranked["score"].tolist() != PairScorer.load(pairs_path).score(ranked[["source", "target"]])["score"].tolist()


def test_what_cannot_be_written_is_refused_before_the_ranking(
    pairs_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PairScorer, "load", lambda *_: pytest.fail("looked at the output too late"))
    ranking = ("rank-pairs", pairs_path, "--source-type", "GENE", "--target-type", "DISEASE", "--out")
    assert "the ending does not tell the format" in refusal(*ranking, tmp_path / "top.txt")
    assert "no directory; make it first" in refusal(*ranking, tmp_path / "nowhere" / "top.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give either CANDIDATES or --all"),
        (("list.csv", "--all", "GENE,DISEASE"), "give either CANDIDATES or --all"),
        (("--all", "GENE"), "'GENE' is not two types joined by a comma"),
        (("--all", "GENE,DISEASE", "--chunk-rows", "512"), "--all ranks pairs; it takes no --chunk-rows"),
        (("--all", "GENE,DISEASE", "--engine", "ray"), "neither --engine ray nor --input-format"),
        (("list.csv", "--top", "5"), "a list is scored whole; only --all takes --top"),
        (("list.csv", "--actors", "2"), "only --engine ray takes --actors"),
    ],
)
def test_options_without_effect_are_refused(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    said = refusal("score-pairs", tmp_path, *options, "--out", tmp_path / "out.csv")
    assert message in " ".join(said.replace("│", " ").split())


def test_proposals_can_be_scored_whole(pairs_path: Path, world_files: dict[str, Path], tmp_path: Path) -> None:
    proposed, scored = tmp_path / "proposed.parquet", tmp_path / "scored.parquet"
    graph = ("--by", "neighbours", "--graph", world_files["edges.sif"])
    result = run("propose-pairs", pairs_path, "--types", "GENE,DISEASE", *graph, "--out", proposed, "--json")
    counts = json.loads(result.stdout)
    assert counts["proposed"] == counts["pairs"] - counts["known"] == pq.read_metadata(proposed).num_rows > 0
    summary = json.loads(run("score-pairs", pairs_path, proposed, "--out", scored, "--json").stdout)
    assert summary["status"] == {"ok": counts["proposed"]}
    assert pq.read_table(scored)["known_relation"].null_count == counts["proposed"]


def test_a_limit_is_reported(pairs_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "few.csv"
    result = run("propose-pairs", pairs_path, "--types", "gene,disease", "--max-pairs", 7, "--out", out, "--json")
    assert json.loads(result.stdout)["stopped"] is True
    assert len(out.read_text().splitlines()) == 1 + 7
    assert "few.csv exists already" in refusal("propose-pairs", pairs_path, "--types", "GENE,DISEASE", "--out", out)
