"""An ensemble is the mean of its members, and speaks of their spread only where there are enough seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from kgrel.data.errors import KgrelError
from kgrel.score.confidence import EPISTEMIC, UNCERTAINTY
from kgrel.score.ensemble import LEAST_SEEDS, Ensemble
from kgrel.score.pair_scorer import PairScorer
from kgrel.score.scorer import ADDED
from kgrel.score.settings import ScoreSettings
from kgrel.score.stream import score_file
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import RelationClassifier


def other_seed(model: PairModel, seed: int) -> PairModel:
    """The same model with a classifier of another initialisation, and other noise."""
    torch.manual_seed(seed)
    classifier = RelationClassifier(model.prior.dimensions.z, 1 + len(model.classes), model.settings.hidden)
    settings = replace(model.settings, seed=seed)
    return replace(model, classifier=classifier.eval(), settings=settings, thresholds=model.thresholds / seed)


@pytest.fixture(scope="module")
def members(pair_model: PairModel) -> list[PairModel]:
    return [pair_model, *(other_seed(pair_model, seed) for seed in range(1, LEAST_SEEDS))]


def some_pairs(model: PairModel, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    heads, tails = np.random.default_rng(0).integers(len(model.entities), size=(2, count))
    return heads, tails


def frame_of(model: PairModel) -> pd.DataFrame:
    names = [f"{t}::{i}" for t, i in zip(model.entities.types, model.entities.ids, strict=True)]
    heads, tails = some_pairs(model)
    return pd.DataFrame({"source": [names[row] for row in heads], "target": [names[row] for row in tails]})


def test_identical_members_are_the_member(pair_model: PairModel) -> None:
    heads, tails = some_pairs(pair_model)
    ensemble = Ensemble([pair_model] * 3)
    for found, expected in zip(ensemble.predict(heads, tails), pair_model.predict(heads, tails), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.array_equal(ensemble.thresholds, pair_model.thresholds)
    assert ensemble.known(heads, tails) == pair_model.known(heads, tails)
    assert np.array_equal(ensemble.contexts(heads, tails), pair_model.contexts(heads, tails))
    np.testing.assert_allclose(ensemble.quick(heads, tails), pair_model.quick(heads, tails), atol=1e-12)


def test_the_score_is_the_mean_and_the_spread_is_that_of_the_members(members: list[PairModel]) -> None:
    heads, tails = some_pairs(members[0])
    means = np.stack([member.predict(heads, tails)[0] for member in members])
    ensemble = Ensemble(members)
    found = ensemble.predict_with_uncertainty(heads, tails)
    np.testing.assert_allclose(found.mean, means.mean(0), atol=1e-12)
    np.testing.assert_allclose(found.member_std, means.std(0, ddof=1), atol=1e-9)
    mean, std = ensemble.predict(heads, tails)
    assert found.mean.tobytes() == mean.tobytes()
    assert found.std.tobytes() == std.tobytes()
    assert ensemble.thresholds == pytest.approx(np.mean([member.thresholds for member in members], axis=0))


def test_the_order_of_the_members_does_not_matter(members: list[PairModel]) -> None:
    heads, tails = some_pairs(members[0])
    one, other = (Ensemble(order).predict(heads, tails)[0] for order in (members, members[::-1]))
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_fewer_than_five_seeds_have_no_epistemic_spread_and_say_why(members: list[PairModel]) -> None:
    for few in (members[:-1], [members[0]] * LEAST_SEEDS):
        ensemble = Ensemble(few)
        assert "no epistemic_std: an ensemble of at least 5 seeds is needed" in ensemble.note()
        found = PairScorer(ensemble).score(frame_of(members[0]), uncertainty=True)
        assert list(found.columns)[2:] == [*ADDED, *UNCERTAINTY]


def test_five_seeds_have_one(members: list[PairModel]) -> None:
    ensemble = Ensemble(members)
    assert "epistemic_std is the spread of 5 seeds" in ensemble.note()
    found = PairScorer(ensemble).score(frame_of(members[0]), uncertainty=True)
    assert list(found.columns)[2:] == [*ADDED, *UNCERTAINTY, *EPISTEMIC]
    ok = found["status"] == "ok"
    assert (found.loc[ok, "epistemic_std"].astype(float) > 0).all()
    assert found["probability"].isna().all()


def test_one_set_of_weights_has_no_epistemic_spread(pair_model: PairModel) -> None:
    assert not set(EPISTEMIC) & set(PairScorer(pair_model).score(frame_of(pair_model), uncertainty=True).columns)


def test_a_list_scored_by_an_ensemble_is_no_resumption_of_a_list_scored_by_its_first(
    members: list[PairModel], tmp_path: Path
) -> None:
    frame_of(members[0]).to_csv(tmp_path / "list.csv", index=False)
    summary = score_file(Ensemble(members), tmp_path / "list.csv", tmp_path / "out.csv", ScoreSettings())
    assert summary.probability == {"not_calibrated": summary.status["ok"]}
    found = pd.read_csv(tmp_path / "out.csv")
    expected = PairScorer(Ensemble(members)).score(frame_of(members[0]))
    ok = found["status"] == "ok"
    np.testing.assert_allclose(found["score"][ok], expected["score"][ok].astype(float), atol=1e-6)


def test_artifacts_are_opened(pairs_path: Path, pair_model: PairModel) -> None:
    scorer = PairScorer.load(pairs_path, [pairs_path])
    assert isinstance(scorer.model, Ensemble)
    assert scorer.model.seeds == 1
    assert isinstance(PairScorer.load(pairs_path).model, PairModel)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("settings of sampling", lambda model: {"settings": replace(model.settings, prediction_samples=3)}),
        ("settings of sampling", lambda model: {"settings": replace(model.settings, prediction_precision="bf16")}),
        ("settings of sampling", lambda model: {"settings": replace(model.settings, order="given")}),
        (
            "classes",
            lambda m: {"data": replace(m.data, classes=replace(m.data.classes, names=[*m.classes[:-1], "other"]))},
        ),
        ("entities", lambda m: {"entities": replace(m.entities, ids=[*m.entities.ids[:-1], "other"])}),
    ],
)
def test_members_that_do_not_fit_are_refused(pair_model: PairModel, what: str, change: Any) -> None:
    with pytest.raises(KgrelError, match=f"its {what} are not those of the first member"):
        Ensemble([pair_model, replace(pair_model, **change(pair_model))])
