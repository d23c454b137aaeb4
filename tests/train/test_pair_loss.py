"""Losses against their closed forms."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch

from kgrel.train.pair_loss import class_weights, negative_weights, pair_loss
from kgrel.train.settings import Loss

TARGETS = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
ONES = torch.ones(5)


def logits(seed: int = 0) -> torch.Tensor:
    return torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(seed)).requires_grad_(True)


def loss_of(at: torch.Tensor, loss: Loss, share: float = 0.0, weights: torch.Tensor = ONES) -> torch.Tensor:
    return pair_loss(at.log_softmax(-1), TARGETS, weights, loss, share, torch.tensor([1.0, 3.0, 0.5]))


def test_cross_entropy_has_the_gradient_p_minus_t() -> None:
    at = logits()
    loss_of(at, "cross-entropy").backward()
    assert at.grad is not None
    assert torch.allclose(at.grad, (at.softmax(-1) - TARGETS.unsqueeze(1)) / 20, atol=1e-6)


def test_class_balanced_and_focal_are_their_formulas() -> None:
    at = logits().detach()
    p, t = at.softmax(-1), TARGETS.unsqueeze(1)
    balanced = -(t * p.log() * torch.tensor([1.0, 3.0, 0.5])).sum(-1).mean()
    focal = -(t * (1 - p) ** 2 * p.log()).sum(-1).mean()
    assert loss_of(at, "class-balanced").item() == pytest.approx(balanced.item(), rel=1e-5)
    assert loss_of(at, "focal").item() == pytest.approx(focal.item(), rel=1e-5)


def test_nnpu_without_hidden_positives_is_cross_entropy() -> None:
    at = logits()
    assert loss_of(at, "nnpu").item() == pytest.approx(loss_of(at, "cross-entropy").item(), rel=1e-6)


def test_nnpu_takes_the_risk_of_hidden_positives_off() -> None:
    at = logits().detach()
    log_p, share = at.log_softmax(-1), 0.3
    listed = -(TARGETS[:2].unsqueeze(1) * log_p[:2]).sum(-1).mean()
    others, listed_as_none = -log_p[2:, :, 0].mean(), -log_p[:2, :, 0].mean()
    assert others > share * listed_as_none
    expected = 0.4 * listed + 0.6 * (share * listed + others - share * listed_as_none)
    assert loss_of(at, "nnpu", share).item() == pytest.approx(expected.item(), rel=1e-5)


def test_nnpu_is_never_negative_and_then_goes_back() -> None:
    """Others surely unrelated, listed surely related: the risk would be below 0."""
    at = torch.zeros(5, 4, 3)
    at[:2, :, 1:], at[2:, :, 0] = 5.0, 9.0
    at.requires_grad_(True)
    loss = loss_of(at, "nnpu", 0.5)
    (listed,) = (-(TARGETS[:2].unsqueeze(1) * at.log_softmax(-1)[:2]).sum(-1).mean().detach(),)
    assert loss.item() == pytest.approx((0.4 + 0.6 * 0.5) * listed.item(), rel=1e-5)
    loss.backward()
    assert at.grad is not None
    assert at.grad[2:, :, 0].min() > 0  # a step makes the others less surely unrelated


def test_weights_of_classes_have_mean_one_over_listed_pairs_and_favour_the_rare() -> None:
    counts = np.array([10, 1000, 0])
    weights = class_weights(counts)
    assert weights[0] == 1
    assert weights[3] == 0
    assert (weights[1:].numpy() * counts).sum() == pytest.approx(counts.sum(), rel=1e-5)
    assert (weights[1] / weights[2]).item() == pytest.approx((1 - 0.999**1000) / (1 - 0.999**10), rel=1e-4)


def test_pairs_often_mentioned_weigh_less_as_negatives() -> None:
    weights = negative_weights(np.array([7, 0, 3]), np.array([True, False, False]), 0.5)
    assert weights.tolist() == pytest.approx([1.0, 4 / 3, 2 / 3])
    assert negative_weights(np.array([7, 0, 3]), np.array([True, False, False]), 0.0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("loss", get_args(Loss))
def test_every_loss_is_finite_where_predictions_are_certain_and_wrong(loss: Loss) -> None:
    at = (1e4 * torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(1))).requires_grad_(True)
    value = loss_of(at, loss, 0.1)
    value.backward()
    assert at.grad is not None
    assert torch.isfinite(value)
    assert torch.isfinite(at.grad).all()
