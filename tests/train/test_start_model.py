"""A fresh model is a function of the seed; a pretrained one is widened and keeps what it knows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from kgrel.data.artifact import Artifact
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.text.tokens import SPECIAL_TOKENS
from kgrel.train.settings import PretrainSettings
from kgrel.train.start_model import bag_weights, start_model


def test_the_bag_weighs_rare_words_more_and_special_tokens_not_at_all() -> None:
    weights = bag_weights(np.array([0, 7, 90, 40, 50, 20, 20, 1, 0]), smoothing=0.1, special=4).numpy()
    assert np.array_equal(weights[:4], np.zeros(4))
    assert weights[4] < weights[5] == weights[6] < weights[7] < weights[8] == 1
    assert weights[4] == pytest.approx(0.1 / (0.1 + 50 / 228))


def test_the_model_carries_the_bag_weights_of_the_corpus(corpus: Corpus, tiny_settings: PretrainSettings) -> None:
    weights = start_model(corpus, tiny_settings, None)[0].model.bag_weights
    expected = bag_weights(corpus.word_counts, tiny_settings.bag_smoothing, len(SPECIAL_TOKENS))
    assert torch.equal(weights, expected)  # type: ignore[arg-type]


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
