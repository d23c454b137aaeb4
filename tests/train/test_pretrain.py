"""Pretraining: what is held out, what is weighted, what stays untouched, and the same bytes each time."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kgrel.data.artifact import LOG, Artifact
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train.pretrain import plan, pretrain
from kgrel.train.pretrain_task import PretrainTask
from kgrel.train.settings import PretrainSettings
from kgrel.train.start_model import start_model
from tests.train.stopping import StopAt

CPU = torch.device("cpu")


def task_of(corpus: Corpus, settings: PretrainSettings) -> PretrainTask:
    representation, maps = start_model(corpus, settings, None)
    return PretrainTask(representation, corpus.contexts, maps, settings)


def logged(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / LOG).read_text(encoding="utf-8").splitlines()]


def test_with_types_x_and_y_are_rows_of_types(corpus: Corpus, tiny_settings: PretrainSettings, tmp_path: Path) -> None:
    settings = dataclasses.replace(tiny_settings, entities="type", steps=2)
    task, rows = task_of(corpus, settings), np.arange(200)
    names = np.array(task.representation.entities.ids)
    types = np.array(corpus.entities.types)
    x, y, _ = task.inputs(rows, CPU)
    assert np.array_equal(names[x], types[corpus.contexts.heads[rows]])
    assert np.array_equal(names[y], types[corpus.contexts.tails[rows]])
    opened = Representation.open(pretrain(corpus, tmp_path / "repr", settings).path)
    assert opened.by_type
    assert opened.entities.types == opened.entities.ids == ["CHEMICAL", "DISEASE", "GENE"]


def test_the_same_run_twice_gives_the_same_bytes(
    corpus: Corpus, representation_path: Path, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    again = pretrain(corpus, tmp_path / "again", tiny_settings)
    first = Representation.open(representation_path).artifact
    assert first is not None
    assert again.manifest.files == first.manifest.files
    assert again.hash == first.hash


@pytest.mark.parametrize("step", [4, 14, 21, 29])
def test_a_run_that_was_cut_gives_the_same_bytes(
    corpus: Corpus, representation_path: Path, tiny_settings: PretrainSettings, tmp_path: Path, step: int
) -> None:
    with pytest.raises(SystemExit):
        pretrain(corpus, tmp_path / "cut", tiny_settings, progress=StopAt(step))
    artifact = pretrain(corpus, tmp_path / "cut", tiny_settings)
    assert (tmp_path / "cut" / "manifest.json").read_bytes() == (representation_path / "manifest.json").read_bytes()
    assert {p.name for p in artifact.path.iterdir()} == {p.name for p in representation_path.iterdir()}


def test_training_lowers_the_loss_on_held_out_sentences(corpus: Corpus, tmp_path: Path) -> None:
    settings = PretrainSettings(
        size="tiny", steps=80, batch_size=128, validate_every=5, validation_share=0.1, learning_rate=1e-2, device="cpu"
    )
    pretrain(corpus, tmp_path / "repr", settings)
    bags = [line["validation_bag"] for line in logged(tmp_path / "repr")]
    assert bags[-1] > bags[0] + 0.05


def test_a_second_latent_layer_is_trained_kept_and_required_to_go_on(
    corpus: Corpus, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    settings = dataclasses.replace(tiny_settings, latents=2, steps=2)
    opened = Representation.open(pretrain(corpus, tmp_path / "two", settings).path)
    assert opened.model.dimensions.latents == 2
    with pytest.raises(KgrelError, match="another --size, --latents or --entities"):
        start_model(corpus, tiny_settings, opened)
    with pytest.raises(KgrelError, match="no u that a second layer could shape"):
        dataclasses.replace(settings, latent="point", posterior="prior")


def weights_before_and_after(corpus: Corpus, settings: PretrainSettings, out: Path) -> Any:
    before = start_model(corpus, settings, None)[0].model.state_dict()
    opened = Representation.open(pretrain(corpus, out, settings).path)
    after = opened.model.state_dict()
    return {name: torch.equal(before[name], after[name]) for name in before}


def test_without_decoder_weight_the_decoder_stays_as_it_was(
    corpus: Corpus, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    settings = dataclasses.replace(tiny_settings, decoder_weight=0.0, steps=3)
    same = weights_before_and_after(corpus, settings, tmp_path / "repr")
    assert all(equal for name, equal in same.items() if name.startswith("decoder."))
    assert not any(same[name] for name in ("recogniser.mean.weight", "prior.mean.weight", "bag_decoder.bias"))


def test_with_u_from_its_prior_kl_is_zero_and_the_recogniser_stays_as_it_was(
    corpus: Corpus, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    settings = dataclasses.replace(tiny_settings, posterior="prior", validation_share=0.1, steps=3)
    same = weights_before_and_after(corpus, settings, tmp_path / "repr")
    assert all(equal for name, equal in same.items() if name.startswith("recogniser."))
    assert not any(same[name] for name in ("decoder.output.weight", "prior.mean.weight", "entity_embedding.weight"))
    assert [line["validation_kl"] for line in logged(tmp_path / "repr")] == [0.0]


@pytest.mark.parametrize("bag_weight", [0.0, 1.0])
@pytest.mark.parametrize("entities", ["id", "type"])
def test_the_plan_counts_the_parameters_that_are_trained(
    corpus: Corpus, tiny_settings: PretrainSettings, bag_weight: float, entities: Any
) -> None:
    settings = dataclasses.replace(tiny_settings, bag_weight=bag_weight, entities=entities)
    model = start_model(corpus, settings, None)[0].model
    trained = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}
    planned = plan(corpus, settings)
    assert planned["parameters"] == sum(trained.values())
    tables = trained["entity_embedding.weight"] + trained["word_embedding.weight"]
    assert planned["parameters_without_embeddings"] == planned["parameters"] - tables
    assert planned["entities"] * model.dimensions.embedding == trained["entity_embedding.weight"]
    assert planned["epochs"] == pytest.approx(30 * 64 / len(corpus.contexts), abs=0.01)


def test_going_on_records_where_from_and_opens_again(
    corpus: Corpus, narrow_representation: Artifact, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    old = Representation.open(narrow_representation.path)
    artifact = pretrain(corpus, tmp_path / "repr", dataclasses.replace(tiny_settings, steps=2), init_from=old)
    assert artifact.manifest.parents["init_from"] == narrow_representation.hash
    assert Representation.open(artifact.path).entities.ids[: len(old.entities)] == old.entities.ids


@pytest.mark.parametrize("change", [{"size": "x-small"}, {"entities": "type"}])
def test_going_on_with_another_model_is_refused_and_leaves_nothing(
    corpus: Corpus,
    narrow_representation: Artifact,
    tiny_settings: PretrainSettings,
    tmp_path: Path,
    change: dict[str, Any],
) -> None:
    old = Representation.open(narrow_representation.path)
    with pytest.raises(KgrelError, match="--init-from"):
        pretrain(corpus, tmp_path / "repr", dataclasses.replace(tiny_settings, **change), init_from=old)
    assert not (tmp_path / "repr").exists()


def test_a_finished_output_is_refused_without_overwrite(
    corpus: Corpus, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    settings = dataclasses.replace(tiny_settings, steps=1)
    first = pretrain(corpus, tmp_path / "repr", settings)
    with pytest.raises(KgrelError, match="exists already"):
        pretrain(corpus, tmp_path / "repr", settings)
    assert pretrain(corpus, tmp_path / "repr", settings, overwrite=True).hash == first.hash


def test_a_training_that_diverges_is_an_error_and_no_artifact(
    corpus: Corpus, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    wild = dataclasses.replace(tiny_settings, learning_rate=1e4, gradient_clip=0.0, warm_up_steps=0)
    with pytest.raises(NonFiniteError, match="step"):
        pretrain(corpus, tmp_path / "repr", wild)
    assert not (tmp_path / "repr" / "manifest.json").exists()
