"""Fine-tuning moves what it says, not what it is not asked for, and not further than the anchor allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import torch

from kgrel.metrics.classification import average_precision
from kgrel.model.classifier import RelationClassifier
from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM
from kgrel.train.fine_tuning import PairClassifier, offsets
from kgrel.train.optimizers import make_optimizers
from kgrel.train.pair_data import PairData, Part
from kgrel.train.pairs import fit_classifier, prediction_noise, score_rows
from kgrel.train.settings import PairSettings

SETTINGS = PairSettings(
    steps=20, batch_size=64, batch_negatives=40, learning_rate=1e-2, validate_every=10, samples=2, device="cpu",
    patience=0,
)  # fmt: skip
MakeToy = Callable[..., Any]
Kind = Literal["none", "entities", "all"]


@pytest.fixture(scope="module")
def data(make_toy: MakeToy) -> PairData:
    toy: PairData = make_toy(0).assemble(SETTINGS)
    return toy


def classifier_of(prior: RELVM, kind: Kind) -> PairClassifier:
    return PairClassifier(prior, RelationClassifier(prior.dimensions.z, 4), kind)


@pytest.mark.parametrize("kind", ["none", "entities", "all"])
def test_before_the_first_step_it_is_the_pretrained_prior(toy_prior: RELVM, kind: Kind) -> None:
    plain = classifier_of(toy_prior, kind).plain_prior()
    assert all(torch.equal(tensor, toy_prior.state_dict()[name]) for name, tensor in plain.state_dict().items())


@pytest.mark.parametrize(
    ("kind", "moving"), [("none", set()), ("entities", {"entity_embedding"}), ("all", {"entity_embedding", "prior"})]
)
def test_only_what_is_asked_for_moves_and_the_given_prior_stays(
    data: PairData, toy_prior: RELVM, kind: Kind, moving: set[str]
) -> None:
    before = {name: tensor.clone() for name, tensor in toy_prior.state_dict().items()}
    prior, _, _ = fit_classifier(toy_prior, data, dataclasses.replace(SETTINGS, fine_tune=kind))
    moved = {name for name, tensor in prior.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {name.split(".")[0] for name in moved} == moving
    assert all(torch.equal(tensor, before[name]) for name, tensor in toy_prior.state_dict().items())


def test_the_offset_is_what_decays(toy_prior: RELVM) -> None:
    module = classifier_of(toy_prior, "all")
    (optimizer,) = make_optimizers(module, learning_rate=0.1, weight_decay=0.0, anchor=2.0)
    with torch.no_grad():
        for offset in offsets(module):
            offset.fill_(1.0)
    still = {name: p.clone() for name, p in module.classifier.named_parameters()}
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
    optimizer.step()
    assert all(torch.allclose(offset, torch.tensor(1 - 0.1 * 2.0)) for offset in offsets(module))
    assert all(torch.equal(p, still[name]) for name, p in module.classifier.named_parameters())


def test_a_strong_anchor_keeps_the_prior_near_its_pretrained_weights(data: PairData, toy_prior: RELVM) -> None:
    def distance(anchor: float) -> float:
        prior, _, _ = fit_classifier(toy_prior, data, dataclasses.replace(SETTINGS, fine_tune="all", anchor=anchor))
        theirs = toy_prior.state_dict()
        return sum((tensor - theirs[name]).square().sum().item() for name, tensor in prior.state_dict().items())

    assert 0 < distance(50.0) < 0.5 * distance(0.0)


def test_labels_that_the_representation_does_not_tell_are_learned_by_fine_tuning_alone(make_toy: MakeToy) -> None:
    data: PairData = make_toy(1, entities=36, comentioned=630).assemble(SETTINGS)
    good = np.arange(36) % 2 == 0
    possible = data.possible(np.arange(len(data)))
    first = np.arange(possible.shape[1]) == possible.argmax(1)[:, None]
    data = dataclasses.replace(data, labels=(good[data.heads] & good[data.tails])[:, None] & first & possible)
    torch.manual_seed(0)
    prior = RELVM(SIZES["tiny"], entities=36, words=5)
    torch.nn.init.ones_(prior.entity_embedding.weight)  # every entity alike: nothing to be read from z
    rows = data.rows(Part.TEST)

    def precision(kind: Kind) -> float:
        settings = dataclasses.replace(SETTINGS, steps=200, fine_tune=kind, anchor=0.0)
        tuned, classifier, _ = fit_classifier(prior, data, settings)
        mean, _ = score_rows(tuned, classifier, data, rows, prediction_noise(tuned, settings), settings)
        return average_precision(data.positive[rows], mean.max(1)) or 0.0

    assert precision("none") < 0.6
    assert precision("entities") > 0.9
