"""A combination is a scorer like its members, which it carries within it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.baselines.baseline import train_baseline
from kgrel.baselines.degree import Degree
from kgrel.baselines.settings import DegreeSettings
from kgrel.data.errors import ArtifactError
from kgrel.metrics.classification import best
from kgrel.score.combine import combine_pairs
from kgrel.score.combined import Combined, scaled
from kgrel.score.settings import CombineSettings
from kgrel.text.corpus import Corpus
from kgrel.train.pair_artifact import Scale
from kgrel.train.pair_data import Part
from tests.data.test_damaged_artifacts import forge


@pytest.fixture(scope="module")
def combined_path(
    corpus_path: Path, pairs_path: Path, world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("combined")
    train_baseline(Degree, Corpus.open(corpus_path), world_files["relations.tsv"], out / "degree", DegreeSettings())
    combine_pairs([pairs_path, out / "degree"], out / "combined", CombineSettings(folds=2, least=1))
    return out / "combined"


@pytest.fixture
def combined(combined_path: Path) -> Combined:
    return Combined.open(combined_path)


def some_pairs(model: Combined) -> tuple[np.ndarray, np.ndarray]:
    heads, tails = np.random.default_rng(0).integers(0, len(model.entities), (2, 400))
    kept = (heads != tails) & model.possible(heads, tails).any(axis=1)
    return heads[kept], tails[kept]


def test_what_is_opened_scores_as_what_was_made(combined: Combined) -> None:
    assert combined.title == "kgrel + label-degree product"
    heads, tails = some_pairs(combined)
    scores, spread = combined.predict(heads, tails)
    assert scores.shape == spread.shape == (len(heads), len(combined.classes))
    possible = combined.possible(heads, tails)
    assert ((scores > 0) & (scores < 1))[possible].all()
    assert not scores[~possible].any()
    np.testing.assert_allclose(combined.predict(tails, heads)[0], scores, rtol=1e-5, atol=1e-7)
    assert np.array_equal(combined.quick(heads, tails), np.where(possible, scores, -np.inf).max(axis=1))
    assert combined.predict(heads[:0], tails[:0])[0].shape == (0, len(combined.classes))
    rows = np.arange(5)
    np.testing.assert_allclose(combined.predict(heads[rows], tails[rows])[0], scores[rows], rtol=1e-5, atol=1e-7)


def test_its_scores_are_the_probabilities_of_pairs_like_those_that_fitted_it(combined: Combined) -> None:
    data, classes = combined.data, np.arange(len(combined.classes))
    rows = data.rows(Part.VALIDATION)
    covered, seen = combined.covered(data.heads[rows], data.tails[rows]), data.contexts[rows] > 0
    counts = [np.bincount(data.labels[rows[seen & covered[:, c]], c], minlength=2).min() for c in classes]
    fitted = [name for name, count in zip(combined.classes, counts, strict=True) if count >= combined.settings.least]
    assert 0 < len(fitted) < len(classes)
    heads, tails = some_pairs(combined)
    best_of, scores = best(combined.predict(heads, tails)[0], combined.possible(heads, tails))
    found, reasons = combined.probabilities(heads, tails, best_of, scores, {})
    names = np.array(combined.classes)[best_of]
    told = np.isin(names, fitted) & combined.covered(heads, tails)[np.arange(len(heads)), best_of]
    told &= combined.contexts(heads, tails) > 0
    assert told.any()
    assert np.array_equal(~np.isnan(found), told)
    assert np.array_equal(reasons == "calibrated", told)
    assert np.array_equal(found[told], scores[told])
    rarer, _ = combined.probabilities(heads, tails, best_of, scores, dict.fromkeys(combined.classes, 0.001))
    assert (rarer[told] < found[told]).all()


def test_the_spread_is_that_of_the_members_carried_through(combined: Combined) -> None:
    """To first order: a step of the first member by its own spread moves the score by the spread that is told."""
    heads, tails = some_pairs(combined)
    member = combined.members[0]

    class Stepped:
        title = member.title

        def predict(self, heads: np.ndarray, tails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            mean, std = member.predict(heads, tails)
            return mean + 1e-3 * std, std

    moved: Any = dataclasses.replace(combined, members=[Stepped(), combined.members[1]])  # type: ignore[list-item]
    scores, spread = combined.predict(heads, tails)
    steps = np.abs(moved.predict(heads, tails)[0] - scores) / 1e-3
    np.testing.assert_allclose(steps, spread, rtol=0.02, atol=1e-6)
    assert spread.max() > 0


@pytest.mark.parametrize("scale", ["probability", "count", "logit"])
def test_scales_keep_the_order_and_are_finite_at_the_ends(scale: Scale) -> None:
    scores = np.linspace(0, 1, 101)
    values, spread = scaled(scores, np.ones(101), scale)
    assert np.isfinite(values).all()
    assert (np.diff(values) > 0).all()
    assert (spread > 0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lines": []}, "fit neither classes nor members"),
        ({"members": []}, "fit neither classes nor members"),
        ({"members": [{"scale": "percent"}] * 2}, "no scale of scores"),
        ({"lines": [{"intercept": "1e999", "weights": [0.0] * 5}] * 4}, "a weight is not finite"),
    ],
)
def test_a_forged_regression_is_refused(
    change: dict[str, Any], words: str, combined_path: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(combined_path, tmp_path / "copy"))
    model = json.loads((path / "model.json").read_text())
    forge(path, "model.json", json.dumps(model | change).encode())
    with pytest.raises(ArtifactError, match=words):
        Combined.open(path)
