"""``train-pairs`` and ``tune-threshold``: what they count, write and refuse."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.data.artifact import Artifact
from kgrel.data.errors import KgrelError
from kgrel.data.files import sha256_of
from kgrel.metrics.calibration import Platt
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train.calibration import CO_MENTIONED, Calibration
from kgrel.train.pair_data import Part, rows_in
from kgrel.train.pair_model import PairModel
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PairSettings, PretrainSettings
from kgrel.train.train_pairs import prepare_pairs, train_pairs, tune_threshold
from tests.train.stopping import StopAt


@pytest.fixture(scope="module")
def relations(world_files: dict[str, Path]) -> Path:
    return world_files["relations.tsv"]


@pytest.fixture
def representation(representation_path: Path) -> Representation:
    return Representation.open(representation_path)


def test_the_artifact_names_its_parents_and_tells_what_was_found(
    pairs_path: Path, representation_path: Path, corpus: Corpus, relations: Path
) -> None:
    artifact = PairModel.open(pairs_path).artifact
    representation = Representation.open(representation_path).artifact
    assert artifact is not None
    assert representation is not None
    expected = {
        "representation": representation.hash,
        "corpus": corpus.artifact.hash,
        "relations": sha256_of(relations),
    }
    assert artifact.manifest.parents == expected
    summary = artifact.manifest.summary
    assert summary["steps"] == artifact.manifest.settings["steps"]
    assert summary["comentions_outside"] == 0
    counts = summary["relations"]
    assert counts["kept"] + counts["duplicates"] == counts["rows"] == len(relations.read_text().splitlines()) - 1


def test_a_run_that_was_cut_gives_the_same_bytes(
    representation: Representation, corpus: Corpus, relations: Path, pairs_path: Path, tmp_path: Path
) -> None:
    out, settings = tmp_path / "pairs", PairModel.open(pairs_path).settings
    for step in (33, 17):
        with pytest.raises(SystemExit):
            train_pairs(representation, corpus, relations, out, settings, progress=StopAt(step))
    train_pairs(representation, corpus, relations, out, settings)
    assert (out / "manifest.json").read_bytes() == (pairs_path / "manifest.json").read_bytes()
    assert {path.name for path in out.iterdir()} == {path.name for path in pairs_path.iterdir()}


def test_auto_keeps_the_way_that_validates_better(
    representation: Representation, corpus: Corpus, relations: Path, pairs_path: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(PairModel.open(pairs_path).settings, fine_tune="auto", anchor=0.0)
    for rate in (1e-3, 0.3):  # so large a rate destroys embeddings that are trained on
        out = tmp_path / str(rate)
        summary = train_pairs(
            representation, corpus, relations, out, dataclasses.replace(settings, learning_rate=rate)
        ).manifest.summary
        tried, kept = summary["fine_tune"]["tried"], summary["fine_tune"]["kept"]
        assert set(tried) == {"none", "all"}
        best = max(one["validation_average_precision"] for one in tried.values())
        assert tried[kept]["validation_average_precision"] == best
        model = PairModel.open(out)
        assert model.settings == dataclasses.replace(settings, learning_rate=rate, fine_tune=kept)
        alone = tmp_path / f"{rate} alone"
        train_pairs(representation, corpus, relations, alone, model.settings)
        ends = model.data.heads[:50], model.data.tails[:50]
        np.testing.assert_array_equal(model.predict(*ends)[0], PairModel.open(alone).predict(*ends)[0])
        assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in alone.iterdir())


def test_a_run_of_both_ways_that_was_cut_gives_the_same_bytes(
    representation: Representation, corpus: Corpus, relations: Path, pairs_path: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(PairModel.open(pairs_path).settings, fine_tune="auto")
    with pytest.raises(SystemExit):
        train_pairs(representation, corpus, relations, tmp_path / "cut", settings, progress=StopAt(settings.steps + 23))
    cut, whole = (
        train_pairs(representation, corpus, relations, tmp_path / name, settings) for name in ("cut", "whole")
    )
    assert cut.manifest == whole.manifest


def test_entities_that_the_representation_lacks_are_left_out_and_counted(
    narrow_representation: Artifact, corpus: Corpus, relations: Path, pair_model: PairModel
) -> None:
    known = Representation.open(narrow_representation.path).entities
    prepared = prepare_pairs(known, corpus, relations, pair_model.settings)
    types = np.array(corpus.entities.types)
    outside = (types[corpus.pairs.heads] == "CHEMICAL") | (types[corpus.pairs.tails] == "CHEMICAL")
    assert prepared.summary["comentions_outside"] == outside.sum() > 0
    assert len(prepared.comentions[0]) == (~outside).sum()
    with_chemicals = sum("CHEMICAL" in line.split("\t")[0] for line in relations.read_text().splitlines())
    assert prepared.summary["relations"]["unknown"] == with_chemicals > 0
    assert "CHEMICAL" not in " ".join(prepared.data.classes.names)


def test_co_mentions_are_those_of_the_corpus_sorted_and_in_the_rows_of_the_representation(
    narrow_representation: Artifact,
    corpus: Corpus,
    relations: Path,
    pair_model: PairModel,
    tiny_settings: PretrainSettings,
    tmp_path: Path,
) -> None:
    old = Representation.open(narrow_representation.path)
    settings = dataclasses.replace(tiny_settings, steps=1)
    widened = Representation.open(pretrain(corpus, tmp_path / "repr", settings, init_from=old).path)
    assert widened.entities.ids != corpus.entities.ids  # so that rows do differ
    heads, tails, counts = prepare_pairs(widened.entities, corpus, relations, pair_model.settings).comentions
    assert (heads < tails).all()
    keys = heads * len(widened.entities) + tails
    assert (np.diff(keys) > 0).all()

    def spelled(entities: list[tuple[str, str]], rows: tuple[np.ndarray, ...]) -> dict[frozenset[tuple[str, str]], int]:
        return {frozenset((entities[h], entities[t])): c for h, t, c in zip(*(r.tolist() for r in rows), strict=True)}

    here = list(zip(widened.entities.types, widened.entities.ids, strict=True))
    there = list(zip(corpus.entities.types, corpus.entities.ids, strict=True))
    pairs = corpus.pairs.heads, corpus.pairs.tails, corpus.pairs.counts
    assert spelled(here, (heads, tails, counts)) == spelled(there, pairs)


def test_rows_in_gives_minus_one_for_what_is_not_there(narrow_corpus: Corpus, corpus: Corpus) -> None:
    rows = rows_in(narrow_corpus.entities, corpus.entities)
    for row, type_, id_ in zip(rows.tolist(), corpus.entities.types, corpus.entities.ids, strict=True):
        if row < 0:
            assert type_ == "CHEMICAL"
        else:
            assert (narrow_corpus.entities.types[row], narrow_corpus.entities.ids[row]) == (type_, id_)


def test_pairs_of_any_kind_can_be_trained_on(
    representation: Representation, corpus: Corpus, relations: Path, pair_model: PairModel, tmp_path: Path
) -> None:
    settings = dataclasses.replace(pair_model.settings, pairs="any", negatives_per_positive=3.0, steps=3)
    train_pairs(representation, corpus, relations, tmp_path / "pairs", settings)
    model = PairModel.open(tmp_path / "pairs")
    assert (model.data.contexts == 0).any()
    heads, tails, _ = model.relations
    assert model.data.positive.sum() == len(set(zip(heads.tolist(), tails.tolist(), strict=True)))


def test_labels_can_be_the_types(
    representation: Representation, corpus: Corpus, relations: Path, pair_model: PairModel
) -> None:
    settings = dataclasses.replace(pair_model.settings, labels="types")
    data = prepare_pairs(representation.entities, corpus, relations, settings).data
    assert set(data.classes.names) == {"CHEMICAL-DISEASE", "CHEMICAL-GENE", "DISEASE-GENE", "GENE-GENE"}


def test_relations_that_resolve_to_nothing_are_refused_and_leave_nothing(
    representation: Representation, corpus: Corpus, pair_model: PairModel, tmp_path: Path
) -> None:
    table = tmp_path / "relations.tsv"
    table.write_text("class\tsource_id\ttarget_id\nGENE-GENE\tno-such\tnor-this\n")
    with pytest.raises(KgrelError, match=r"relations\.tsv: none of the 1 rows names two known entities"):
        train_pairs(representation, corpus, table, tmp_path / "pairs", pair_model.settings)
    assert not (tmp_path / "pairs").exists()


def test_too_few_relations_are_refused_and_leave_nothing(
    representation: Representation, corpus: Corpus, relations: Path, pair_model: PairModel, tmp_path: Path
) -> None:
    table = tmp_path / "relations.tsv"
    table.write_text("\n".join(relations.read_text().splitlines()[:3]) + "\n")
    with pytest.raises(KgrelError, match="too few to split"):
        train_pairs(representation, corpus, table, tmp_path / "pairs", pair_model.settings)
    assert not (tmp_path / "pairs").exists()


def test_a_representation_of_types_is_refused(
    representation: Representation, corpus: Corpus, relations: Path, pair_model: PairModel, tmp_path: Path
) -> None:
    by_type = dataclasses.replace(representation, by_type=True)
    with pytest.raises(KgrelError, match="train-pairs needs a representation of identifiers"):
        train_pairs(by_type, corpus, relations, tmp_path / "pairs", pair_model.settings)


def test_an_unfinished_run_with_other_relations_is_not_resumed(
    representation: Representation, corpus: Corpus, relations: Path, pair_model: PairModel, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        train_pairs(representation, corpus, relations, tmp_path / "pairs", pair_model.settings, progress=StopAt(15))
    fewer = tmp_path / "fewer.tsv"
    fewer.write_text("\n".join(relations.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(KgrelError, match="unfinished run that was started with another relations;"):
        train_pairs(representation, corpus, fewer, tmp_path / "pairs", pair_model.settings)


def per_class(model: PairModel) -> PairSettings:
    return dataclasses.replace(model.settings, per_class_thresholds=True)


def test_tuning_per_class_writes_a_new_artifact_with_its_parent_and_other_thresholds(
    pairs_path: Path, tmp_path: Path
) -> None:
    old = PairModel.open(pairs_path)
    before = old.thresholds.copy()
    found = tune_threshold(old, tmp_path / "tuned", per_class(old))
    new = PairModel.open(tmp_path / "tuned")
    assert old.artifact is not None
    assert new.artifact is not None
    assert new.artifact.manifest.parents == {**old.artifact.manifest.parents, "pairs": old.artifact.hash}
    assert new.settings == dataclasses.replace(old.settings, per_class_thresholds=True)
    assert dict(zip(new.classes, new.thresholds.tolist(), strict=True)) == found["thresholds"]
    assert new.artifact.manifest.summary == {**old.artifact.manifest.summary, **found}
    assert not np.array_equal(new.thresholds, before)
    assert np.array_equal(old.thresholds, before)  # the model that was given stays as it was
    assert PairModel.open(pairs_path).artifact == old.artifact
    changed = {name for name, sha in new.artifact.manifest.files.items() if old.artifact.manifest.files[name] != sha}
    assert changed == {"model.json"}


def test_tuning_back_to_a_global_threshold_gives_the_first_one(pairs_path: Path, tmp_path: Path) -> None:
    old = PairModel.open(pairs_path)
    tune_threshold(old, tmp_path / "classes", per_class(old))
    tune_threshold(PairModel.open(tmp_path / "classes"), tmp_path / "global", old.settings)
    assert np.array_equal(PairModel.open(tmp_path / "global").thresholds, old.thresholds)


def test_tuning_does_not_replace_an_artifact_unasked(pairs_path: Path, tmp_path: Path) -> None:
    model = PairModel.open(pairs_path)
    tune_threshold(model, tmp_path / "tuned")
    with pytest.raises(KgrelError, match="exists already"):
        tune_threshold(model, tmp_path / "tuned", per_class(model))


OTHER_SAMPLING = [("prediction_samples", 3), ("prediction_noise", "random"), ("prediction_precision", "bf16"),
                  ("order", "given")]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), OTHER_SAMPLING)
def test_another_way_of_sampling_has_its_own_threshold_and_takes_no_calibration_along(
    pairs_path: Path, tmp_path: Path, name: str, value: Any
) -> None:
    model = PairModel.open(pairs_path)
    fit = Calibration(model.sampling, {CO_MENTIONED: {model.classes[0]: Platt(1.0, 0.0)}}, {model.classes[0]: 0.1})
    model.calibration = fit
    assert model.artifact is not None
    model.artifact.manifest.summary["calibration"] = {}
    tune_threshold(model, tmp_path / "same")
    assert PairModel.open(tmp_path / "same").calibration == fit
    found = tune_threshold(model, tmp_path / "other", dataclasses.replace(model.settings, **{name: value}))
    other = PairModel.open(tmp_path / "other")
    assert found["calibration"].startswith("left out")
    assert other.calibration is None
    assert other.artifact is not None
    assert "calibration" not in other.artifact.manifest.summary
    assert getattr(other.settings, name) == value
    assert other.sampling != model.sampling
    rows = other.data.rows(Part.VALIDATION)
    pairs = other.data.heads[rows], other.data.tails[rows]
    assert not np.array_equal(other.predict(*pairs)[0], model.predict(*pairs)[0])
    found_again = dict(zip(other.classes, other.thresholds.tolist(), strict=True))
    assert found["thresholds"] == found_again
    assert not np.array_equal(other.thresholds, model.thresholds)


def test_what_needs_another_training_is_no_matter_of_the_threshold(pairs_path: Path, tmp_path: Path) -> None:
    model = PairModel.open(pairs_path)
    with pytest.raises(KgrelError, match=r"trained with seed = 0; train another one"):
        tune_threshold(model, tmp_path / "tuned", dataclasses.replace(model.settings, seed=1))
    assert not (tmp_path / "tuned").exists()


def test_training_needs_no_more_than_the_settings_say(
    representation: Representation, corpus: Corpus, relations: Path, tmp_path: Path
) -> None:
    settings = PairSettings(steps=0, batch_size=8, batch_negatives=4, device="cpu")
    artifact = train_pairs(representation, corpus, relations, tmp_path / "pairs", settings)
    assert artifact.manifest.summary["steps"] == 0
