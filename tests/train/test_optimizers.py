"""Sparse gradients move the rows of a batch alone and clip like dense ones; the learning rate keeps its schedule."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from kgrel.data.errors import NonFiniteError
from kgrel.train.optimizers import clip_gradients, gradient_values, make_optimizers, scheduled


class Tables(nn.Module):
    """An embedding table and a layer."""

    def __init__(self, sparse: bool) -> None:
        super().__init__()
        self.table, self.layer = nn.Embedding(50, 4, sparse=sparse), nn.Linear(4, 1)

    def forward(self, rows: Tensor) -> Tensor:
        loss: Tensor = (self.layer(self.table(rows)) - 1.0).square().sum()
        return loss


@pytest.fixture
def pair() -> tuple[Tables, Tables]:
    """The same weights with dense and with sparse gradients."""
    torch.manual_seed(0)
    dense = Tables(sparse=False)
    sparse = copy.deepcopy(dense)
    sparse.table.sparse = True
    return dense, sparse


def step(module: Tables, optimizers: list[torch.optim.Optimizer], rows: Tensor, clip: float = 0.0) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad()
    module(rows).backward()
    clip_gradients(module, clip, 1)
    for optimizer in optimizers:
        optimizer.step()


def test_a_sparse_table_moves_in_the_rows_of_the_batch_alone(pair: tuple[Tables, Tables]) -> None:
    _, sparse = pair
    optimizers, before = make_optimizers(sparse, 0.1, 0.0), sparse.table.weight.clone()
    for rows in (torch.tensor([3, 3, 9]), torch.tensor([7])):
        step(sparse, optimizers, rows)
    moved = (sparse.table.weight != before).any(1).nonzero().flatten().tolist()
    assert moved == [3, 7, 9]
    assert sorted(type(o).__name__ for o in optimizers) == ["AdamW", "SparseAdam"]


def test_a_first_step_is_the_same_with_sparse_and_with_dense_gradients(pair: tuple[Tables, Tables]) -> None:
    for module in pair:
        step(module, make_optimizers(module, 0.1, 0.0), torch.tensor([3, 3, 9]), clip=0.5)
    dense, sparse = pair
    torch.testing.assert_close(sparse.table.weight, dense.table.weight)
    torch.testing.assert_close(sparse.layer.weight, dense.layer.weight)


@pytest.mark.parametrize("limit", [0.0, 0.01, 1e6])
def test_clipping_is_torchs_own(pair: tuple[Tables, Tables], limit: float) -> None:
    dense, sparse = pair
    for module in pair:
        module(torch.tensor([3, 3, 9])).backward()
        clip_gradients(module, limit, 1)
    reference = copy.deepcopy(dense)
    reference.zero_grad()
    reference(torch.tensor([3, 3, 9])).backward()
    nn.utils.clip_grad_norm_(reference.parameters(), limit or float("inf"))
    for ours, theirs in zip(dense.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
    values = gradient_values(sparse.table.weight)  # type: ignore[arg-type]
    torch.testing.assert_close(values, reference.table.weight.grad[[3, 9]])  # type: ignore[index]


def test_a_sparse_gradient_that_is_not_finite_is_named(pair: tuple[Tables, Tables]) -> None:
    _, sparse = pair
    sparse.table.weight.data[9] = torch.nan
    sparse(torch.tensor([3, 9])).backward()
    with pytest.raises(NonFiniteError, match=r"step 4: the gradient of table\.weight, layer\.weight"):
        clip_gradients(sparse, 1.0, 4)


def test_the_learning_rate_rises_linearly_and_falls_along_half_a_cosine() -> None:
    rates = [scheduled(0.1, step, 100, 10, "cosine") for step in range(1, 101)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[:10] == sorted(set(rates[:10]))
    assert rates[9:] == sorted(set(rates[9:]), reverse=True)
    assert rates[50] == pytest.approx(0.05)
    assert 0 < rates[-1] < 0.001


def test_a_constant_learning_rate_stays_after_the_warm_up() -> None:
    rates = [scheduled(0.1, step, 100, 4, "constant") for step in (1, 2, 4, 5, 100)]
    assert rates == pytest.approx([0.025, 0.05, 0.1, 0.1, 0.1])
