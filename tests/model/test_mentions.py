from __future__ import annotations

import pytest
import torch

from kgrel.model.mentions import ENT, MentionClassifier, pooled
from kgrel.model.presets import SIZES, Pooling
from kgrel.model.relvm import RELVM

TOKENS = torch.tensor([[5, ENT, 6, ENT, 3, 0, 0], [ENT, 7, 8, 9, 10, ENT, 3]])
ONE, ZERO = torch.ones(2, dtype=torch.long), torch.zeros(2, dtype=torch.long)
ALL: tuple[Pooling, ...] = ("last", "max", "mentions", "attention")


def classifier(pooling: Pooling) -> MentionClassifier:
    torch.manual_seed(0)
    return MentionClassifier(SIZES["tiny"], types=2, words=12, classes=3, pooling=pooling).eval()


@pytest.mark.parametrize("pooling", ALL)
def test_padding_and_neighbours_change_nothing(pooling: Pooling) -> None:
    model, noise = classifier(pooling), (torch.randn(1, 2, 16), torch.randn(1, 2, 32))
    together = model(ZERO, ONE, TOKENS, *noise)
    alone = model(ZERO[:1], ONE[:1], TOKENS[:1, :5], *noise)
    torch.testing.assert_close(together[:1], alone)
    assert torch.allclose(together.exp().sum(-1), torch.ones(2, 2))


def test_poolings_are_what_they_say() -> None:
    states = torch.randn(2, 7, 4)
    torch.testing.assert_close(pooled(states, TOKENS, "max")[0], states[0, :5].amax(0))
    torch.testing.assert_close(pooled(states, TOKENS, "mentions")[1], (states[1, 0] + states[1, 5]) / 2)
    mention = (states[0, 1] + states[0, 3]) / 2
    weights = (states[0, :5] @ mention / 2).softmax(0)
    torch.testing.assert_close(pooled(states, TOKENS, "attention")[0], weights @ states[0, :5])


def test_a_classifier_takes_over_a_pretrained_model() -> None:
    model, pretrained = classifier("last"), RELVM(SIZES["tiny"], entities=2, words=12).eval()
    own = model.classifier.output.weight.clone()
    model.take(pretrained)
    torch.testing.assert_close(model.recognise(ZERO, ONE, TOKENS), pretrained.recognise(ZERO, ONE, TOKENS))
    assert torch.equal(model.classifier.output.weight, own)


def test_impossible_classes_have_no_probability() -> None:
    possible = torch.tensor([[True, True, False], [True, True, True]])
    noise = torch.randn(2, 2, 16), torch.randn(2, 2, 32)
    p = classifier("max")(ZERO, ONE, TOKENS, *noise, possible).exp()
    assert (p[0, :, 2] == 0).all()
    assert (p[1] > 0).all()
