"""Uncertainty by frequency finds a planted effect, and none where frequency works through the entities alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.evaluate.frequency import LABEL, MEASURES, SCORE, by_frequency, groups
from kgrel.evaluate.pairs import evaluate_pairs
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.model.uncertainty import Predicted
from kgrel.score.scorer import entity_contexts
from kgrel.train.pair_data import PairData, Part
from kgrel.train.pair_model import PairModel

SETTINGS = EvaluationSettings(draws=60, baselines=False, by_frequency=True)


@dataclass
class Planted:
    """Contexts grow with how frequent both entities are; uncertainty falls with what ``cause`` says."""

    data: PairData
    cause: str
    epistemic: bool = False

    def __post_init__(self) -> None:
        rng = np.random.default_rng(1)
        self.entities = range(len(self.data.type_rows))
        fame = np.exp(rng.normal(size=len(self.entities)))
        heads, tails = self.data.heads, self.data.tails
        both = fame[heads] * fame[tails]
        contexts = 1 + rng.poisson(8 * both * np.exp(rng.normal(size=len(heads))))
        self.data = replace(self.data, contexts=contexts)
        self.comentions = heads, tails, contexts
        counts = entity_contexts(self)  # type: ignore[arg-type]
        driver = {"contexts": contexts, "entities": counts[heads] * counts[tails]}[self.cause]
        noise = np.exp(0.3 * rng.normal(size=(3, len(heads))))
        self.values = noise / (1.0 + driver / np.median(driver))

    def predict_with_uncertainty(self, heads: np.ndarray, tails: np.ndarray) -> Predicted:
        keys = {key: row for row, key in enumerate(zip(self.data.heads, self.data.tails, strict=True))}
        rows = np.array([keys[key] for key in zip(heads, tails, strict=True)])
        std, entropy, disagreement = self.values[:, rows]
        mean = np.random.default_rng(2).random((len(rows), 3))
        wide = np.repeat(std[:, None], 3, axis=1)
        return Predicted(mean, wide, mean, mean, entropy, disagreement, 0 * mean)


def planted(given: Any, cause: str) -> dict[str, Any]:
    model: Any = Planted(given.data, cause)
    return by_frequency(model, np.arange(len(given.data)), SETTINGS)


def test_an_effect_of_contexts_is_found_whatever_is_held_constant(given: Any) -> None:
    found = planted(given, "contexts")
    for held in ("nothing", LABEL, SCORE):
        for name in MEASURES:
            value = found["correlations"][held][name]
            assert value["rare_pairs_less_confident"] is True
            assert value["interval"][0] <= value["estimate"] <= value["interval"][1]
    first, *_, last = (point for point in found["curves"] if not point["listed"])
    assert first["contexts"] < last["contexts"]
    assert first["entropy"][0] > last["entropy"][0]


def test_an_effect_of_the_entities_alone_vanishes_when_they_are_held_constant(given: Any) -> None:
    found = planted(given, "entities")["correlations"]
    for name in MEASURES:
        assert found["nothing"][name]["estimate"] < -0.4
        assert abs(found[LABEL][name]["estimate"]) < 0.3
        assert abs(found[LABEL][name]["estimate"]) < abs(found["nothing"][name]["estimate"]) / 2


def test_strata_and_curves_hold_each_pair_once(given: Any) -> None:
    found = planted(given, "contexts")
    assert found["pairs"] == sum(point["pairs"] for point in found["curves"]) == len(given.data)
    assert sum(stratum["pairs"] for stratum in found["strata"]) <= len(given.data)
    assert {stratum["listed"] for stratum in found["strata"]} == {True, False}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_groups_are_about_equal_and_equal_values_share_one() -> None:
    values = np.random.default_rng(0).integers(0, 1000, 900)
    sizes = np.bincount(groups(values, 3))
    assert len(sizes) == 3
    assert sizes.min() > 250
    assert np.unique(groups(np.array([1, 1, 1, 1, 1, 9]), 3)).size <= 2


def test_a_trained_model_is_examined_on_its_test_pairs(pair_model: PairModel) -> None:
    report = evaluate_pairs(pair_model, SETTINGS)
    found = report["by_frequency"]
    rows = pair_model.data.rows(Part.TEST)
    assert found["pairs"] == (pair_model.data.contexts[rows] > 0).sum()
    assert evaluate_pairs(pair_model, SETTINGS) == report
    heads, _, counts = pair_model.comentions
    assert entity_contexts(pair_model).sum() == 2 * counts.sum()
    assert len(heads) == len(counts)


def test_pairs_without_text_and_models_without_uncertainty_are_refused(given: Any, pair_model: PairModel) -> None:
    with pytest.raises(KgrelError, match="gives no uncertainty; leave out --by-frequency"):
        by_frequency(given, np.arange(5), SETTINGS)
    nothing = replace(pair_model.data, contexts=np.zeros(len(pair_model.data), dtype=np.int64))
    with pytest.raises(KgrelError, match="fewer than three"):
        by_frequency(replace(pair_model, data=nothing), np.arange(9), SETTINGS)
