"""In chunks the normaliser equals the plain one, gradients too; sampled it is unbiased and meets it in the limit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from kgrel.model.softmax import draw_proposal, sampled_normaliser, target_logits, weighted_normaliser

OUTPUTS, WORDS, WIDTH = 53, 301, 12
FP32 = 4
TOLERANCE = 1e-5


@pytest.fixture
def inputs() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    draws = {"outputs": (OUTPUTS, WIDTH), "table": (WORDS, WIDTH), "bias": (WORDS,)}
    found = {name: torch.randn(*shape, generator=generator).requires_grad_() for name, shape in draws.items()}
    found["targets"] = torch.randint(WORDS, (OUTPUTS,), generator=generator)
    return found | {"weights": torch.rand(OUTPUTS, generator=generator)}


def plain(inputs: dict[str, Tensor]) -> Tensor:
    log_p = F.log_softmax(F.linear(inputs["outputs"], inputs["table"], inputs["bias"]), dim=-1)
    return inputs["weights"] * log_p[torch.arange(OUTPUTS), inputs["targets"]]


def chunked(inputs: dict[str, Tensor], rows: int) -> Tensor:
    outputs, table, bias, weights = (inputs[name] for name in ("outputs", "table", "bias", "weights"))
    own = target_logits(outputs, table, inputs["targets"], bias)
    return weights * own - weighted_normaliser(outputs, table, weights, bias, budget=rows * WORDS * FP32)


@pytest.mark.parametrize("rows", [1, 7, OUTPUTS, 1000])
@pytest.mark.parametrize("upstream", ["mean", "uneven"])
def test_values_and_gradients_are_those_of_the_whole_logits(
    inputs: dict[str, Tensor], rows: int, upstream: str
) -> None:
    """For a loss that is a multiple of the sum, and for any other."""
    of_values = torch.full((OUTPUTS,), -0.3) if upstream == "mean" else torch.linspace(-1, 2, OUTPUTS)
    learned = [inputs[name] for name in ("outputs", "table", "bias")]
    expected, found = plain(inputs), chunked(inputs, rows)
    torch.testing.assert_close(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
    gradients = (torch.autograd.grad(values, learned, of_values) for values in (found, expected))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE)


def test_without_a_bias_it_is_a_bias_of_zero(inputs: dict[str, Tensor]) -> None:
    outputs, table, weights = (inputs[name] for name in ("outputs", "table", "weights"))
    bare = weighted_normaliser(outputs, table, weights)
    torch.testing.assert_close(bare, weighted_normaliser(outputs, table, weights, torch.zeros(WORDS)))


class Largest(TorchDispatchMode):
    """Remembers the most numbers that any tensor over all words had, other than the table and its gradient."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            if isinstance(tensor, Tensor) and WORDS in tensor.shape and WIDTH not in tensor.shape:
                self.numbers = max(self.numbers, tensor.numel())
        return out


@pytest.mark.parametrize("rows", [1, 7])
def test_no_tensor_of_logits_is_larger_than_the_budget_forward_or_backward(
    inputs: dict[str, Tensor], rows: int
) -> None:
    with Largest() as largest:
        chunked(inputs, rows).sum().backward()
    assert 0 < largest.numbers <= rows * WORDS


def test_under_autocast_it_is_near_the_fp32_values(inputs: dict[str, Tensor]) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        found = chunked(inputs, 7)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, plain(inputs), rtol=0.02, atol=0.05)


def test_large_logits_stay_finite(inputs: dict[str, Tensor]) -> None:
    inputs["outputs"].data *= 1e3
    values = chunked(inputs, 7)
    values.sum().backward()
    assert values.isfinite().all()
    assert all(inputs[name].grad.isfinite().all() for name in ("outputs", "table", "bias"))  # type: ignore[union-attr]


def sampled(inputs: dict[str, Tensor], samples: int, seed: int) -> Tensor:
    frequencies = 1.0 / torch.arange(1, WORDS + 1, dtype=torch.float64)
    draw = draw_proposal(frequencies, samples, torch.Generator().manual_seed(seed))
    own = target_logits(inputs["outputs"], inputs["table"], inputs["targets"])
    return sampled_normaliser(inputs["outputs"], inputs["table"], inputs["targets"], own, draw)


def test_the_sampled_sum_over_words_is_unbiased_and_hits_are_masked(inputs: dict[str, Tensor]) -> None:
    """The mean of many estimates is the sum within five standard errors; counting hits twice would show."""
    inputs = {name: 0.3 * tensor if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}
    inputs["targets"] = inputs["targets"] % 3  # frequent words, often hit
    with torch.no_grad():
        exact = torch.logsumexp(F.linear(inputs["outputs"], inputs["table"]), 1).exp().double()
        estimates = torch.stack([sampled(inputs, 20, seed).exp().double() for seed in range(2000)])
    error = (estimates.mean(0) - exact) / (estimates.std(0) / len(estimates) ** 0.5)
    assert error.abs().max() < 5


def test_the_gradient_of_the_sampled_softmax_meets_the_exact_one_in_the_limit(inputs: dict[str, Tensor]) -> None:
    def gradient(normaliser: Tensor) -> Tensor:
        own = target_logits(inputs["outputs"], inputs["table"], inputs["targets"])
        loss = (own - normaliser).sum()
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, [inputs["outputs"], inputs["table"]])])

    exact = gradient(torch.logsumexp(F.linear(inputs["outputs"], inputs["table"]), 1))
    errors = [
        torch.stack([gradient(sampled(inputs, samples, seed)) - exact for seed in range(8)]).norm() / exact.norm()
        for samples in (100, 1_000, 10_000, 100_000)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1
    assert errors[-1] < 0.15 * errors[0]
