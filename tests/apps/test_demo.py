"""The demo runs the whole line and tells the truth: on three seeds, text beats everything that does not read."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from kgrel.apps import demo
from kgrel.apps.demo import BASELINES, run_demo, unseen_quality
from kgrel.apps.settings import DemoSettings
from kgrel.baselines.label_only import LabelOnlySettings, fit_label_only
from kgrel.data.errors import KgrelError
from kgrel.evaluate import pairs as evaluate
from kgrel.synthetic import WorldSettings
from kgrel.train.pair_model import PairModel

MARGIN = 1.3


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world and trainings that take seconds."""
    monkeypatch.setattr(demo, "WorldSettings", WorldSettings.small)
    monkeypatch.setattr(demo, "PRETRAIN", dataclasses.replace(demo.PRETRAIN, steps=20))
    short = LabelOnlySettings(steps=10, validate_every=5)
    monkeypatch.setattr(evaluate, "fit_label_only", lambda data, settings: fit_label_only(data, settings, short))
    monkeypatch.setattr(demo, "PAIRS", dataclasses.replace(demo.PAIRS, steps=20, validate_every=10))


@pytest.mark.usefixtures("small")
def test_out_keeps_the_artifacts_and_the_lists(tmp_path: Path) -> None:
    summary = run_demo(tmp_path / "demo")
    for name in ("corpus", "repr", "pairs", "index", "graph", "predictions-kgx"):
        assert (tmp_path / "demo" / name / "manifest.json").is_file()
    with (tmp_path / "demo" / "candidates.csv").open() as given, (tmp_path / "demo" / "scored.csv").open() as scored:
        candidates, answers = list(csv.DictReader(given)), list(csv.DictReader(scored))
    assert [(row["source"], row["target"]) for row in answers] == [(row["source"], row["target"]) for row in candidates]
    assert all(row["seen_in_text"] in ("", "0") for row in answers)
    export = summary["export"]
    assert export["rows"] == len(candidates) == sum(export[k] for k in ("unscored", "below", "known", "edges"))
    assert export["problems"] == 0


@pytest.mark.usefixtures("small")
def test_same_seed_same_numbers() -> None:
    first, second = run_demo(), run_demo()
    assert {k: v for k, v in first.items() if k != "seconds"} == {k: v for k, v in second.items() if k != "seconds"}


@pytest.mark.usefixtures("small")
def test_an_existing_result_is_kept_without_overwrite(tmp_path: Path) -> None:
    run_demo(tmp_path)
    before = (tmp_path / "pairs" / "manifest.json").read_bytes()
    with pytest.raises(KgrelError, match="exists already"):
        run_demo(tmp_path)
    assert (tmp_path / "pairs" / "manifest.json").read_bytes() == before


def ratios(summary: dict[str, Any]) -> dict[str, float]:
    """The model's figure over each rival's: F1 on seen pairs, average precision and purity of neighbours on unseen."""
    pairs, unseen = summary["pairs"], summary["unseen"]
    found = {name: pairs["f1"] / pairs[f"{name}_f1"] for name in BASELINES}
    found["unseen chance"] = unseen["average_precision"] / unseen["base_rate"]
    found["unseen degree"] = unseen["average_precision"] / unseen["degree_average_precision"]
    found["search chance"] = summary["search"]["unseen"]["purity_at_10"] / summary["search"]["unseen"]["chance"]
    return found


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reading_the_text_beats_counting(seed: int) -> None:
    found = ratios(run_demo(settings=DemoSettings(seed=seed)))
    assert min(found.values()) >= MARGIN, found


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shuffled_text_does_not(seed: int) -> None:
    """The same model on the same pairs, with the wording shuffled among the sentences."""
    found = ratios(run_demo(settings=DemoSettings(seed=seed, shuffled=True)))
    assert found["unseen chance"] < MARGIN, found
    assert found["label_only"] < MARGIN, found
    assert min(found.values()) < 1.1, found


def test_a_candidate_that_no_sentence_names_is_ranked_last(pair_model: PairModel, tmp_path: Path) -> None:
    gene, disease = pair_model.entities.types.index("GENE"), pair_model.entities.types.index("DISEASE")
    known = f"GENE::{pair_model.entities.ids[gene]}", f"DISEASE::{pair_model.entities.ids[disease]}"
    scored, truth = tmp_path / "scored.csv", tmp_path / "truth.tsv"
    scored.write_text(f"source,target,score,seen_in_text\n{known[0]},{known[1]},0.1,0\nGENE::nobody,{known[1]},,\n")
    truth.write_text("source\ttarget\trelated\tmetaedges\na\tb\t0\t\nc\td\t1\tDaG\n")
    found = unseen_quality(pair_model, scored, truth)
    assert found["scored"] == 1
    assert found["average_precision"] == found["degree_average_precision"] == 0.5
