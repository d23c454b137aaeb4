"""The loss weighs what the settings say, held-out sentences stay out, and shares of a batch add up to it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kgrel.text.corpus import Corpus
from kgrel.train.pretrain_task import PretrainTask, split_by_sentence
from kgrel.train.settings import PretrainSettings
from kgrel.train.start_model import start_model

CPU = torch.device("cpu")


def task_of(corpus: Corpus, settings: PretrainSettings) -> PretrainTask:
    representation, maps = start_model(corpus, settings, None)
    return PretrainTask(representation, corpus.contexts, maps, settings)


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


def test_with_identifiers_x_and_y_are_the_entities_in_order(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    task, rows = task_of(corpus, tiny_settings), np.array([3, 900, 40])
    x, y, tokens = task.inputs(rows, CPU)
    contexts = [corpus.contexts.row(row) for row in rows]
    assert x.tolist() == [context.head for context in contexts]
    assert y.tolist() == [context.tail for context in contexts]
    assert [[t for t in row if t] for row in tokens.tolist()] == [context.tokens for context in contexts]


def test_the_elbo_is_reported_with_the_decoder_only(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    with_decoder = task_of(corpus, tiny_settings).validate(15)
    without = task_of(corpus, dataclasses.replace(tiny_settings, decoder_weight=0.0)).validate(15)
    difference = with_decoder["validation_log_likelihood"] - with_decoder["validation_kl"]
    assert with_decoder["validation_elbo"] == pytest.approx(difference)
    assert {"validation_bag", "validation_kl", "validation_z_gain", "validation_u_information"} <= without.keys()
    assert not {"validation_elbo", "validation_log_likelihood"} & without.keys()


def test_validation_is_a_function_of_the_weights(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    task = task_of(corpus, tiny_settings)
    assert task.validate(15) == task.validate(15)
    assert task.module.training


@pytest.mark.parametrize("change", [{}, {"softmax": "sampled", "softmax_samples": 50}, {"samples": 3}])
def test_the_shares_of_several_processes_add_up_to_the_batch(
    corpus: Corpus, tiny_settings: PretrainSettings, change: dict[str, Any]
) -> None:
    """The mean over processes of loss and gradient is that of one process, also where a process gets nothing."""
    settings = dataclasses.replace(tiny_settings, batch_size=7, **change)
    task = task_of(corpus, settings)

    def loss_and_gradient() -> tuple[float, torch.Tensor]:
        task.module.zero_grad()
        loss, _ = task.loss(1, task.module, CPU)
        loss.backward()
        gradient = task.module.word_embedding.weight.grad
        assert gradient is not None
        return loss.item(), gradient.clone()

    whole = loss_and_gradient()
    for processes in (2, 9):
        shares = []
        for rank in range(processes):
            task.share = rank, processes
            shares.append(loss_and_gradient())
        losses, gradients = zip(*shares, strict=True)
        assert np.mean(losses) == pytest.approx(whole[0], rel=1e-5)
        torch.testing.assert_close(torch.stack(gradients).mean(0), whole[1], rtol=1e-4, atol=1e-6)


def test_free_bits_are_a_kl_that_costs_nothing(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    """Far above the KL the recogniser's heads have no gradient; at zero they have."""
    for bits, moved in ((0.0, True), (1e6, False)):
        settings = dataclasses.replace(tiny_settings, free_bits=bits, token_dropout=0.0, kl_steps=0)
        task = task_of(corpus, settings)
        seen = []

        def forward(*args: Any, task: PretrainTask = task, seen: list[Any] = seen, **kwargs: Any) -> Any:
            seen.append(task.module(*args, **kwargs))
            return seen[-1]

        loss, _ = task.loss(1, forward, CPU)  # type: ignore[arg-type]
        (slope,) = torch.autograd.grad(loss, seen[0].kl)
        assert bool((slope != 0).all()) is moved
        if not moved:
            tokens = task.inputs(task.batches.batch(0), CPU)[2]
            paid = (1e6 * math.log(2) / (tokens != 0).sum(-1)).mean().item()
            likelihood = (seen[0].log_likelihood + settings.bag_weight * seen[0].bag).mean().item()
            assert loss.item() == pytest.approx(paid - likelihood, rel=1e-5)


def test_cyclical_annealing_rises_to_one_in_each_cycle(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    task = task_of(corpus, dataclasses.replace(tiny_settings, steps=40, kl_cycles=2, kl_steps=3))
    weights = [task.kl_weight(step) for step in range(1, 41)]
    assert weights[:20] == weights[20:]
    assert weights[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert set(weights[10:20]) == {1.0}


def test_a_sampled_softmax_is_near_the_exact_one_and_validation_is_exact(
    corpus: Corpus, tiny_settings: PretrainSettings
) -> None:
    settings = dataclasses.replace(tiny_settings, token_dropout=0.0)
    exact = task_of(corpus, settings)
    sampled = task_of(corpus, dataclasses.replace(settings, softmax="sampled", softmax_samples=20_000))
    assert sampled.loss(1, sampled.module, CPU)[1]["elbo"] == pytest.approx(
        exact.loss(1, exact.module, CPU)[1]["elbo"], abs=0.02
    )
    assert sampled.held_out_figures() == exact.held_out_figures()
    assert sampled.frequencies is not None
    assert (sampled.frequencies[0], sampled.frequencies[1:].min() > 0) == (0.0, True)


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("latent", ["gaussian", "point", "auto"])
def test_without_u_the_noise_of_u_changes_nothing_also_after_training(
    corpus: Corpus, tiny_settings: PretrainSettings, latent: Any, goes_on: bool
) -> None:
    """So scoring needs to know nothing of it, also where a mixture went on as one. A point has no spread at all."""
    settings = dataclasses.replace(tiny_settings, latent=latent, posterior="prior")
    before = start_model(corpus, dataclasses.replace(settings, latent="mixture"), None)[0] if goes_on else None
    representation, maps = start_model(corpus, settings, before)
    task = PretrainTask(representation, corpus.contexts, maps, settings)
    optimizer = torch.optim.Adam([p for p in task.module.parameters() if p.requires_grad], 0.01)
    for step in (1, 2, 3):
        optimizer.zero_grad()
        task.loss(step, task.module, CPU)[0].backward()
        optimizer.step()
    rows, model = torch.arange(10), task.module
    zero, one, other = (torch.randn(1, 4, 16) * scale for scale in (0.0, 1.0, 1.0))
    epsilon = torch.randn(1, 4, 32)
    torch.testing.assert_close(
        model.sample_pairs(rows, rows.roll(1), one, epsilon), model.sample_pairs(rows, rows.roll(1), other, epsilon)
    )
    spread = model.sample_pairs(rows, rows.roll(1), zero.expand(-1, 4, -1), epsilon).std(1)
    assert bool((spread > 1e-4).all()) is (latent != "point")


def test_what_the_loss_does_not_reach_is_frozen_and_a_table_can_be_sparse(
    corpus: Corpus, tiny_settings: PretrainSettings
) -> None:
    settings = dataclasses.replace(tiny_settings, decoder_weight=0.0, posterior="prior", entity_gradients="sparse")
    task = task_of(corpus, settings)
    task.loss(1, task.module, CPU)[0].backward()
    trained = {name for name, p in task.module.named_parameters() if p.requires_grad}
    assert trained == {name for name, p in task.module.named_parameters() if p.grad is not None}
    assert not any(name.startswith(("decoder.", "recogniser.")) for name in trained)
    gradient = task.module.entity_embedding.weight.grad
    assert gradient is not None
    assert gradient.is_sparse
