"""A pair on both sides is refused in either order; what is shared beside it is counted as a plain loop counts it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.text.corpus import Corpus
from kgrel.train.leakage import leakage_report, refuse_shared_pairs
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
from kgrel.train.settings import PairSettings
from kgrel.train.train_pairs import prepare_pairs


@pytest.mark.parametrize(
    ("heads", "tails", "parts", "message"),
    [
        ([1, 1], [2, 2], [0, 2], "1 pairs stand twice, 1 of them on both sides of the split and 0 in reversed order"),
        ([1, 2], [2, 1], [0, 1], "1 pairs stand twice, 1 of them on both sides of the split and 1 in reversed order"),
        ([5, 1, 1], [6, 2, 2], [0, 2, 2], "1 pairs stand twice, 0 of them on both sides"),
    ],
)
def test_a_pair_that_stands_twice_is_refused(
    heads: list[int], tails: list[int], parts: list[int], message: str
) -> None:
    with pytest.raises(KgrelError, match=message):
        refuse_shared_pairs(np.array(heads), np.array(tails), parts)


def test_distinct_pairs_pass() -> None:
    refuse_shared_pairs(np.array([1, 2, 1]), np.array([2, 3, 3]), [0, 1, 2])
    refuse_shared_pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), [])


def test_the_report_counts_what_a_plain_loop_counts(pair_model: PairModel, corpus: Corpus) -> None:
    data = pair_model.data
    report = leakage_report(data, corpus, np.arange(len(corpus.entities)))
    part_of = {
        frozenset(pair): part
        for *pair, part in zip(data.heads.tolist(), data.tails.tolist(), data.parts.tolist(), strict=True)
    }
    contexts = [corpus.contexts.row(row) for row in range(len(corpus.contexts))]
    parts = [part_of.get(frozenset((context.head, context.tail))) for context in contexts]
    training = [context for context, part in zip(contexts, parts, strict=True) if part == Part.TRAINING]
    sentences, texts = {c.sentence for c in training}, {tuple(c.tokens) for c in training}
    labelled = set(np.flatnonzero(data.label_degrees().any(axis=1)).tolist())
    for part in (Part.VALIDATION, Part.TEST):
        inside = [context for context, its in zip(contexts, parts, strict=True) if its == part]
        rows = data.rows(part)
        ends = [len({data.heads[row], data.tails[row]} & labelled) for row in rows.tolist()]
        assert report[part.name.lower()] == {
            "pairs": len(rows),
            "pairs_in_training": 0,
            "entities_with_training_label": {"both": ends.count(2), "one": ends.count(1), "none": ends.count(0)},
            "contexts": len(inside),
            "contexts_in_sentences_of_training_pairs": sum(c.sentence in sentences for c in inside),
            "contexts_word_for_word_in_training": sum(tuple(c.tokens) in texts for c in inside),
        }
        assert len(inside) > 0


def test_train_pairs_tells_it_and_cold_entities_have_no_label(
    pair_model: PairModel, corpus: Corpus, world_files: dict[str, Path]
) -> None:
    assert pair_model.artifact is not None
    assert pair_model.artifact.manifest.summary["leakage"]["test"]["pairs_in_training"] == 0
    settings: PairSettings = dataclasses.replace(pair_model.settings, split="entity-cold")
    prepared = prepare_pairs(corpus.entities, corpus, world_files["relations.tsv"], settings)
    shares = prepared.summary["leakage"]["test"]["entities_with_training_label"]
    assert shares["both"] == 0
    assert shares["one"] > 0
