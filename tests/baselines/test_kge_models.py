"""One query against all entities gives the scores of torch-geometric's own models, from both sides."""

from __future__ import annotations

import pytest
import torch

from kgrel.baselines.kge_models import BILINEAR, MODELS, EntityRanker

ENTITIES, RELATIONS, DIMENSIONS = 9, 3, 6


def ranker_of(name: str) -> EntityRanker:
    torch.manual_seed(1)
    return EntityRanker(name, ENTITIES, RELATIONS, DIMENSIONS).eval()


def every_triple() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    heads, relations, tails = torch.cartesian_prod(*map(torch.arange, (ENTITIES, RELATIONS, ENTITIES))).T
    return heads, relations, tails


@torch.no_grad()
def library_scores(ranker: EntityRanker) -> torch.Tensor:
    """Similarity of each triple by torch-geometric's ``forward``, without its margin: (E, R, E)."""
    scores = ranker.model(*every_triple())
    if ranker.name not in BILINEAR:
        scores = (scores - getattr(ranker.model, "margin", 0) * (ranker.name == "RotatE")) * ranker.log_scale.exp()
    return scores.reshape(ENTITIES, RELATIONS, ENTITIES)


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_queries_of_both_sides_give_the_score_of_the_library(name: str) -> None:
    ranker = ranker_of(name)
    expected = library_scores(ranker)
    known, relations = torch.cartesian_prod(torch.arange(ENTITIES), torch.arange(RELATIONS)).T
    shape = (ENTITIES, RELATIONS, ENTITIES)
    for_tails = ranker(known, relations, torch.ones(len(known), dtype=torch.bool)).reshape(shape)
    for_heads = ranker(known, relations, torch.zeros(len(known), dtype=torch.bool)).reshape(shape)
    torch.testing.assert_close(for_tails, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(for_heads, expected.permute(2, 1, 0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ranker.pairs(*every_triple()).reshape(shape), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_mixed_sides_and_chosen_columns_are_parts_of_the_whole(name: str) -> None:
    ranker, columns = ranker_of(name), torch.tensor([7, 0, 3])
    known, relations = torch.tensor([0, 5, 5, 8]), torch.tensor([0, 1, 1, 2])
    tails = torch.tensor([True, False, True, False])
    whole = ranker(known, relations, tails)
    torch.testing.assert_close(ranker(known, relations, tails, columns), whole[:, columns], rtol=1e-4, atol=1e-4)
    for row in range(4):
        alone = ranker(known[row : row + 1], relations[row : row + 1], tails[row : row + 1])
        torch.testing.assert_close(alone[0], whole[row], rtol=1e-4, atol=1e-4)


def test_the_penalty_is_the_mean_sum_of_cubed_moduli() -> None:
    entities, relations = torch.tensor([0, 3, 3]), torch.tensor([1])
    distmult, complex_ = ranker_of("DistMult"), ranker_of("ComplEx")
    for ranker in (distmult, complex_):
        tables = [ranker.model.node_emb, ranker.model.rel_emb]
        vectors = [table.weight.abs() for table in tables]
        if ranker is complex_:
            others = [ranker.model.node_emb_im, ranker.model.rel_emb_im]
            vectors = [torch.hypot(a.weight, b.weight) for a, b in zip(tables, others, strict=True)]
        expected = vectors[0][entities].pow(3).sum(1).mean() + vectors[1][relations].pow(3).sum(1).mean()
        torch.testing.assert_close(ranker.nuclear_norm(entities, relations), expected, rtol=1e-4, atol=1e-6)
    assert ranker_of("TransE").nuclear_norm(entities, relations) == 0


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_finite_where_query_and_answer_coincide(name: str) -> None:
    ranker = ranker_of(name)
    with torch.no_grad():
        for parameter in ranker.model.parameters():
            parameter.zero_()
    scores = ranker(torch.tensor([0]), torch.tensor([0]), torch.tensor([True]))
    (scores.sum() + ranker.nuclear_norm(torch.tensor([0]), torch.tensor([0]))).backward()
    for parameter in ranker.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()
