"""Settings of the baselines that cannot work are refused by name; recipes survive JSON; nothing loads torch."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from kgrel.baselines.settings import (
    ATTENTION_RECIPES,
    AttentionSettings,
    CooccurrenceSettings,
    DegreeSettings,
    KgeSettings,
    LabelOnlySettings,
)
from kgrel.data.errors import KgrelError
from kgrel.data.settings import descriptions, from_json, to_json

STAGES: list[type] = [AttentionSettings, CooccurrenceSettings, DegreeSettings, KgeSettings, LabelOnlySettings]


@pytest.mark.parametrize(
    ("stage", "name", "value"),
    [
        (CooccurrenceSettings, "test_share", 1.0),
        (LabelOnlySettings, "steps", 0),
        (LabelOnlySettings, "batch_negatives", 512),
        (KgeSettings, "epochs", 0),
        (KgeSettings, "negatives", -1),
        (KgeSettings, "regularisation", -0.1),
        (AttentionSettings, "max_sentences", 0),
        (AttentionSettings, "dropout", 1.0),
        (AttentionSettings, "batch_negatives", 128),
        (AttentionSettings, "learning_rates", ()),
        (AttentionSettings, "learning_rates", (0.001, 0.0)),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(stage: type, name: str, value: Any) -> None:
    with pytest.raises(KgrelError, match=rf"{name} must be .*, not {re.escape(str(value))}"):
        stage(**{name: value})


@pytest.mark.parametrize("stage", STAGES)
def test_every_attribute_has_a_description(stage: type) -> None:
    assert descriptions(stage).keys() == {field.name for field in fields(stage)}


@pytest.mark.parametrize("settings", [*ATTENTION_RECIPES.values(), *(stage() for stage in STAGES)])
def test_settings_survive_json(settings: Any) -> None:
    assert from_json(type(settings), to_json(settings)) == settings


def test_the_attention_recipe_of_the_paper() -> None:
    paper = ATTENTION_RECIPES["paper"]
    assert (paper.steps, paper.learning_rates) == (1_000_000, (5e-6,))
    assert (paper.batch_size, paper.batch_negatives) == (100, 50)


def test_settings_load_no_torch() -> None:
    code = "import sys, kgrel.baselines.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
