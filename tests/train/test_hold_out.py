"""A corpus that holds pairs out has no context of them, and everything else as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.text.corpus import Corpus
from kgrel.text.evidence import EvidenceIndex
from kgrel.train.hold_out import hold_out_pairs, read_held_out
from kgrel.train.matching import Cells
from kgrel.train.pair_data import Part
from kgrel.train.settings import HoldOutSettings, SplitSettings
from kgrel.train.splits import labelled
from kgrel.train.train_pairs import prepare_pairs

SETTINGS = HoldOutSettings(positives=20, seed=4)


@pytest.fixture(scope="module")
def held_out(corpus: Corpus, world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    out = tmp_path_factory.mktemp("held-out") / "corpus"
    hold_out_pairs(corpus, world_files["relations.tsv"], out, SETTINGS)
    return Corpus.open(out)


def test_no_context_of_a_held_out_pair_is_left_and_all_others_are(corpus: Corpus, held_out: Corpus) -> None:
    pairs = read_held_out(held_out)
    assert pairs is not None
    gone = {frozenset(pair) for pair in zip(pairs.heads.tolist(), pairs.tails.tolist(), strict=True)}
    expected = [corpus.contexts.row(row) for row in range(len(corpus.contexts))]
    expected = [context for context in expected if frozenset((context.head, context.tail)) not in gone]
    assert [held_out.contexts.row(row) for row in range(len(held_out.contexts))] == expected
    assert not held_out.pairs.lookup(pairs.heads, pairs.tails).any()
    assert corpus.pairs.lookup(pairs.heads, pairs.tails).all()
    assert held_out.entities == corpus.entities
    assert held_out.words == corpus.words
    summary = held_out.artifact.manifest.summary
    assert summary["contexts"] + summary["contexts_removed"] == len(corpus.contexts)
    assert EvidenceIndex.of(held_out).rows.tolist() == sorted(
        range(len(expected)), key=lambda row: (*sorted(expected[row][:2]), row)
    )


def test_held_out_pairs_validate_and_test_with_unlisted_ones_like_them(
    held_out: Corpus, world_files: dict[str, Path]
) -> None:
    settings = SplitSettings(split="removed")
    data = prepare_pairs(held_out.entities, held_out, world_files["relations.tsv"], settings).data
    cells = Cells.of(data.classes, data.type_rows, data.label_degrees())
    for part in (Part.VALIDATION, Part.TEST):
        positives, others = data.rows(part, True), data.rows(part, False)
        assert len(positives) == 10
        assert 1 <= len(others) <= data.labels[positives].sum()
        wanted = set(cells.of_pairs(*labelled(data, positives)).tolist())
        for row in others.tolist():
            classes = np.flatnonzero(data.possible(np.array([row]))[0])
            pair = np.full(len(classes), data.heads[row]), np.full(len(classes), data.tails[row])
            assert wanted & set(cells.of_pairs(*pair, classes).tolist())
        assert not data.contexts[data.rows(part)].any()


def test_other_splits_of_such_a_corpus_know_nothing_of_the_held_out_pairs(
    held_out: Corpus, world_files: dict[str, Path]
) -> None:
    data = prepare_pairs(held_out.entities, held_out, world_files["relations.tsv"], SplitSettings()).data
    assert data.contexts.all()


def test_what_cannot_be_held_out_is_refused(
    corpus: Corpus, held_out: Corpus, world_files: dict[str, Path], tmp_path: Path
) -> None:
    relations = world_files["relations.tsv"]
    with pytest.raises(KgrelError, match="holds pairs out already; start from the whole corpus"):
        hold_out_pairs(held_out, relations, tmp_path / "again", SETTINGS)
    with pytest.raises(KgrelError, match="hold out at most half of them with --positives"):
        hold_out_pairs(corpus, relations, tmp_path / "many", HoldOutSettings(positives=10_000))
    with pytest.raises(KgrelError, match="needs a corpus of kgrel hold-out-pairs"):
        prepare_pairs(corpus.entities, corpus, relations, SplitSettings(split="removed"))
