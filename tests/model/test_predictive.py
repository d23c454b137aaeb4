"""A score is a function of the pair, the weights and the noise: not of the batch, the position, the tile."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.model.classifier import RelationClassifier
from kgrel.model.noise import CommonNoise, common_noise
from kgrel.model.predictive import TILE, Predictive, posterior_predictive
from kgrel.model.presets import SIZES
from kgrel.model.relvm import PairPrior

ENTITIES, CLASSES, SAMPLES = 60, 4, 5
Arrays = tuple[np.ndarray, np.ndarray]
CLOSE = {"rtol": 0, "atol": 1e-6}


class Setting(NamedTuple):
    """An untrained prior whose pairs differ well, and a classifier."""

    prior: PairPrior
    classifier: RelationClassifier
    noise: CommonNoise

    def predict(self, pairs: np.ndarray, order: str = "both", possible: np.ndarray | None = None) -> Arrays:
        if possible is None:
            possible = allowed(pairs)
        return posterior_predictive(
            self.prior,
            self.classifier,
            pairs[:, 0].copy(),
            pairs[:, 1].copy(),
            possible,
            self.noise,
            order,  # type: ignore[arg-type]
        )


def setting_of(samples: int = SAMPLES, seed: int = 0) -> Setting:
    torch.manual_seed(0)
    prior, classifier = PairPrior(SIZES["tiny"], ENTITIES), RelationClassifier(SIZES["tiny"].z, CLASSES, hidden=20)
    with torch.no_grad():
        for parameter in (prior.prior.mean.weight, classifier.output.weight):
            parameter.mul_(5)
    return Setting(prior, classifier, common_noise(prior.dimensions, samples, seed))


@pytest.fixture(scope="module")
def setting() -> Setting:
    return setting_of()


def random_pairs(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, ENTITIES, (count, 2))


def allowed(pairs: np.ndarray) -> np.ndarray:
    """NO-RELATION, and a set of classes that depends on the unordered pair."""
    bits = (pairs.sum(1)[:, None] >> np.arange(CLASSES)) & 1
    bits[:, 0] = 1
    flags: np.ndarray = bits.astype(bool)
    return flags


@torch.no_grad()
def one_at_a_time(setting: Setting, pairs: np.ndarray, order: str) -> Arrays:
    """Equation by equation: sample z for one pair, in one order, with one sample."""
    means, stds = [], []
    for pair, mask in zip(pairs, torch.from_numpy(allowed(pairs)), strict=True):
        p = []
        for x, y in {"both": [pair, pair[::-1]], "given": [pair]}[order]:
            for s in range(setting.noise.u.shape[1]):
                u, noise = setting.noise.u[0, s], setting.noise.z[0, s]
                prior = setting.prior
                features = prior.pair_features(torch.tensor([x]), torch.tensor([y]))
                gaussian = prior.prior(features, u.view(1, 1, -1))
                z = (gaussian.mean + torch.exp(0.5 * gaussian.log_var) * noise).view(-1)
                p.append(setting.classifier(z, mask).exp().double().numpy())
        means.append(np.mean(p, axis=0))
        stds.append(np.std(p, axis=0))
    return np.array(means), np.array(stds)


@pytest.mark.parametrize("order", ["both", "given"])
def test_it_equals_one_pair_and_one_sample_at_a_time(setting: Setting, order: str) -> None:
    pairs = random_pairs(TILE + 7)
    for one, other in zip(setting.predict(pairs, order), one_at_a_time(setting, pairs, order), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


def test_rows_are_probabilities_that_sum_to_one(setting: Setting) -> None:
    mean, std = setting.predict(random_pairs(300))
    np.testing.assert_allclose(mean.sum(1), 1, **CLOSE)
    assert mean.min() >= 0
    assert 0 < std.max() <= 0.5


def test_impossible_classes_have_no_probability(setting: Setting) -> None:
    pairs = random_pairs(300)
    mean, std = setting.predict(pairs)
    assert mean[~allowed(pairs)].max() < 1e-30
    assert std[~allowed(pairs)].max() < 1e-30


def test_both_orders_give_the_very_same_numbers(setting: Setting) -> None:
    pairs = random_pairs(TILE + 50)
    for one, other in zip(setting.predict(pairs), setting.predict(pairs[:, ::-1]), strict=True):
        assert np.array_equal(one, other)


def test_the_given_order_matters(setting: Setting) -> None:
    pairs = random_pairs(50)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    one, mirrored = (setting.predict(p, "given", np.ones((len(p), CLASSES), bool))[0] for p in (pairs, pairs[:, ::-1]))
    assert (np.abs(one - mirrored).max(axis=1) > 1e-4).all()
    both, _ = setting.predict(pairs, "both", np.ones((len(pairs), CLASSES), bool))
    np.testing.assert_allclose(both, (one + mirrored) / 2, **CLOSE)


def test_one_sample_in_one_order_has_no_spread() -> None:
    single = setting_of(samples=1)
    assert np.all(single.predict(random_pairs(20), "given")[1] == 0)
    assert single.predict(random_pairs(20), "both")[1].max() > 0


@settings(max_examples=12, deadline=None)
@given(
    count=st.sampled_from([1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE - 1, 2 * TILE + 3]),
    seed=st.integers(0, 1000),
    split=st.sampled_from(["shuffled", "in seven", "reversed", "twice"]),
)
def test_a_score_does_not_depend_on_the_list_around_it(setting: Setting, count: int, seed: int, split: str) -> None:
    pairs, rng = random_pairs(count, seed), np.random.default_rng(seed)
    splits: dict[str, Callable[[], list[np.ndarray]]] = {
        "shuffled": lambda: [rng.permutation(count)],
        "in seven": lambda: np.array_split(np.arange(count), 7),
        "reversed": lambda: [np.arange(count)[::-1]],
        "twice": lambda: [np.arange(count), np.arange(count)],
    }
    whole = setting.predict(pairs)
    for rows in splits[split]():
        for one, other in zip(whole, setting.predict(pairs[rows]), strict=True):
            np.testing.assert_allclose(one[rows], other, **CLOSE)


def test_a_pair_alone_is_the_same_bytes_as_first_in_a_list(setting: Setting) -> None:
    """A short list is padded to a whole tile, so that the matrices have one shape and round alike."""
    pairs = random_pairs(TILE + 1)
    for one, other in zip(setting.predict(pairs[:1]), setting.predict(pairs), strict=True):
        assert np.array_equal(one, other[:1])


def test_an_empty_list_gives_an_empty_answer(setting: Setting) -> None:
    mean, std = setting.predict(random_pairs(0))
    assert mean.shape == std.shape == (0, CLASSES)


def test_prediction_leaves_no_gradient(setting: Setting) -> None:
    setting.predict(random_pairs(3))
    assert all(parameter.grad is None for parameter in [*setting.prior.parameters(), *setting.classifier.parameters()])


def test_a_predictive_made_once_is_the_one_made_for_each_list(setting: Setting) -> None:
    prior, classifier, noise = setting
    predictive = Predictive(prior, classifier, noise)
    for seed in (0, 1):
        pairs = random_pairs(20, seed)
        once = predictive(pairs[:, 0], pairs[:, 1], allowed(pairs))
        assert all(np.array_equal(one, other) for one, other in zip(once, setting.predict(pairs), strict=True))


def test_bf16_stays_near_fp32(setting: Setting) -> None:
    prior, classifier, noise = setting
    pairs = random_pairs(300)
    full, _ = setting.predict(pairs)
    half, _ = Predictive(prior, classifier, noise, "both", "bf16")(pairs[:, 0], pairs[:, 1], allowed(pairs))
    assert 0 < np.abs(full - half).max() < 0.05
    np.testing.assert_allclose(half.sum(1), 1, **CLOSE)


def test_a_linear_classifier_is_computed_too() -> None:
    *others, noise = setting_of()
    torch.manual_seed(1)
    linear = Setting(others[0], RelationClassifier(SIZES["tiny"].z, CLASSES, hidden=0), noise)
    pairs = random_pairs(30)
    for one, other in zip(linear.predict(pairs), one_at_a_time(linear, pairs, "both"), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)
