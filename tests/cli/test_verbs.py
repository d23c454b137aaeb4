"""Each verb in a small run: data on stdout or at ``--out``, messages on stderr, the summary as JSON on demand."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgrel.baselines.label_only import LabelOnlySettings, fit_label_only
from kgrel.data.artifact import Kind, open_artifact
from kgrel.evaluate import pairs as evaluate
from kgrel.evaluate.settings import LEAST_DRAWS, EvaluationSettings
from kgrel.evaluate.tables import text_table
from kgrel.model.predictive import TILE
from kgrel.score.stream import score_file
from kgrel.text.corpus import Corpus
from kgrel.train import probe
from kgrel.train.pair_model import PairModel

Kgrel = Callable[..., Any]
Files = dict[str, Path]

PRETRAIN = ["--size", "tiny", "--steps", 3, "--batch-size", 8, "--device", "cpu", "--validate-every", 3]
TRAIN_PAIRS = ["--steps", 3, "--batch-size", 8, "--batch-negatives", 4, "--device", "cpu", "--validate-every", 3]


def corpus_arguments(files: Files, out: Path) -> list[object]:
    lexicons = {"GENE": "genes.tsv", "DISEASE": "diseases.tsv", "CHEMICAL": "chemicals.tsv"}
    given = [argument for type_, name in lexicons.items() for argument in ("--lexicon", f"{type_}={files[name]}")]
    return ["build-corpus", files["sentences.tsv"], *given, "--out", out]


def settings_of(path: Path, kind: Kind) -> dict[str, Any]:
    return open_artifact(path, kind).manifest.settings


def assert_summary(kgrel: Kgrel, arguments: list[object], out: Path, kind: Kind) -> None:
    """``--json`` prints the manifest's summary and nothing else on stdout; ``--overwrite`` is needed to repeat it."""
    found = kgrel(*arguments, "--json").json
    before = open_artifact(out, kind)
    assert found.items() <= before.manifest.summary.items()
    assert found
    refused = kgrel(*arguments)
    assert (refused.code, refused.out) == (1, b"")
    assert f"{out} exists already; choose another output or pass --overwrite" in refused.err
    again = kgrel(*arguments, "--overwrite")
    assert again.code == 0, again.err
    assert open_artifact(out, kind).hash == before.hash
    lines = again.out.decode().splitlines()
    assert all(any(line.strip().startswith(key) for line in lines) for key in found)


