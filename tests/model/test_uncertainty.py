"""Mean, spread, interval and entropies over samples: bounds that hold for any distribution, and the plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.model.uncertainty import LEVELS, described, predict_with_uncertainty, quantiles
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import with_no_relation


def drawn(samples: int, seed: int, sharpness: float) -> list[torch.Tensor]:
    """Samples of distributions over four classes for three pairs; the last class is impossible."""
    logits = sharpness * torch.randn(samples, 3, 4, generator=torch.Generator().manual_seed(seed))
    logits[..., 3] = -1e9
    return list(logits.double().softmax(-1))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 3.0, 50.0]))
def test_bounds_of_interval_and_entropies(samples: int, seed: int, sharpness: float) -> None:
    mean, std, low, high, spread, entropy, disagreement = described([drawn(samples, seed, sharpness)])
    assert (low <= mean + 1e-12).all()
    assert (mean <= high + 1e-12).all()
    assert (std >= 0).all()
    assert (entropy >= 0).all()
    assert (disagreement >= 0).all()
    assert (entropy + disagreement <= np.log(3) + 1e-9).all()
    assert (spread == 0).all()


def test_samples_that_agree_have_no_spread_and_no_disagreement() -> None:
    sample = drawn(1, 0, 1.0)[0]
    mean, std, low, high, _, entropy, disagreement = described([[sample] * 8])
    for value in (mean, low, high):
        assert torch.allclose(value, sample, atol=1e-12)
    assert std.max() < 1e-7
    assert torch.allclose(entropy, torch.special.entr(sample).sum(-1))
    assert disagreement.max() < 1e-12


def test_sure_samples_that_contradict_each_other_disagree_as_much_as_can_be() -> None:
    sure = [torch.eye(4, dtype=torch.float64)[[row % 4] * 3] for row in range(8)]
    entropy, disagreement = described([sure])[-2:]
    assert entropy.max() == 0
    assert disagreement.numpy() == pytest.approx(np.log(4))


def test_quantiles_are_those_of_numpy() -> None:
    samples = torch.stack(drawn(37, 3, 2.0))
    for found, level in zip(quantiles(samples), LEVELS, strict=True):
        np.testing.assert_allclose(found.numpy(), np.quantile(samples.numpy(), level, axis=0), atol=1e-12)


def test_members_are_pooled_and_their_spread_is_that_of_their_means() -> None:
    members = [drawn(6, seed, 2.0) for seed in range(5)]
    mean, std, low, _, spread, entropy, _ = described(members)
    every = torch.stack([sample for member in members for sample in member]).numpy()
    np.testing.assert_allclose(mean.numpy(), every.mean(0))
    np.testing.assert_allclose(std.numpy(), every.std(0), atol=1e-9)
    np.testing.assert_allclose(low.numpy(), np.quantile(every, LEVELS[0], axis=0))
    means = np.stack([torch.stack(member).mean(0).numpy() for member in members])
    np.testing.assert_allclose(spread.numpy(), means.std(0, ddof=1))
    assert torch.allclose(entropy, torch.special.entr(torch.from_numpy(every)).sum(-1).mean(0))


def pairs_of(model: PairModel, count: int) -> tuple[np.ndarray, np.ndarray]:
    heads, tails = np.random.default_rng(0).integers(len(model.entities), size=(2, count))
    return heads, tails


def test_mean_and_spread_are_to_the_byte_those_of_a_plain_prediction(pair_model: PairModel) -> None:
    heads, tails = pairs_of(pair_model, 600)  # more than a tile
    found = pair_model.predict_with_uncertainty(heads, tails)
    mean, std = pair_model.predict(heads, tails)
    assert found.mean.tobytes() == mean.tobytes()
    assert found.std.tobytes() == std.tobytes()
    assert found.low.shape == found.high.shape == mean.shape
    assert found.entropy.shape == found.disagreement.shape == (600,)
    assert (found.disagreement > 0).any()


def test_a_pair_has_the_same_uncertainty_alone_and_among_others(pair_model: PairModel) -> None:
    heads, tails = pairs_of(pair_model, 600)
    whole = pair_model.predict_with_uncertainty(heads, tails)
    alone = pair_model.predict_with_uncertainty(heads[555:556], tails[555:556])
    for name in ("low", "high", "entropy", "disagreement"):
        np.testing.assert_allclose(getattr(whole, name)[555], getattr(alone, name)[0], atol=1e-6)


def test_no_pair_and_identical_members(pair_model: PairModel) -> None:
    none = np.zeros(0, dtype=np.int64)
    assert pair_model.predict_with_uncertainty(none, none).mean.shape == (0, len(pair_model.classes))
    heads, tails = pairs_of(pair_model, 20)
    possible = with_no_relation(pair_model.possible(heads, tails))
    one = pair_model.predict_with_uncertainty(heads, tails)
    five = predict_with_uncertainty([pair_model.predictive] * 5, heads, tails, possible)
    np.testing.assert_allclose(five.mean, one.mean, atol=1e-12)
    np.testing.assert_allclose(five.disagreement, one.disagreement, atol=1e-12)
    assert five.member_std.max() < 1e-12
