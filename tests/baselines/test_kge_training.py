"""The grouped loss is the plain one over triples, types are kept apart, and a planted structure is learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kgrel.baselines.kge_models import MODELS, EntityRanker
from kgrel.baselines.kge_training import KgeTask, KgeTraining, new_ranker
from kgrel.baselines.triples import AnswerTypes, Triples
from kgrel.data.progress import Silent
from kgrel.train.loop import LoopSettings, train

TRIPLES = Triples(np.array([0, 0, 1, 4, 4]), np.array([0, 0, 1, 1, 0]), np.array([2, 3, 2, 3, 2]))
KINDS = np.array([0, 0, 1, 1, 0])
EVERYTHING = KgeTraining(batch_questions=100, negatives=0, regularisation=0.0, seed=0)
CPU = torch.device("cpu")


def no_validation(ranker: EntityRanker) -> dict[str, float]:
    return {"stop": 0.0}


def plain_loss(ranker: EntityRanker, typed: bool) -> float:
    """Mean over triples and sides of −log softmax, one triple at a time."""
    losses = []
    for head, relation, tail in zip(TRIPLES.heads, TRIPLES.relations, TRIPLES.tails, strict=True):
        for known, answer, tails in ((head, tail, True), (tail, head, False)):
            scores = ranker(torch.tensor([known]), torch.tensor([relation]), torch.tensor([tails]))[0]
            rivals = np.flatnonzero(KINDS[answer] == KINDS) if typed else np.arange(len(KINDS))
            losses.append(torch.logsumexp(scores[rivals], 0) - scores[answer])
    return torch.stack(losses).mean().item()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("typed", [True, False])
def test_the_loss_is_the_mean_over_triples_of_both_sides(name: str, typed: bool) -> None:
    ranker = new_ranker(name, 5, 2, 4, seed=3)
    types = AnswerTypes.of(TRIPLES, KINDS, 2) if typed else None
    task = KgeTask(ranker, TRIPLES, types, EVERYTHING, no_validation)
    assert task.steps_per_epoch == 1
    loss, _ = task.loss(1, task.module, CPU)
    assert loss.item() == pytest.approx(plain_loss(ranker, typed), rel=1e-5)


def test_drawn_negatives_stand_against_the_answers_of_the_batch() -> None:
    """As many draws as leave no entity out give the loss against all of them; fewer give a smaller one."""
    ranker = new_ranker("DistMult", 5, 2, 4, seed=3)
    drawn = KgeTask(ranker, TRIPLES, None, replace(EVERYTHING, negatives=500), no_validation)
    assert drawn.loss(1, drawn.module, CPU)[0].item() == pytest.approx(plain_loss(ranker, False), rel=1e-5)
    few = KgeTask(ranker, TRIPLES.taken(np.array([0])), None, replace(EVERYTHING, negatives=1), no_validation)
    all_ = KgeTask(ranker, TRIPLES.taken(np.array([0])), None, EVERYTHING, no_validation)
    assert few.loss(1, few.module, CPU)[0] < all_.loss(1, all_.module, CPU)[0]


def test_each_question_comes_once_an_epoch_and_the_penalty_is_added() -> None:
    ranker = new_ranker("ComplEx", 5, 2, 4, seed=3)
    task = KgeTask(ranker, TRIPLES, None, replace(EVERYTHING, batch_questions=3), no_validation)
    count, steps = len(task.questions), task.steps_per_epoch
    for epoch in range(2):
        rows = np.concatenate([task.batch(epoch * steps + step) for step in range(1, steps + 1)])
        assert sorted(rows.tolist()) == list(range(count))
    weighted = KgeTask(ranker, TRIPLES, None, replace(EVERYTHING, regularisation=10.0), no_validation)
    plain = KgeTask(ranker, TRIPLES, None, EVERYTHING, no_validation)
    assert weighted.loss(1, weighted.module, CPU)[0] > plain.loss(1, plain.module, CPU)[0]


@pytest.mark.parametrize("name", MODELS)
def test_a_chain_is_learned_by_every_model(name: str) -> None:
    rows = np.arange(11)
    triples = Triples(rows, np.zeros(11, np.int64), rows + 1)
    ranker = new_ranker(name, 12, 1, 16, seed=0)
    task = KgeTask(ranker, triples, None, EVERYTHING, no_validation)
    train(task, LoopSettings(steps=250, learning_rate=0.05, device="cpu"), None, Silent(), "kge")
    with torch.no_grad():
        scores = ranker(torch.from_numpy(rows), torch.zeros(11, dtype=torch.long), torch.ones(11, dtype=torch.bool))
    assert (scores.argmax(1).numpy() == triples.tails).mean() > 0.9


def test_the_seed_decides_the_initial_weights() -> None:
    one, same, other = (new_ranker("RotatE", 5, 2, 4, seed).model.node_emb.weight for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