def test_build_corpus(kgrel: Kgrel, world_files: Files, corpus_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    assert_summary(kgrel, corpus_arguments(world_files, out), out, Kind.CORPUS)
    assert open_artifact(out, Kind.CORPUS).manifest.files == open_artifact(corpus_path, Kind.CORPUS).manifest.files
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_names_of_a_stop_list_are_never_tagged_and_recorded_in_one_order(
    kgrel: Kgrel, world_files: Files, corpus_path: Path, tmp_path: Path
) -> None:
    names = sorted(set(Corpus.open(corpus_path).entities.names))[:20]
    stop_list = tmp_path / "stop.txt"
    stop_list.write_text("# names\n" + "\n".join(reversed(names)) + "\n")
    arguments = [*corpus_arguments(world_files, tmp_path / "corpus"), "--stop-list", stop_list]
    outcome = kgrel(*arguments, "--stop-words", "Another one")
    assert outcome.code == 0, outcome.err
    stopped = settings_of(tmp_path / "corpus", Kind.CORPUS)["stop_words"]
    assert stopped[0] == "Another one"
    assert stopped[1:] == sorted(stopped[1:])
    assert len(stopped) == 1 + len({name.casefold() for name in names})
    assert Corpus.open(tmp_path / "corpus").pairs.counts.sum() < Corpus.open(corpus_path).pairs.counts.sum()


def test_an_empty_value_empties_a_setting_of_many_values(kgrel: Kgrel, world_files: Files, tmp_path: Path) -> None:
    outcome = kgrel(*corpus_arguments(world_files, tmp_path / "corpus"), "--gene-types", "")
    assert outcome.code == 0, outcome.err
    assert settings_of(tmp_path / "corpus", Kind.CORPUS)["gene_types"] == []


def test_pretrain(kgrel: Kgrel, corpus_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "repr"
    assert_summary(kgrel, ["pretrain", corpus_path, "--out", out, *PRETRAIN], out, Kind.REPRESENTATION)
    assert [path.name for path in tmp_path.iterdir()] == ["repr"]


def test_options_beside_the_papers_recipe_win_in_pretrain(kgrel: Kgrel, corpus_path: Path, tmp_path: Path) -> None:
    outcome = kgrel("pretrain", corpus_path, "--recipe", "paper", "--out", tmp_path / "repr", *PRETRAIN)
    assert outcome.code == 0, outcome.err
    found = settings_of(tmp_path / "repr", Kind.REPRESENTATION)
    assert (found["steps"], found["batch_size"], found["size"]) == (3, 8, "tiny")
    assert (found["kl_steps"], found["posterior"], found["decoder_weight"]) == (10_000, "recogniser", 1.0)


def test_a_dry_run_tells_the_plan_and_writes_nothing(kgrel: Kgrel, corpus_path: Path, tmp_path: Path) -> None:
    plan = kgrel("pretrain", corpus_path, "--out", tmp_path / "repr", *PRETRAIN, "--dry-run", "--json").json
    assert plan["steps"] == 3
    assert plan["contexts"] == len(Corpus.open(corpus_path).contexts)
    assert list(tmp_path.iterdir()) == []


def test_pretraining_goes_on_from_a_representation_and_probes_it(
    kgrel: Kgrel,
    corpus_path: Path,
    representation_path: Path,
    world_files: Files,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(probe.PROBE, "steps", 4)
    given = ["--init-from", representation_path, "--relations", world_files["relations.tsv"], "--json"]
    found = kgrel("pretrain", corpus_path, "--out", tmp_path / "repr", *PRETRAIN, *given).json
    assert 0 <= found["probe_average_precision"] <= 1
    parents = open_artifact(tmp_path / "repr", Kind.REPRESENTATION).manifest.parents
    assert parents["init_from"] == open_artifact(representation_path, Kind.REPRESENTATION).hash


def test_a_probe_of_types_is_wrong_usage(kgrel: Kgrel, corpus_path: Path, world_files: Files, tmp_path: Path) -> None:
    given = ["--entities", "type", "--relations", world_files["relations.tsv"]]
    outcome = kgrel("pretrain", corpus_path, "--out", tmp_path / "repr", *PRETRAIN, *given)
    assert (outcome.code, outcome.out) == (2, b"")
    assert "--relations" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_train_pairs(
    kgrel: Kgrel, corpus_path: Path, representation_path: Path, world_files: Files, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    given = ["--corpus", corpus_path, "--relations", world_files["relations.tsv"], "--out", out, *TRAIN_PAIRS]
    assert_summary(kgrel, ["train-pairs", representation_path, *given], out, Kind.PAIRS)
    given += ["--recipe", "paper", "--overwrite"]
    assert kgrel("train-pairs", representation_path, *given).code == 0
    found = settings_of(out, Kind.PAIRS)
    assert (found["steps"], found["batch_size"], found["patience"]) == (3, 8, 0)


def test_tune_threshold(kgrel: Kgrel, pairs_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    assert_summary(kgrel, ["tune-threshold", pairs_path, "--out", out], out, Kind.PAIRS)
    assert PairModel.open(out).thresholds.tolist() == PairModel.open(pairs_path).thresholds.tolist()
    found = kgrel("tune-threshold", pairs_path, "--out", out, "--per-class", "--overwrite", "--json").json
    assert PairModel.open(out).thresholds.tolist() == list(found["thresholds"].values())
    assert settings_of(out, Kind.PAIRS)["per_class_thresholds"] is True
    assert open_artifact(out, Kind.PAIRS).manifest.parents["pairs"] == open_artifact(pairs_path, Kind.PAIRS).hash


def test_evaluate_pairs(kgrel: Kgrel, pairs_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = LabelOnlySettings(steps=10, validate_every=5)
    monkeypatch.setattr(evaluate, "fit_label_only", lambda data, settings: fit_label_only(data, settings, short))
    arguments = ["evaluate-pairs", pairs_path, "--draws", LEAST_DRAWS]
    report = kgrel(*arguments, "--json").json
    assert len(report["covered"]["methods"]) == 5
    outcome = kgrel(*arguments)
    assert outcome.code == 0, outcome.err
    assert outcome.out.decode() == text_table(report) + "\n"
    assert list(kgrel(*arguments, "--no-baselines", "--json").json["all"]["methods"]) == ["kgrel"]
    validation = kgrel(*arguments, "--no-baselines", "--part", "validation", "--json").json
    settings = EvaluationSettings(part="validation", draws=LEAST_DRAWS, baselines=False)
    assert validation["settings"] == dataclasses.asdict(settings)


def test_what_cannot_be_drawn_is_refused_before_the_evaluation(
    kgrel: Kgrel,
    pairs_path: Path,
    corpus_path: Path,
    world_files: Files,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = ("--corpus", corpus_path, "--relations", world_files["relations.tsv"])
    assert kgrel("train-baseline", "degree", *given, "--out", tmp_path / "degree").code == 0
    monkeypatch.setattr(evaluate, "evaluate_pairs", lambda *_: pytest.fail("said too late"))
    told = {
        (tmp_path / "degree", tmp_path / "a.png"): "the scores of a baseline are no probabilities to draw",
        (pairs_path, tmp_path / "none" / "a.png"): "none is no directory; make it first",
    }
    for (artifact, plot), message in told.items():
        outcome = kgrel("evaluate-pairs", artifact, "--plot", plot)
        assert (outcome.code, message in outcome.err) == (1, True)


def test_report_of_pairs(kgrel: Kgrel, pairs_path: Path, corpus_path: Path, tmp_path: Path) -> None:
    out, short = tmp_path / "page.html", ["--no-baselines", "--draws", LEAST_DRAWS]
    training = kgrel("report", pairs_path, "--out", out)
    assert training.code == 0, training.err
    assert "Precision and recall" not in out.read_text()
    outcome = kgrel("report", pairs_path, "--out", out, "--evaluate", *short)
    assert outcome.err.startswith(f"kgrel: {out} exists already")
    outcome = kgrel("report", pairs_path, "--out", out, "--evaluate", "--corpus", corpus_path, *short, "--overwrite")
    assert outcome.code == 0, outcome.err
    assert outcome.out == kgrel("evaluate-pairs", pairs_path, *short).out
    page = out.read_text()
    assert all(title in page for title in ("All test pairs", "Top novel predictions", "Settings of the evaluation"))
    assert not re.search('(src|href)="(?!#|data:)', page)  # it loads nothing


def test_an_evaluation_s_option_needs_evaluate(kgrel: Kgrel, pairs_path: Path, tmp_path: Path) -> None:
    outcome = kgrel("report", pairs_path, "--out", tmp_path / "page.html", "--part", "validation")
    assert outcome.code == 2
    assert "need --evaluate" in outcome.err


def test_too_few_draws_are_a_stated_failure(kgrel: Kgrel, pairs_path: Path) -> None:
    outcome = kgrel("evaluate-pairs", pairs_path, "--draws", 0)
    assert (outcome.code, outcome.out) == (1, b"")
    assert outcome.err == f"kgrel: draws must be at least {LEAST_DRAWS}, not 0\n"


def test_score_pairs(kgrel: Kgrel, pairs_path: Path, world_files: Files, tmp_path: Path) -> None:
    candidates, out = world_files["candidates.csv"], tmp_path / "scored.csv"
    summary = score_file(PairModel.open(pairs_path), candidates, tmp_path / "expected.csv")
    found = kgrel("score-pairs", pairs_path, candidates, "--out", out, "--json").json
    assert found == json.loads(json.dumps(summary.to_json()))
    assert out.read_bytes() == (tmp_path / "expected.csv").read_bytes()
    refused = kgrel("score-pairs", pairs_path, candidates, "--out", out)
    assert (refused.code, refused.out) == (1, b"")
    assert "--overwrite" in refused.err
    again = kgrel("score-pairs", pairs_path, candidates, "--out", out, "--overwrite")
    assert (again.code, again.err) == (0, "")
    assert f"{summary.rows_in:,}" in again.out.decode()


@pytest.mark.parametrize("json_", [[], ["--json"]])
def test_score_pairs_between_streams_keeps_the_summary_off_stdout(
    kgrel: Kgrel, pairs_path: Path, world_files: Files, tmp_path: Path, json_: list[str]
) -> None:
    content = world_files["candidates.csv"].read_bytes()
    score_file(PairModel.open(pairs_path), world_files["candidates.csv"], tmp_path / "expected.tsv")
    formats = ["--input-format", "csv", "--output-format", "tsv"]
    outcome = kgrel("score-pairs", pairs_path, "-", "--out", "-", *formats, *json_, stdin=content)
    assert outcome.code == 0, outcome.err
    assert outcome.out == (tmp_path / "expected.tsv").read_bytes()
    if json_:
        assert json.loads(outcome.err)["rows_in"] == content.count(b"\n") - 1
    else:
        assert outcome.err.startswith("rows_in")


def test_score_pairs_passes_its_settings_on(kgrel: Kgrel, pairs_path: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("source,target,score\n1,2,high\nnobody,1,low\n")
    given = ["--on-unknown", "skip", "--prefix", "k_", "--chunk-rows", TILE, "--json"]
    found = kgrel("score-pairs", pairs_path, tmp_path / "list.csv", "--out", tmp_path / "scored.jsonl", *given).json
    assert (found["rows_in"], found["rows_out"], found["status"]["unknown_source"]) == (2, 1, 1)
    (row,) = map(json.loads, (tmp_path / "scored.jsonl").read_text().splitlines())
    assert (row["score"], row["k_status"]) == ("high", "ok")
