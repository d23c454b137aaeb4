"""Base rates are read strictly, and a list gets a probability, or a counted reason, and what else is wanted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kgrel.data.errors import KgrelError
from kgrel.metrics.calibration import Platt, logit
from kgrel.score.confidence import UNCERTAINTY, base_rates, wanted_of
from kgrel.score.pair_scorer import PairScorer
from kgrel.score.scorer import ADDED, Scorer
from kgrel.score.settings import ScoreSettings
from kgrel.score.stream import REASON, score_file
from kgrel.train.calibration import CO_MENTIONED, NEVER, NOT_CALIBRATED, OUTSIDE, REASONS, Calibration
from kgrel.train.pair_model import PairModel

CLASSES = ["DaG", "DuG", "a=b"]


@pytest.fixture(scope="module")
def calibrated(pair_model: PairModel) -> PairModel:
    """The trained model with calibrators that are known."""
    seen = {name: Platt(0.5, 0.1 * place) for place, name in enumerate(pair_model.classes)}
    never = {pair_model.classes[0]: Platt(0.3, -1.0)}
    rates = dict.fromkeys(pair_model.classes, 0.2)
    return replace(pair_model, calibration=Calibration(pair_model.sampling, {CO_MENTIONED: seen, NEVER: never}, rates))


@pytest.fixture(scope="module")
def pairs(pair_model: PairModel) -> pd.DataFrame:
    """Training pairs, many of them covered, and random ones."""
    rng, data = np.random.default_rng(0), pair_model.data
    rows = np.concatenate([np.flatnonzero(data.positive), rng.integers(len(data), size=200)])
    random = rng.integers(len(pair_model.entities), size=(2, 200))
    heads, tails = (np.concatenate(both) for both in zip((data.heads[rows], data.tails[rows]), random, strict=True))
    names = [f"{t}::{i}" for t, i in zip(pair_model.entities.types, pair_model.entities.ids, strict=True)]
    return pd.DataFrame({"source": [names[row] for row in heads], "target": [names[row] for row in tails]})


def test_a_rate_is_of_every_class_that_is_not_named() -> None:
    assert base_rates((), CLASSES) == {}
    assert base_rates(("0.1",), CLASSES) == dict.fromkeys(CLASSES, 0.1)
    assert base_rates(("DuG=0.02", "a=b=5e-3"), CLASSES) == {"DuG": 0.02, "a=b": 0.005}
    assert base_rates(("DuG=0.02", "0.1"), CLASSES) == {"DaG": 0.1, "DuG": 0.02, "a=b": 0.1}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("DaX=0.1",), "no class 'DaX'"),
        (("DaG=0",), "greater than 0 and less than 1"),
        (("1",), "greater than 0 and less than 1"),
        (("nan",), "greater than 0 and less than 1"),
        (("DaG=many",), "give CLASS=RATE or RATE"),
        (("",), "give CLASS=RATE or RATE"),
        (("0.1", "0.2"), "all classes is given twice"),
        (("DaG=0.1", "DaG=0.2"), "DaG is given twice"),
    ],
)
def test_a_rate_that_is_none_is_refused(texts: tuple[str, ...], message: str) -> None:
    with pytest.raises(KgrelError, match=message):
        base_rates(texts, CLASSES)


def test_a_scorer_without_uncertainty_or_probabilities_says_so(scorer: Scorer) -> None:
    with pytest.raises(KgrelError, match="no uncertainty; leave out --uncertainty"):
        wanted_of(scorer, scorer.classes, True, ())
    with pytest.raises(KgrelError, match="no probabilities; leave out --base-rate"):
        wanted_of(scorer, scorer.classes, False, ("0.1",))


def test_every_scored_pair_has_a_probability_or_a_counted_reason(
    calibrated: PairModel, pairs: pd.DataFrame, tmp_path: Path
) -> None:
    pairs.to_csv(tmp_path / "list.csv", index=False)
    summary = score_file(calibrated, tmp_path / "list.csv", tmp_path / "out.csv", ScoreSettings(chunk_rows=512))
    found = pd.read_csv(tmp_path / "out.csv")
    assert list(found.columns) == ["source", "target", *ADDED]
    counts = summary.probability
    assert set(counts) <= set(REASONS)
    assert counts["calibrated"] == found["probability"].notna().sum() > 20
    assert counts[OUTSIDE] > 20
    assert counts[NEVER] == 0  # there are such calibrators, though not for each class
    assert sum(counts.values()) == summary.status["ok"]
    assert summary.to_json()["probability"] == dict(counts)
    given = found[found["probability"].notna() & (found["seen_in_text"] > 0)]
    for row in given.itertuples():
        place = calibrated.classes.index(row.best_relation)
        assert row.probability == pytest.approx(Platt(0.5, 0.1 * place)([row.score])[0])


def test_an_uncalibrated_model_says_so_for_each_scored_pair(pair_model: PairModel, pairs: pd.DataFrame) -> None:
    found = PairScorer(pair_model).score(pairs)
    assert found["probability"].isna().all()
    with pytest.raises(KgrelError, match="run kgrel calibrate first"):
        PairScorer(pair_model).score(pairs, base_rate=["0.1"])


def test_a_base_rate_moves_the_odds_and_no_other_column(calibrated: PairModel, pairs: pd.DataFrame) -> None:
    plain, same, moved = (PairScorer(calibrated).score(pairs, base_rate=rate) for rate in ([], ["0.2"], ["0.01"]))
    given = plain["probability"].notna()
    assert (moved["probability"].notna() == given).all()
    before, after = (frame.loc[given, "probability"].astype(float).to_numpy() for frame in (plain, moved))
    np.testing.assert_allclose(same.loc[given, "probability"].astype(float), before)
    np.testing.assert_allclose(logit(after) - logit(before), logit([0.01])[0] - logit([0.2])[0])
    others = [name for name in ADDED if name != "probability"]
    pd.testing.assert_frame_equal(plain[others], moved[others])


def test_uncertainty_stands_behind_the_columns_that_are_always_there(
    pair_model: PairModel, pairs: pd.DataFrame, tmp_path: Path
) -> None:
    plain, found = (PairScorer(pair_model).score(pairs, uncertainty=wanted) for wanted in (False, True))
    assert list(found.columns) == ["source", "target", *ADDED, *UNCERTAINTY]
    pd.testing.assert_frame_equal(found[plain.columns], plain)
    ok = found["status"] == "ok"
    values: Any = found.loc[ok, ["score", *UNCERTAINTY]].astype(float)
    assert (values["score_low"] <= values["score"]).all()
    assert (values["score"] <= values["score_high"]).all()
    assert (values[["entropy", "disagreement"]] >= 0).all(axis=None)
    assert (values["disagreement"] <= np.log(1 + len(pair_model.classes))).all()
    assert found.loc[~ok, list(UNCERTAINTY)].isna().all(axis=None)
    assert (~ok).any()
    pairs.to_csv(tmp_path / "list.csv", index=False)
    settings = ScoreSettings(uncertainty=True, prefix="k_")
    score_file(pair_model, tmp_path / "list.csv", tmp_path / "out.parquet", settings)
    written = pd.read_parquet(tmp_path / "out.parquet")
    assert list(written.columns) == ["source", "target", *(f"k_{name}" for name in [*ADDED, *UNCERTAINTY])]
    np.testing.assert_allclose(written["k_entropy"][ok].astype(float), values["entropy"], atol=1e-6)


def test_resumed_parts_are_counted_and_the_reason_is_not_written(
    scorer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"source": ["1", "207"] * 600, "target": ["DOID:1612", "nobody"] * 600}).to_csv(
        tmp_path / "list.csv", index=False
    )
    settings, sound = ScoreSettings(chunk_rows=512), scorer.predict

    def fails_late(heads: Any, tails: Any) -> Any:
        if scorer.calls == 2:
            raise KeyboardInterrupt
        return sound(heads, tails)

    monkeypatch.setattr(scorer, "predict", fails_late)
    with pytest.raises(KeyboardInterrupt):
        score_file(scorer, tmp_path / "list.csv", tmp_path / "out.csv", settings)
    monkeypatch.undo()
    summary = score_file(scorer, tmp_path / "list.csv", tmp_path / "out.csv", settings)
    assert summary.resumed_rows >= 512
    assert summary.probability == Counter({NOT_CALIBRATED: 600})
    assert REASON not in pd.read_csv(tmp_path / "out.csv").columns
