"""Scores of pairs are the expected numbers of edges, and a planted structure is found from the labels alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from kgrel.baselines.kge import PairScores, label_triples, name_of, task_of, tried
from kgrel.baselines.kge_models import EntityRanker
from kgrel.baselines.kge_training import new_ranker
from kgrel.baselines.settings import KgeSettings
from kgrel.data.progress import Silent
from kgrel.metrics.classification import average_precision, best
from kgrel.train.loop import train
from kgrel.train.pair_data import PairData, Part

SEARCHED = KgeSettings(dimensions=64, regularisation=0.1)
SETTINGS = KgeSettings(dimensions=16, epochs=30, validate_epochs=5, search=False, batch_questions=32, device="cpu")


def fitted(data: PairData, settings: KgeSettings) -> tuple[EntityRanker, float]:
    """A trained ranker and its average precision on the validation pairs."""
    task, loop = task_of(data, settings)
    state = train(task, loop, None, Silent(), "test")
    return task.module.ranker, state.best


def test_a_training_label_is_an_edge_from_the_first_type_and_a_twin_one_in_both_directions(data: PairData) -> None:
    triples = label_triples(data)
    expected = set()
    for row in data.rows(Part.TRAINING, positive=True).tolist():
        ends = sorted((data.heads[row], data.tails[row]), key=lambda entity: data.type_rows[entity])
        for class_ in np.flatnonzero(data.labels[row]).tolist():
            expected.add((ends[0], class_, ends[1]))
            if data.type_rows[ends[0]] == data.type_rows[ends[1]]:
                expected.add((ends[1], class_, ends[0]))
    found = list(zip(triples.heads.tolist(), triples.relations.tolist(), triples.tails.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize("name", ["ComplEx", "TransE"])
@torch.no_grad()
def test_a_score_is_the_mean_log_of_the_expected_number_of_edges(data: PairData, name: str) -> None:
    ranker, triples = new_ranker(name, len(data.type_rows), 2, 8, seed=0), label_triples(data)
    scores = PairScores(ranker, data)
    kinds = data.type_rows

    def expected_edges(known: int, answer: int, relation: int, tails: bool) -> float:
        ask = torch.tensor([known]), torch.tensor([relation]), torch.tensor([tails])
        rivals = np.flatnonzero(kinds == kinds[answer])  # DISEASE-GENE and GENE-GENE: one type on each side
        log_p = ranker(*ask)[0][rivals].double().log_softmax(0)[rivals == answer]
        anchors = triples.heads if tails else triples.tails
        return math.log(1 + ((anchors == known) & (triples.relations == relation)).sum()) + float(log_p)

    def directed(head: int, tail: int, relation: int) -> float:
        one, other = expected_edges(head, tail, relation, True), expected_edges(tail, head, relation, False)
        return (one + other) / 2

    disease, gene, other = 0, 1, 3
    mixed = scores(np.array([gene, disease]), np.array([disease, gene]))
    assert mixed[:, 0].tolist() == pytest.approx([directed(disease, gene, 0)] * 2, rel=1e-4)
    assert mixed[:, 1].tolist() == [0, 0]  # impossible for the types
    twins = scores(np.array([gene]), np.array([other]))
    assert twins[0, 1] == pytest.approx((directed(gene, other, 1) + directed(other, gene, 1)) / 2, rel=1e-4)


def ranking(data: PairData, scores: np.ndarray, rows: np.ndarray) -> float:
    found = average_precision(data.positive[rows], best(scores, data.possible(rows))[1])
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["DistMult", "ComplEx", "RotatE"])
def test_a_planted_block_structure_is_found_on_pairs_never_trained_on(
    data: PairData, test_rows: np.ndarray, name: str
) -> None:
    ranker, validated = fitted(data, replace(SETTINGS, model=name))  # type: ignore[arg-type]
    scores = PairScores(ranker, data)
    assert ranking(data, scores(data.heads[test_rows], data.tails[test_rows]), test_rows) > 0.6
    assert data.positive[test_rows].mean() < 0.3
    rows = data.rows(Part.VALIDATION)
    assert ranking(data, scores(data.heads[rows], data.tails[rows]), rows) == pytest.approx(validated)


def test_a_class_without_a_training_label_is_unlikelier_than_the_others(data: PairData) -> None:
    """Two classes for the same pairs, of which only the first has training labels."""
    allowed = np.repeat(data.classes.allowed.any(axis=2, keepdims=True), 2, axis=2)
    labels = np.stack([data.positive, np.zeros(len(data), np.bool_)], axis=1)
    doubled = replace(data, classes=replace(data.classes, allowed=allowed), labels=labels)
    ranker, _ = fitted(doubled, SETTINGS)
    scores = PairScores(ranker, doubled)(doubled.heads, doubled.tails)
    listed = doubled.positive
    assert (scores[listed, 1] < scores[listed, 0]).mean() > 0.95
    assert scores[:, 1].max() < 0


def test_held_out_labels_never_train(data: PairData) -> None:
    def flipped(part: Part) -> PairData:
        rows, labels = data.rows(part), data.labels.copy()
        labels[rows] = data.possible(rows) & ~labels[rows]
        return replace(data, labels=labels)

    short = replace(SETTINGS, epochs=2, validate_epochs=2)
    expected = fitted(data, short)[0].model.node_emb.weight
    assert torch.equal(fitted(flipped(Part.TEST), short)[0].model.node_emb.weight, expected)
    assert torch.equal(fitted(flipped(Part.VALIDATION), short)[0].model.node_emb.weight, expected)
    assert not torch.equal(fitted(flipped(Part.TRAINING), short)[0].model.node_emb.weight, expected)


def test_the_search_stays_near_the_given_settings() -> None:
    assert tried(SETTINGS) == [SETTINGS]
    bilinear, distance = (tried(replace(SEARCHED, model=model)) for model in ("DistMult", "RotatE"))
    assert [(one.dimensions, one.regularisation) for one in bilinear] == [(64, 0.1), (64, 0.3), (128, 0.1), (128, 0.3)]
    assert {one.learning_rate for one in distance} == {0.01, 0.01 / 3}
    few = tried(replace(SEARCHED, model="DistMult", search_dimensions=False))
    assert [name_of(one) for one in few] == [name_of(one) for one in bilinear[:2]]
    for found in (bilinear, distance):
        assert len({name_of(one) for one in found}) == len(found)
