"""The PAIRS artifact comes back as it was, and its thresholds are the best ones."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.data.artifact import Artifact, Kind, finish_artifact, open_artifact
from kgrel.data.errors import ArtifactError
from kgrel.metrics.classification import average_precision, best, classification_report, predict
from kgrel.train.pair_artifact import MODEL, RELATIONS, describe
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PRIOR, UNSAID_OF_PAIRS, PairModel
from kgrel.train.settings import PairSettings

FILES = [
    "classifier.safetensors",
    "comentions.parquet",
    "entities.parquet",
    "model.json",
    "pairs.parquet",
    "prior.safetensors",
    "relations.parquet",
]


def pairs_of_all(model: PairModel) -> tuple[np.ndarray, np.ndarray]:
    """Every typed pair of entities in both orders."""
    heads, tails = (side.ravel() for side in np.indices((len(model.entities),) * 2))
    kept = model.possible(heads, tails).any(axis=1)
    return heads[kept], tails[kept]


def rewritten(pairs_path: Path, out: Path, change: Callable[[dict[str, Any]], None]) -> Artifact:
    """A whole, consistent artifact with another ``model.json``."""
    shutil.copytree(pairs_path, out)
    model = json.loads((out / MODEL).read_text(encoding="utf-8"))
    change(model)
    (out / MODEL).write_text(json.dumps(model), encoding="utf-8")
    return finish_artifact(out, open_artifact(pairs_path, Kind.PAIRS).manifest, 0.0)


def test_what_was_written_comes_back_and_predicts_the_same_bytes(pair_model: PairModel, tmp_path: Path) -> None:
    assert pair_model.artifact is not None
    pair_model.write(tmp_path)
    finish_artifact(tmp_path, pair_model.artifact.manifest, 0.0)
    again = PairModel.open(tmp_path)
    heads, tails = pairs_of_all(pair_model)
    for one, other in zip(pair_model.predict(heads, tails), again.predict(heads, tails), strict=True):
        assert one.tobytes() == other.tobytes()
    assert again.artifact is not None
    assert again.artifact.manifest.files == pair_model.artifact.manifest.files
    assert np.array_equal(again.thresholds, pair_model.thresholds)
    for field in ("heads", "tails", "labels", "parts", "contexts", "type_rows"):
        assert np.array_equal(getattr(again.data, field), getattr(pair_model.data, field)), field
    assert np.array_equal(again.data.classes.allowed, pair_model.data.classes.allowed)
    assert again.settings == pair_model.settings


def test_the_artifact_holds_these_files_and_no_decoder(pairs_path: Path, pair_model: PairModel) -> None:
    assert sorted(open_artifact(pairs_path, Kind.PAIRS).manifest.files) == FILES
    assert {name.split(".")[0] for name in pair_model.prior.state_dict()} == {"entity_embedding", "prior"}


def test_known_is_what_a_plain_look_up_finds_in_either_order(pair_model: PairModel, pairs_path: Path) -> None:
    listed: dict[frozenset[int], list[str]] = {}
    for head, tail, class_ in zip(*pair_model.relations, strict=True):
        listed.setdefault(frozenset((head, tail)), []).append(pair_model.classes[class_])
    heads, tails = pairs_of_all(pair_model)
    expected = ["|".join(listed[key]) if (key := frozenset(pair)) in listed else None for pair in zip(heads, tails)]  # noqa: B905
    assert pair_model.known(heads, tails) == expected
    assert pair_model.known(tails, heads) == expected
    assert sum(name is not None for name in expected) == 2 * len(listed)


def test_known_joins_the_classes_of_a_pair(pair_model: PairModel) -> None:
    rows = (np.array([1, 1, 4]), np.array([2, 2, 7]), np.array([0, 3, 1]))
    model = dataclasses.replace(pair_model, relations=rows)
    a, _, _, d = pair_model.classes
    found = model.known(np.array([2, 1, 7, 1]), np.array([1, 2, 4, 1]))
    assert found == [f"{a}|{d}", f"{a}|{d}", pair_model.classes[1], None]


def test_contexts_are_what_a_plain_look_up_finds_in_either_order(pair_model: PairModel) -> None:
    counts = {(h, t): c for h, t, c in zip(*pair_model.comentions, strict=True)}
    heads, tails = pairs_of_all(pair_model)
    expected = [counts.get((min(pair), max(pair)), 0) for pair in zip(heads, tails, strict=True)]
    assert pair_model.contexts(heads, tails).tolist() == expected
    assert pair_model.contexts(tails, heads).tolist() == expected
    assert 0 in expected
    assert max(expected) > 1


def test_predictions_are_symmetric_and_masked(pair_model: PairModel) -> None:
    heads, tails = pairs_of_all(pair_model)
    (mean, std), (mirrored, mirrored_std) = pair_model.predict(heads, tails), pair_model.predict(tails, heads)
    assert np.array_equal(mean, mirrored)
    assert np.array_equal(std, mirrored_std)
    possible = pair_model.possible(heads, tails)
    assert mean[~possible].max() < 1e-30
    assert mean[possible].min() > 0


def test_an_artifact_that_tells_neither_noise_nor_precision_keeps_those_that_it_was_made_with(
    pair_model: PairModel, pairs_path: Path, tmp_path: Path
) -> None:
    shutil.copytree(pairs_path, tmp_path / "old")
    manifest = open_artifact(pairs_path, Kind.PAIRS).manifest
    old = {key: value for key, value in manifest.settings.items() if key not in UNSAID_OF_PAIRS}
    finish_artifact(tmp_path / "old", dataclasses.replace(manifest, settings=old), 0.0)
    sampling = PairModel.open(tmp_path / "old").sampling
    assert (sampling.noise, sampling.precision) == ("random", "fp32")
    assert pair_model.sampling.noise == pair_model.settings.prediction_noise == PairSettings().prediction_noise


def test_bf16_stays_near_fp32_and_is_told(pair_model: PairModel) -> None:
    half = dataclasses.replace(
        pair_model, settings=dataclasses.replace(pair_model.settings, prediction_precision="bf16")
    )
    heads, tails = pairs_of_all(pair_model)
    difference = np.abs(half.predict(heads, tails)[0] - pair_model.predict(heads, tails)[0])
    assert 0 < difference.max() < 0.05
    assert half.sampling == dataclasses.replace(pair_model.sampling, precision="bf16")


def tuned(pair_model: PairModel, per_class: bool) -> tuple[PairModel, dict[str, Any], Any]:
    settings = dataclasses.replace(pair_model.settings, per_class_thresholds=per_class)
    model = dataclasses.replace(pair_model, settings=settings)
    found = model.tune()
    rows = model.data.rows(Part.VALIDATION)
    scores, _ = model.predict(model.data.heads[rows], model.data.tails[rows])
    return model, found, (*best(scores, model.data.possible(rows)), model.data.labels[rows])


def test_the_global_threshold_gives_the_best_f1_of_all_thresholds(pair_model: PairModel) -> None:
    model, found, (classes, values, labels) = tuned(pair_model, per_class=False)

    def f1(threshold: float) -> float:
        return classification_report(labels, predict(classes, values, np.full(4, threshold))).f1

    by_brute_force = max(f1(threshold) for threshold in [0.0, *values])
    assert len(set(model.thresholds)) == 1
    assert f1(model.thresholds[0]) == found["validation_f1_global"] == pytest.approx(by_brute_force, abs=1e-12)
    assert 0 < by_brute_force < 1
    assert found["thresholds"] == dict(zip(model.classes, model.thresholds, strict=True))
    assert found["validation_average_precision"] == average_precision(labels.any(axis=1), values)


def test_each_threshold_of_a_class_gives_its_best_f1(pair_model: PairModel) -> None:
    model, _, (classes, values, labels) = tuned(pair_model, per_class=True)

    def f1(class_: int, threshold: float) -> float:
        thresholds = np.where(np.arange(4) == class_, threshold, 2.0)
        return classification_report(labels, predict(classes, values, thresholds)).class_f1[class_]

    for class_, threshold in enumerate(model.thresholds):
        assert f1(class_, threshold) == pytest.approx(max(f1(class_, t) for t in [0.0, *values]), abs=1e-12)
    assert len(set(model.thresholds)) > 1


def test_tuning_looks_at_validation_pairs_alone(pair_model: PairModel) -> None:
    data = pair_model.data
    rows = np.flatnonzero(data.parts != Part.VALIDATION)
    labels = data.labels.copy()
    labels[rows] = ~labels[rows] & data.possible(rows)
    other = dataclasses.replace(pair_model, data=dataclasses.replace(data, labels=labels))
    assert other.tune() == tuned(pair_model, per_class=False)[1]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_damaged_file_is_refused_by_name(pairs_path: Path, tmp_path: Path, name: str, harm: str) -> None:
    shutil.copytree(pairs_path, tmp_path / "pairs")
    file = tmp_path / "pairs" / name
    if harm == "missing":
        file.unlink()
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    with pytest.raises(ArtifactError, match=f"the file {name} is {'missing' if harm == 'missing' else 'damaged'}"):
        PairModel.open(tmp_path / "pairs")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_threshold_that_is_not_finite_is_refused(pairs_path: Path, tmp_path: Path, value: float) -> None:
    rewritten(pairs_path, tmp_path / "pairs", lambda model: model["thresholds"].__setitem__(0, value))
    with pytest.raises(ArtifactError, match=r"model\.json is damaged \(holds -?(NaN|Infinity), which is no"):
        PairModel.open(tmp_path / "pairs")


def test_a_missing_threshold_is_refused(pairs_path: Path, tmp_path: Path) -> None:
    rewritten(pairs_path, tmp_path / "pairs", lambda model: model["thresholds"].pop())
    with pytest.raises(ArtifactError, match=r"model\.json holds no finite threshold a class"):
        PairModel.open(tmp_path / "pairs")


def test_files_of_another_size_are_refused_by_name(pairs_path: Path, tmp_path: Path) -> None:
    rewritten(pairs_path, tmp_path / "pairs", lambda model: model["dimensions"].__setitem__("hidden", 31))
    with pytest.raises(ArtifactError, match=f"{PRIOR} does not fit the model"):
        PairModel.open(tmp_path / "pairs")


def test_a_table_that_is_no_table_is_refused_by_name(pairs_path: Path, tmp_path: Path) -> None:
    shutil.copytree(pairs_path, tmp_path / "pairs")
    (tmp_path / "pairs" / RELATIONS).write_bytes(b"PAR1 no more")
    finish_artifact(tmp_path / "pairs", open_artifact(pairs_path, Kind.PAIRS).manifest, 0.0)
    with pytest.raises(ArtifactError, match=f"{RELATIONS} is damaged"):
        PairModel.open(tmp_path / "pairs")


def test_the_summary_counts_the_parts(pair_model: PairModel) -> None:
    data, counted = pair_model.data, describe(pair_model)
    assert list(counted) == ["training", "validation", "test"]
    assert sum(part["pairs"] for part in counted.values()) == len(data)
    for part, numbers in zip(Part, counted.values(), strict=True):
        rows = data.rows(part)
        assert numbers["listed"] == data.positive[rows].sum()
        assert numbers["covered"] == data.covered(rows).sum()
        assert [numbers[name] for name in data.classes.names] == data.labels[rows].sum(axis=0).tolist()
