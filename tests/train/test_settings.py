"""Settings that cannot work are refused by name before anything is computed; recipes are the paper's."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from kgrel.data.errors import KgrelError
from kgrel.data.settings import descriptions, from_json, to_json
from kgrel.train.settings import PAIR_RECIPES, PRETRAIN_RECIPES, PairSettings, PretrainSettings, SplitSettings

STAGES = [PretrainSettings, PairSettings]
WRONG: list[tuple[type, str, Any]] = [
    (PretrainSettings, "batch_size", 0),
    (PretrainSettings, "samples", 0),
    (PretrainSettings, "steps", -1),
    (PretrainSettings, "validate_every", 0),
    (PretrainSettings, "checkpoint_every", 0),
    (PretrainSettings, "learning_rate", math.nan),
    (PretrainSettings, "learning_rate", 0.0),
    (PretrainSettings, "bag_smoothing", 0.0),
    (PretrainSettings, "token_dropout", 1.0),
    (PretrainSettings, "validation_share", 1.0),
    (PretrainSettings, "kl_steps", -1),
    (PretrainSettings, "decoder_weight", -0.5),
    (PretrainSettings, "seed", -1),
    (PairSettings, "batch_negatives", 0),
    (PairSettings, "batch_negatives", 512),
    (PairSettings, "samples", 0),
    (PairSettings, "prediction_samples", 0),
    (PairSettings, "hidden", -1),
    (PairSettings, "patience", -1),
    (PairSettings, "validation_share", -0.1),
    (PairSettings, "test_share", 1.0),
    (PairSettings, "negatives_per_positive", 0.0),
    (PairSettings, "weight_decay", -1.0),
    (PairSettings, "seed", -1),
]


@pytest.mark.parametrize(("stage", "name", "value"), WRONG)
def test_a_value_out_of_range_is_refused_by_name(stage: type, name: str, value: object) -> None:
    with pytest.raises(KgrelError, match=rf"{name} must be .*, not {re.escape(str(value))}"):
        stage(**{name: value})


def test_an_objective_without_any_term_is_refused() -> None:
    with pytest.raises(KgrelError, match="decoder_weight and bag_weight are both 0"):
        PretrainSettings(decoder_weight=0.0, bag_weight=0.0)


@pytest.mark.parametrize("stage", STAGES)
def test_every_attribute_has_a_description(stage: type) -> None:
    assert descriptions(stage).keys() == {field.name for field in fields(stage)}


@pytest.mark.parametrize("settings", [*PRETRAIN_RECIPES.values(), *PAIR_RECIPES.values()])
def test_settings_survive_json(settings: PretrainSettings | PairSettings) -> None:
    assert from_json(type(settings), to_json(settings)) == settings


def test_the_pretraining_recipe_of_the_paper() -> None:
    paper = PRETRAIN_RECIPES["paper"]
    assert (paper.steps, paper.batch_size, paper.samples, paper.learning_rate) == (400_000, 192, 1, 1e-4)
    assert (paper.kl_steps, paper.token_dropout) == (10_000, 0.5)
    assert (paper.decoder_weight, paper.bag_weight, paper.posterior) == (1.0, 0.0, "recogniser")


def test_the_pair_recipe_of_the_paper() -> None:
    paper = PAIR_RECIPES["paper"]
    assert (paper.steps, paper.batch_size, paper.batch_negatives, paper.samples) == (100_000, 512, 448, 4)
    assert (paper.learning_rate, paper.patience, paper.pairs) == (1e-4, 0, "co-mentioned")


@pytest.mark.parametrize(
    ("values", "latent"),
    [
        ({}, "gaussian"),
        ({"latent": "mixture"}, "mixture"),
        ({"latent": "point"}, "point"),
        ({"latents": 2}, "mixture"),
        ({"posterior": "recogniser"}, "mixture"),
        ({"posterior": "weighted", "samples": 2}, "mixture"),
    ],
)
def test_a_mixture_is_learned_where_u_can_be_more_than_noise(values: dict[str, Any], latent: str) -> None:
    assert PretrainSettings(**values).latent_in_use == latent


def test_one_sample_cannot_be_weighed() -> None:
    with pytest.raises(KgrelError, match="posterior weighted weighs the samples of a context; use samples 2 or more"):
        PretrainSettings(posterior="weighted")


def test_settings_load_no_torch() -> None:
    code = "import sys, kgrel.train.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pairs": "any", "split": "unseen"}, "leave out --pairs any"),
        ({"split": "date"}, "--split date needs --dates"),
        ({"dates": "dates.tsv"}, "and no other does"),
        ({"held_out_positives": 0}, "held_out_positives must be at least 1"),
    ],
)
def test_splits_that_contradict_themselves_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(KgrelError, match=message):
        SplitSettings(**values)
