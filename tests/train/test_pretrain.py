"""Pretraining: what is held out, what is weighted, what stays untouched, and the same bytes each time."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kgrel.data.artifact import LOG, Artifact
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.data.progress import Silent
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.text.tokens import SPECIAL_TOKENS
from kgrel.train.pretrain import plan, pretrain
from kgrel.train.pretrain_task import PretrainTask, split_by_sentence
from kgrel.train.settings import PretrainSettings
from kgrel.train.start_model import bag_weights, start_model

CPU = torch.device("cpu")


def task_of(corpus: Corpus, settings: PretrainSettings) -> PretrainTask:
    representation, maps = start_model(corpus, settings, None)
    return PretrainTask(representation, corpus.contexts, maps, settings)


def logged(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / LOG).read_text(encoding="utf-8").splitlines()]


class StopAt(Silent):
    """Crash once a number of steps is done."""

    def __init__(self, step: int) -> None:
        self.left = step

    def advance(self, units: int, note: str = "") -> None:
        self.left -= units
        if self.left <= 0:
            raise SystemExit


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.floats(0, 0.9), st.integers(0, 99))
def test_all_contexts_of_a_sentence_fall_on_one_side(sentences: list[int], share: float, seed: int) -> None:
    array = np.array(sorted(sentences), dtype=np.int64)
    training, held_out = split_by_sentence(array, share, seed)
    assert np.array_equal(np.sort(np.concatenate([training, held_out])), np.arange(len(array)))
    assert not set(array[training]) & set(array[held_out])
    assert len(set(array[held_out])) == round(share * len(set(array)))


def test_held_out_sentences_are_never_trained_on(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    task = task_of(corpus, dataclasses.replace(tiny_settings, validation_share=0.1))
    sentences = corpus.contexts.sentences
    drawn = np.concatenate([task.batches.batch(step) for step in range(2 * task.batches.batches_per_epoch)])
    assert len(task.held_out) > 50
    assert not set(sentences[drawn]) & set(sentences[task.held_out])
    assert set(drawn) | set(task.held_out) == set(range(len(corpus.contexts)))


def test_the_contexts_of_a_batch_are_of_similar_length(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    """Hardly any padding is computed, also where some rows are held out."""
    task = task_of(corpus, dataclasses.replace(tiny_settings, validation_share=0.1))
    batches = [corpus.contexts.lengths[task.batches.batch(s)] for s in range(task.batches.batches_per_epoch)]
    assert sum(b.sum() for b in batches) > 0.9 * sum(b.max() * len(b) for b in batches)


@pytest.mark.parametrize(
    ("kl_steps", "expected"), [(10, {1: 0.1, 5: 0.5, 10: 1.0, 11: 1.0, 9999: 1.0}), (0, {1: 1.0, 50: 1.0})]
)
def test_the_kl_weight_rises_linearly_from_the_first_step(
    corpus: Corpus, tiny_settings: PretrainSettings, kl_steps: int, expected: dict[int, float]
) -> None:
    task = task_of(corpus, dataclasses.replace(tiny_settings, kl_steps=kl_steps))
    assert {step: task.kl_weight(step) for step in expected} == pytest.approx(expected)


def test_the_loss_weighs_its_terms_as_the_settings_say(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    settings = dataclasses.replace(tiny_settings, kl_steps=4, decoder_weight=0.5, bag_weight=0.25, token_dropout=0.0)
    task = task_of(corpus, settings)
    seen = []

    def forward(*args: Any, **kwargs: Any) -> Any:
        seen.append(task.module(*args, **kwargs))
        return seen[-1]

    loss, _ = task.loss(1, forward, CPU)  # type: ignore[arg-type]
    likelihood, kl, bag = (term.mean().item() for term in seen[0])
    assert min(-likelihood, kl, -bag) > 0
    assert loss.item() == pytest.approx(-0.5 * likelihood + 0.25 * kl - 0.25 * bag, rel=1e-5)


def test_the_bag_weighs_rare_words_more_and_special_tokens_not_at_all() -> None:
    weights = bag_weights(np.array([0, 7, 90, 40, 50, 20, 20, 1, 0]), smoothing=0.1, special=4).numpy()
    assert np.array_equal(weights[:4], np.zeros(4))
    assert weights[4] < weights[5] == weights[6] < weights[7] < weights[8] == 1
    assert weights[4] == pytest.approx(0.1 / (0.1 + 50 / 228))


def test_the_model_carries_the_bag_weights_of_the_corpus(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    weights = start_model(corpus, tiny_settings, None)[0].model.bag_weights
    expected = bag_weights(corpus.word_counts, tiny_settings.bag_smoothing, len(SPECIAL_TOKENS))
    assert torch.equal(weights, expected)  # type: ignore[arg-type]


def test_with_identifiers_x_and_y_are_the_entities_in_order(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    task, rows = task_of(corpus, tiny_settings), np.array([3, 900, 40])
    x, y, tokens = task.inputs(rows, CPU)
    contexts = [corpus.contexts.row(row) for row in rows]
    assert x.tolist() == [context.head for context in contexts]
    assert y.tolist() == [context.tail for context in contexts]
    assert [[t for t in row if t] for row in tokens.tolist()] == [context.tokens for context in contexts]


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


def test_another_seed_gives_other_weights(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    one, other = (
        start_model(corpus, dataclasses.replace(tiny_settings, seed=seed), None)[0].model.state_dict()
        for seed in (0, 1)
    )
    assert not torch.equal(one["prior.hidden1.weight"], other["prior.hidden1.weight"])


def test_initialisation_leaves_the_global_random_state_alone(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    before = torch.random.get_rng_state()
    start_model(corpus, tiny_settings, None)
    assert torch.equal(torch.random.get_rng_state(), before)


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


def test_the_elbo_is_reported_with_the_decoder_only(
    corpus: Corpus, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    with_decoder = task_of(corpus, tiny_settings).validate(15)
    without = task_of(corpus, dataclasses.replace(tiny_settings, decoder_weight=0.0)).validate(15)
    difference = with_decoder["validation_log_likelihood"] - with_decoder["validation_kl"]
    assert with_decoder["validation_elbo"] == pytest.approx(difference)
    assert without.keys() == {"validation_kl", "validation_bag"}


def test_validation_is_a_function_of_the_weights(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    task = task_of(corpus, tiny_settings)
    assert task.validate(15) == task.validate(15)
    assert task.module.training


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


def test_a_model_goes_on_with_new_words_and_entities_after_the_old_ones(
    corpus: Corpus, narrow_representation: Artifact, tiny_settings: PretrainSettings
) -> None:
    old = Representation.open(narrow_representation.path)
    widened, maps = start_model(corpus, tiny_settings, old)
    known = len(old.entities)
    assert 0 < known < len(widened.entities) == len(corpus.entities)
    assert widened.entities.ids[:known] == old.entities.ids
    assert widened.words[: len(old.words)] == old.words
    assert set(widened.words) == set(old.words) | set(corpus.words)
    assert [widened.words[row] for row in maps.words] == corpus.words
    assert [widened.entities.ids[row] for row in maps.entities] == corpus.entities.ids
    assert [widened.entities.types[row] for row in maps.entities] == corpus.entities.types
    for name, weight in old.model.state_dict().items():
        assert torch.equal(widened.model.state_dict()[name][: len(weight)], weight), name
    expected = bag_weights(corpus.word_counts, tiny_settings.bag_smoothing, len(SPECIAL_TOKENS))
    assert torch.equal(widened.model.bag_weights[maps.words], expected)  # type: ignore[index]


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
