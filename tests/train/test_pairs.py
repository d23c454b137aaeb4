"""The pair classifier learns what is there to learn, on a prior that stays as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from kgrel.metrics.classification import average_precision
from kgrel.model.predictive import posterior_predictive
from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM
from kgrel.train.pair_data import PairData, Part
from kgrel.train.pairs import (
    PairBatches,
    PairTask,
    fit_classifier,
    prediction_noise,
    score_rows,
    target_distribution,
    with_no_relation,
)
from kgrel.train.settings import PairSettings

SETTINGS = PairSettings(
    fine_tune="none",
    steps=30,
    batch_size=64,
    batch_negatives=40,
    learning_rate=1e-2,
    validate_every=10,
    samples=2,
    device="cpu",
)
CPU = torch.device("cpu")
MakeToy = Callable[..., Any]


@pytest.fixture(scope="module")
def data(make_toy: MakeToy) -> PairData:
    toy: PairData = make_toy(0).assemble(SETTINGS)
    return toy


def test_targets_sum_to_one_and_share_a_pair_among_its_classes() -> None:
    labels = np.array([[False, False, False], [True, False, False], [True, False, True], [True, True, True]])
    third = 1 / 3
    expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0.5, 0, 0.5], [0, third, third, third]]
    assert np.allclose(target_distribution(labels).numpy(), expected)
    assert np.allclose(target_distribution(labels).sum(1).numpy(), 1)


def test_no_relation_is_always_possible() -> None:
    flags = np.array([[False, True], [False, False]])
    assert with_no_relation(flags).tolist() == [[True, False, True], [True, False, False]]


def test_a_batch_has_the_asked_number_of_negatives_in_random_order_of_the_two(data: PairData) -> None:
    batches = PairBatches(data, SETTINGS)
    rows, heads, tails = batches.batch(1)
    assert len(rows) == SETTINGS.batch_size
    assert (~data.positive[rows]).sum() == SETTINGS.batch_negatives
    assert 0.2 < (heads > tails).mean() < 0.8
    assert all(np.array_equal(one, other) for one, other in zip(batches.batch(1), batches.batch(1), strict=True))
    assert not np.array_equal(rows, batches.batch(2)[0])


def test_impossible_classes_have_no_probability_in_training(data: PairData, toy_prior: RELVM) -> None:
    task, seen = PairTask(toy_prior, data, SETTINGS), []

    def forward(*given: torch.Tensor) -> torch.Tensor:
        log_p: torch.Tensor = task.module(*given)
        possible = given[-1]
        seen.append((log_p, possible.expand_as(log_p)))
        return log_p

    loss, _ = task.loss(1, forward, CPU)  # type: ignore[arg-type]
    log_p, possible = seen[0]
    assert 0 < (~possible).sum() < possible.numel()
    assert log_p[~possible].exp().max() < 1e-30
    assert log_p[possible].exp().min() > 1e-6
    assert torch.isfinite(loss)


def test_the_loss_is_the_mean_of_log_probabilities_over_samples(data: PairData, toy_prior: RELVM) -> None:
    task, seen = PairTask(toy_prior, data, SETTINGS), []

    def forward(*given: torch.Tensor) -> torch.Tensor:
        seen.append(task.module(*given))
        return seen[-1]

    loss, figures = task.loss(4, forward, CPU)  # type: ignore[arg-type]
    rows, *_ = task.batches.batch(4)
    (log_p,) = seen  # (B, S, 1 + C)
    terms = [
        log_p[place, sample, [1 + c for c in np.flatnonzero(data.labels[row])] or [0]].mean().item()
        for place, row in enumerate(rows)
        for sample in range(SETTINGS.samples)
    ]
    assert loss.item() == pytest.approx(-np.mean(terms), rel=1e-5)
    assert figures == {"loss": loss.item()}


def test_impossible_classes_have_no_probability_in_prediction(data: PairData, toy_prior: RELVM) -> None:
    _, classifier, _ = fit_classifier(toy_prior, data, SETTINGS)
    rows = np.arange(len(data))
    mean, std = score_rows(toy_prior, classifier, data, rows, prediction_noise(toy_prior, SETTINGS), SETTINGS)
    possible = data.possible(rows)
    assert mean[~possible].max() < 1e-30
    assert std[~possible].max() < 1e-30
    assert mean[possible].min() > 0


def test_the_prior_stays_as_it_was_and_the_classifier_does_not(data: PairData, toy_prior: RELVM) -> None:
    before = {name: tensor.clone() for name, tensor in toy_prior.state_dict().items()}
    start = PairTask(toy_prior, data, SETTINGS).module.classifier.state_dict()
    _, classifier, _ = fit_classifier(toy_prior, data, SETTINGS)
    assert all(torch.equal(tensor, before[name]) for name, tensor in toy_prior.state_dict().items())
    assert all(parameter.grad is None for parameter in toy_prior.parameters())
    assert not any(torch.equal(tensor, start[name]) for name, tensor in classifier.state_dict().items())


def test_the_same_fit_twice_gives_the_same_bytes_whatever_the_global_seed(data: PairData, toy_prior: RELVM) -> None:
    _, one, first = fit_classifier(toy_prior, data, SETTINGS)
    torch.manual_seed(123)
    _, other, second = fit_classifier(toy_prior, data, SETTINGS)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert (first.best, first.step) == (second.best, second.step)


def test_another_seed_gives_another_classifier(data: PairData, toy_prior: RELVM) -> None:
    one, other = (fit_classifier(toy_prior, data, dataclasses.replace(SETTINGS, seed=s))[1] for s in (0, 1))
    assert not torch.equal(one.output.weight, other.output.weight)


def test_the_labels_of_test_pairs_are_not_looked_at(data: PairData, toy_prior: RELVM) -> None:
    tests = data.rows(Part.TEST)
    labels = data.labels.copy()
    labels[tests] = ~labels[tests] & data.possible(tests)
    _, one, _ = fit_classifier(toy_prior, data, SETTINGS)
    _, other, _ = fit_classifier(toy_prior, dataclasses.replace(data, labels=labels), SETTINGS)
    assert torch.equal(one.output.weight, other.output.weight)


def test_without_hidden_units_the_classifier_is_a_single_layer(data: PairData, toy_prior: RELVM) -> None:
    _, classifier, _ = fit_classifier(toy_prior, data, dataclasses.replace(SETTINGS, hidden=0))
    assert [tuple(p.shape) for p in classifier.parameters()] == [(1 + 3, SIZES["tiny"].z)]


def test_early_stopping_gives_the_weights_of_the_best_validation(data: PairData, toy_prior: RELVM) -> None:
    patient = dataclasses.replace(SETTINGS, steps=400, patience=2)
    _, classifier, state = fit_classifier(toy_prior, data, patient)
    assert state.stopped
    assert state.step < 400
    task = PairTask(toy_prior, data, patient)
    task.module.classifier = classifier
    assert task.validate(0)["stop"] == state.best


def planted(make_toy: MakeToy, seed: int) -> tuple[RELVM, PairData]:
    """Every entity is good or bad, as its embedding tells; a pair has its first possible class if both are good."""
    data: PairData = make_toy(seed, entities=36, comentioned=630).assemble(SETTINGS)
    torch.manual_seed(seed)
    prior = RELVM(SIZES["tiny"], entities=36, words=5)
    good = torch.arange(36) // 3 % 2 == 0
    direction = torch.randn(SIZES["tiny"].embedding)
    with torch.no_grad():
        noise = 0.2 * torch.randn_like(prior.entity_embedding.weight)
        prior.entity_embedding.weight.copy_(torch.where(good[:, None], direction, -direction) + noise)
        prior.prior.mean.weight.mul_(4)  # trained priors tell pairs apart; this one is fresh
    possible = data.possible(np.arange(len(data)))
    both = good.numpy()[data.heads] & good.numpy()[data.tails]
    labels = both[:, None] & (np.arange(3) == possible.argmax(1)[:, None])
    return prior, dataclasses.replace(data, labels=labels)


def test_a_planted_rule_is_learned_within_some_hundred_steps(make_toy: MakeToy) -> None:
    prior, data = planted(make_toy, 1)
    rows = data.rows(Part.TEST)
    noise = prediction_noise(prior, SETTINGS)

    def test_precision(steps: int) -> float:
        _, classifier, _ = fit_classifier(prior, data, dataclasses.replace(SETTINGS, steps=steps))
        mean, _ = score_rows(prior, classifier, data, rows, noise, SETTINGS)
        return average_precision(data.positive[rows], mean.max(1)) or 0.0

    assert test_precision(0) < 0.7
    assert test_precision(300) > 0.97


def test_score_rows_are_the_positive_columns_of_the_predictive(data: PairData, toy_prior: RELVM) -> None:
    _, classifier, _ = fit_classifier(toy_prior, data, dataclasses.replace(SETTINGS, steps=2))
    rows, noise = np.array([5, 0, 17]), prediction_noise(toy_prior, SETTINGS)
    possible = with_no_relation(data.possible(rows))
    pairs = data.heads[rows], data.tails[rows]
    whole = posterior_predictive(toy_prior, classifier, *pairs, possible, noise, SETTINGS.order)
    scores = score_rows(toy_prior, classifier, data, rows, noise, SETTINGS)
    assert all(np.array_equal(one[:, 1:], other) for one, other in zip(whole, scores, strict=True))
