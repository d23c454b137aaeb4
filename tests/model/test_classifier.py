"""p(r|z) is a distribution over the possible classes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kgrel.model.classifier import RelationClassifier


@pytest.fixture
def z() -> Tensor:
    return torch.randn(3, 2, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("hidden", [0, 5])
def test_it_gives_log_probabilities_of_each_class(z: Tensor, hidden: int) -> None:
    log_p = RelationClassifier(6, 4, hidden)(z)
    assert log_p.shape == (3, 2, 4)
    torch.testing.assert_close(log_p.exp().sum(-1), torch.ones(3, 2))


def test_it_is_the_stated_function(z: Tensor) -> None:
    classifier = RelationClassifier(6, 4, 5)
    hidden, output = (parameter.detach() for parameter in classifier.parameters())
    logits = torch.cat([(z @ hidden.T).clamp_min(0), z], dim=-1) @ output.T
    torch.testing.assert_close(classifier(z).detach(), logits - logits.logsumexp(-1, keepdim=True))


def test_without_hidden_units_it_is_linear_in_z(z: Tensor) -> None:
    classifier = RelationClassifier(6, 4, 0)
    assert [name for name, _ in classifier.named_parameters()] == ["output.weight"]
    odds = classifier(z)[..., 1:] - classifier(z)[..., :1]
    doubled = classifier(2 * z)[..., 1:] - classifier(2 * z)[..., :1]
    torch.testing.assert_close(doubled, 2 * odds)


def test_the_mask_moves_all_mass_to_possible_classes(z: Tensor) -> None:
    classifier = RelationClassifier(6, 4, 5)
    possible = torch.tensor([True, False, True, False])
    p, free = classifier(z, possible).exp(), classifier(z).exp()
    assert p[..., ~possible].max() < 1e-30
    torch.testing.assert_close(p[..., possible], free[..., possible] / free[..., possible].sum(-1, keepdim=True))


def test_masked_classes_send_no_gradient_and_nothing_is_nan(z: Tensor) -> None:
    classifier = RelationClassifier(6, 4, 5)
    classifier(z, torch.tensor([True, True, False, False]))[..., 0].sum().backward()
    gradient = classifier.output.weight.grad
    assert gradient is not None
    assert torch.all(gradient[2:] == 0)
    assert torch.all(gradient[:2].abs().sum(1) > 0)
    assert all(torch.isfinite(p.grad).all() for p in classifier.parameters() if p.grad is not None)


def test_a_pair_with_no_relation_alone_is_certain(z: Tensor) -> None:
    log_p = RelationClassifier(6, 3, 5)(z, torch.tensor([True, False, False]))
    assert torch.all(log_p[..., 0] == 0)


def test_extreme_logits_stay_finite() -> None:
    classifier = RelationClassifier(6, 4, 0)
    log_p = classifier(torch.full((1, 6), 1e4))
    assert torch.isfinite(log_p).all()
