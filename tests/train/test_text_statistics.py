"""Text statistics by their definition, and from training through the artifact to scores."""

from __future__ import annotations

import dataclasses
from collections import Counter
from math import log
from pathlib import Path

import numpy as np
import pytest
import torch

from kgrel.data.artifact import Artifact
from kgrel.model.representation import Representation
from kgrel.score.stream import score_file
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import new_classifier
from kgrel.train.settings import PairSettings
from kgrel.train.text_statistics import TextStatistics
from kgrel.train.train_pairs import train_pairs
from tests.train.stopping import StopAt

COUNTED = np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([3, 1, 4])


def test_features_are_their_definition_in_either_order() -> None:
    statistics = TextStatistics(COUNTED, entities=4)
    counts = Counter({(0, 1): 3, (0, 2): 1, (1, 2): 4})
    single = {0: 4, 1: 7, 2: 5}
    for (first, second), count in counts.items():
        npmi = log((count / 8) / (single[first] * single[second] / 64)) / -log(count / 8)
        for heads, tails in (([first], [second]), ([second], [first])):
            found = statistics.features(np.array(heads), np.array(tails))
            assert found[0].tolist() == pytest.approx([log(1 + count), npmi, 0.0], rel=1e-5)
    assert statistics.features(np.array([3]), np.array([0])).tolist() == [[0.0, 0.0, 1.0]]


def test_a_statistic_that_training_never_saw_vary_has_no_effect() -> None:
    settings = PairSettings(text_statistics=True, hidden=7)
    classifier = new_classifier(5, 2, settings)
    z = torch.randn(4, 5)
    alone, flagged = (torch.cat([z, torch.full((4, 3), value)], dim=1) for value in (0.0, 1.0))
    assert torch.equal(classifier(alone), classifier(flagged))


@pytest.fixture(scope="module")
def with_text(
    representation_path: Path,
    corpus: Corpus,
    world_files: dict[str, Path],
    pairs_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Artifact:
    settings = dataclasses.replace(PairModel.open(pairs_path).settings, text_statistics=True, negatives="hard")
    representation, out = Representation.open(representation_path), tmp_path_factory.mktemp("text") / "pairs"
    return train_pairs(representation, corpus, world_files["relations.tsv"], out, settings)


def test_what_was_written_predicts_by_the_counts_that_it_holds(with_text: Artifact) -> None:
    model = PairModel.open(with_text.path)
    rows = model.data.rows(Part.VALIDATION)
    heads, tails = model.data.heads[rows], model.data.tails[rows]
    mean, _ = model.predict(heads, tails)
    assert np.array_equal(mean, model.predict(tails, heads)[0])
    assert np.array_equal(mean, model.predict_with_uncertainty(heads, tails).mean)
    first, second, counts = model.comentions
    other = dataclasses.replace(model, comentions=(first, second, counts + 9))
    assert not np.allclose(mean, other.predict(heads, tails)[0])


def test_score_pairs_gives_what_predict_gives(with_text: Artifact, tmp_path: Path) -> None:
    model = PairModel.open(with_text.path)
    rows = model.data.rows(Part.TEST)[:40]
    heads, tails, table = model.data.heads[rows], model.data.tails[rows], model.entities
    lines = ["source,source_type,target,target_type"]
    named = [",".join((table.ids[row], table.types[row])) for row in range(len(table))]
    lines += [f"{named[head]},{named[tail]}" for head, tail in zip(heads, tails, strict=True)]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    score_file(model, tmp_path / "in.csv", tmp_path / "out.csv")
    header, *out = (tmp_path / "out.csv").read_text().splitlines()
    scores = [float(line.split(",")[header.split(",").index("score")]) for line in out]
    best = np.where(model.possible(heads, tails), model.predict(heads, tails)[0], -1.0).max(axis=1)
    assert scores == pytest.approx(best.tolist(), abs=1e-6)


def test_a_run_that_was_cut_gives_the_same_bytes_with_hard_negatives_too(
    with_text: Artifact, representation_path: Path, corpus: Corpus, world_files: dict[str, Path], tmp_path: Path
) -> None:
    out, settings = tmp_path / "pairs", PairModel.open(with_text.path).settings
    representation, relations = Representation.open(representation_path), world_files["relations.tsv"]
    with pytest.raises(SystemExit):
        train_pairs(representation, corpus, relations, out, settings, progress=StopAt(33))
    train_pairs(representation, corpus, relations, out, settings)
    assert (out / "manifest.json").read_bytes() == (with_text.path / "manifest.json").read_bytes()
