"""The probe gauges a representation on validation pairs, and sees no test pair."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from kgrel.data.artifact import LOG
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train import probe as probing
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
from kgrel.train.pretrain import pretrain
from kgrel.train.probe import PairProbe
from kgrel.train.settings import PairSettings, PretrainSettings


@pytest.fixture
def probe(
    corpus: Corpus, world_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, pair_model: PairModel
) -> PairProbe:
    """A short probe with the seed of the session's pair model."""
    monkeypatch.setitem(probing.PROBE, "steps", 40)
    monkeypatch.setitem(probing.PROBE, "validate_every", 10)
    settings = PairSettings(batch_size=64, batch_negatives=32, seed=pair_model.settings.seed, device="cpu")
    return PairProbe(corpus, world_files["relations.tsv"], settings)


def test_the_probe_splits_as_train_pairs_does(probe: PairProbe, pairs_path: Path, representation_path: Path) -> None:
    probe(Representation.open(representation_path))
    data = PairModel.open(pairs_path).data
    assert probe._data is not None
    assert np.array_equal(probe._data.parts, data.parts)
    assert np.array_equal(probe._data.labels, data.labels)


def test_the_labels_of_test_pairs_change_nothing(probe: PairProbe, representation_path: Path) -> None:
    representation = Representation.open(representation_path)
    before = probe(representation)
    data = probe._data
    assert data is not None
    labels = data.labels.copy()
    tests = data.rows(Part.TEST)
    labels[tests] = ~labels[tests] & data.possible(tests)
    probe._data = dataclasses.replace(data, labels=labels)
    assert probe(representation) == before


def test_the_labels_of_validation_pairs_do_change_the_figure(probe: PairProbe, representation_path: Path) -> None:
    representation = Representation.open(representation_path)
    before = probe(representation)
    data = probe._data
    assert data is not None
    labels = data.labels.copy()
    rows = data.rows(Part.VALIDATION)
    labels[rows] = np.roll(labels[rows], 1, axis=0) & data.possible(rows)
    probe._data = dataclasses.replace(data, labels=labels)
    assert probe(representation) != before


def test_the_base_rate_is_that_of_the_validation_pairs(probe: PairProbe, representation_path: Path) -> None:
    figures = probe(Representation.open(representation_path))
    data = probe._data
    assert data is not None
    assert figures["base_rate"] == data.positive[data.parts == Part.VALIDATION].mean()
    assert 0 < figures["average_precision"] <= 1


def test_probing_changes_neither_the_representation_nor_its_training(
    probe: PairProbe, corpus: Corpus, tiny_settings: PretrainSettings, representation_path: Path, tmp_path: Path
) -> None:
    artifact = pretrain(corpus, tmp_path / "repr", dataclasses.replace(tiny_settings, probe_every=15), probe=probe)
    unprobed = Representation.open(representation_path).artifact
    assert unprobed is not None
    assert artifact.manifest.files == unprobed.manifest.files


def test_the_log_has_the_probe_when_it_is_due_and_at_the_end(
    probe: PairProbe, corpus: Corpus, tiny_settings: PretrainSettings, tmp_path: Path
) -> None:
    settings = dataclasses.replace(tiny_settings, steps=7, validate_every=2, probe_every=4)
    artifact = pretrain(corpus, tmp_path / "repr", settings, probe=probe)
    lines = [json.loads(line) for line in (tmp_path / "repr" / LOG).read_text().splitlines()]
    assert {line["step"]: "probe_average_precision" in line for line in lines} == {2: False, 4: True, 6: False, 7: True}
    assert artifact.manifest.summary["probe_average_precision"] == lines[-1]["probe_average_precision"]
