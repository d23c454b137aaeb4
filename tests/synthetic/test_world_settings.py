from __future__ import annotations

import dataclasses

import pytest

from kgrel.data.errors import KgrelError
from kgrel.data.settings import descriptions, from_json, to_json
from kgrel.synthetic import WorldSettings
from kgrel.synthetic.world_settings import FRACTIONS


def test_every_setting_is_documented() -> None:
    assert set(descriptions(WorldSettings)) == {field.name for field in dataclasses.fields(WorldSettings)}


def test_settings_survive_json() -> None:
    settings = WorldSettings.small(seed=3)
    assert from_json(WorldSettings, to_json(settings)) == settings


@pytest.mark.parametrize("name", FRACTIONS)
def test_fractions_lie_between_zero_and_one(name: str) -> None:
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(KgrelError, match=name):
            dataclasses.replace(WorldSettings(), **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("genes", 1),
        ("modules", 1),
        ("modules", 99),
        ("sentences", 10),
        ("popularity", -1.0),
        ("count_lift", 0.0),
        ("findings", -1),
        ("findings", 99),
    ],
)
def test_sizes_out_of_range_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(KgrelError, match=name):
        dataclasses.replace(WorldSettings(), **{name: value})


def test_wordings_may_not_exceed_all_sentences() -> None:
    with pytest.raises(KgrelError, match="related_stated and related_negated"):
        WorldSettings(related_stated=0.7, related_negated=0.6)
