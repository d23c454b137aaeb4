"""log p(v|h) = h·e(v) + b(v) − lse(h) over a large vocabulary: the normaliser in chunks, or estimated from a sample.

N outputs against V words would need N·V logits, forward and again backward. Here they exist for a chunk of outputs at
a time, and the gradient of a chunk is taken while its logits are there. With p_iv = exp(h_i·e(v) + b(v) − lse_i):

    ∂/∂h_i Σ w_i lse_i = w_i Σ_v p_iv e(v)        ∂/∂e(v) Σ w_i lse_i = Σ_i w_i p_iv h_i

so there are three products (logits and two gradients) as in the plain computation, and none is made twice.

The sampled estimate replaces the sum over all words but the target t by importance sampling from a proposal q
(Bengio & Senécal 2008; "log-Q correction"):

    exp lsê = exp o_t + Σ_{k=1..K, s_k ≠ t} exp( o_{s_k} − log K q(s_k) ),      s_k ~ q

which is an unbiased estimate of exp lse; log p and its gradients are exact in the limit of large K.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

LOGITS_BUDGET = 32 * 2**20
"""Most bytes of logits that exist at a time, forward or backward: about what a processor's last cache holds."""
HIT = -1e4
"""Logit of a sampled word that is the target itself: no mass, and finite in every precision."""


def product_dtype(device_type: str) -> torch.dtype:
    """The dtype in which matrix products are computed: autocast's where it is on."""
    return torch.get_autocast_dtype(device_type) if torch.is_autocast_enabled(device_type) else torch.float32


class ProposalDraw(NamedTuple):
    """K words drawn from a proposal q, common to all outputs of a step."""

    words: Tensor
    """(K,)."""
    log_expected: Tensor
    """log K q(s_k) of each of them (K,)."""


def draw_proposal(frequencies: Tensor, samples: int, generator: torch.Generator) -> ProposalDraw:
    """Draw K words with replacement, with probabilities proportional to ``frequencies`` (V,), on the CPU."""
    words = torch.multinomial(frequencies, samples, replacement=True, generator=generator)
    log_q = (frequencies[words] / frequencies.sum()).log().float()
    return ProposalDraw(words, log_q + math.log(samples))


def target_logits(outputs: Tensor, table: Tensor, targets: Tensor, bias: Tensor | None = None) -> Tensor:
    """h_i·e(t_i) + b(t_i) for outputs (N, E) and words t (N,), rounded as the products are, summed in fp32: (N,)."""
    dtype = product_dtype(outputs.device.type)
    logits = (outputs.to(dtype).float() * F.embedding(targets, table).to(dtype).float()).sum(-1)
    return logits if bias is None else logits + bias[targets]


def weighted_normaliser(
    outputs: Tensor, table: Tensor, weights: Tensor, bias: Tensor | None = None, budget: int = LOGITS_BUDGET
) -> Tensor:
    """w_i log Σ_v exp(h_i·e(v) + b(v)), with at most ``budget`` bytes of logits at a time: (N,) in fp32.

    The products are computed in autocast's precision, sums over words in fp32. The gradient comes at no further
    product where the loss is a multiple of the sum of the values; for any other loss it is computed anew.

    Args:
        outputs: (N, E).
        table: (V, E).
        weights: (N,), without gradient.
        bias: (V,) or None.
    """
    values: Tensor = _WeightedNormaliser.apply(outputs, table, bias, weights, budget)  # type: ignore[no-untyped-call]
    return values


class _WeightedNormaliser(torch.autograd.Function):
    """See :func:`weighted_normaliser`."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, table: Tensor, bias: Tensor | None, weights: Tensor, budget: int) -> Tensor:
        dtype = product_dtype(outputs.device.type)
        outputs, table = outputs.detach().to(dtype), table.detach().to(dtype)
        bias = None if bias is None else bias.detach().to(dtype)
        needed = any(ctx.needs_input_grad)
        normalisers, gradients = chunked_normalisers(outputs, table, bias, weights if needed else None, budget)
        ctx.save_for_backward(outputs, table, bias, weights, *gradients)
        ctx.budget = budget
        return weights * normalisers

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        outputs, table, bias, weights, *gradients = ctx.saved_tensors
        (of_values,) = grads
        scale = of_values[:1].sum()
        if not bool((of_values == scale).all()):
            gradients = chunked_normalisers(outputs, table, bias, weights * of_values, ctx.budget)[1]
            scale = torch.ones_like(scale)
        of_outputs, of_table, of_bias = (None if g is None else g * scale for g in gradients)
        return of_outputs, of_table, of_bias, None, None


@torch.no_grad()
def chunked_normalisers(
    outputs: Tensor, table: Tensor, bias: Tensor | None, weights: Tensor | None, budget: int
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """lse_i (N,), and the gradients of Σ w_i lse_i for outputs, table and bias, in fp32; none without weights."""
    count, words = len(outputs), len(table)
    rows = max(1, budget // (words * table.element_size()))
    buffer = table.new_empty(min(rows, count), words)
    normalisers = torch.empty(count, dtype=torch.float32, device=table.device)
    of_outputs, of_table, of_bias = (
        None if t is None or weights is None else torch.zeros_like(t, dtype=torch.float32)
        for t in (outputs, table, bias)
    )
    for part in (slice(start, min(start + rows, count)) for start in range(0, count, rows)):
        logits = torch.mm(outputs[part], table.T, out=buffer[: part.stop - part.start])
        if bias is not None:
            logits += bias
        top = logits.amax(-1, keepdim=True)
        exponentials = logits.sub_(top).exp_()
        total = exponentials.sum(-1, dtype=torch.float32)
        normalisers[part] = top.squeeze(-1).float() + total.log()
        if of_outputs is None or of_table is None or weights is None:
            continue
        weighted = exponentials.mul_((weights[part] / total).to(table.dtype).unsqueeze(-1))  # w p
        of_outputs[part] = weighted @ table
        of_table += weighted.T @ outputs[part]
        if of_bias is not None:
            of_bias += weighted.sum(0, dtype=torch.float32)
    return normalisers, (of_outputs, of_table, of_bias)


def sampled_normaliser(
    outputs: Tensor, table: Tensor, targets: Tensor, of_targets: Tensor, draw: ProposalDraw
) -> Tensor:
    """log of an unbiased estimate of Σ_v exp(h_i·e(v)), see the head of this module: (N,) in fp32.

    Args:
        outputs: (N, E).
        table: (V, E).
        targets: the word of each output (N,).
        of_targets: its logit (N,), see :func:`target_logits`.
    """
    drawn = F.embedding(draw.words, table)
    values: Tensor = _SampledNormaliser.apply(outputs, drawn, of_targets, targets, draw)  # type: ignore[no-untyped-call]
    return values


class _SampledNormaliser(torch.autograd.Function):
    """See :func:`sampled_normaliser`; ``table`` holds the drawn words (K, E).

    Left to autograd, the logits would exist half a dozen times over, and the system would map and clear each of them
    anew at every step. What backward needs of them is p (N, K), rounded as the products are.
    """

    @staticmethod
    def forward(
        ctx: Any, outputs: Tensor, table: Tensor, of_targets: Tensor, targets: Tensor, draw: ProposalDraw
    ) -> Tensor:
        dtype = product_dtype(outputs.device.type)
        outputs, table = outputs.detach().to(dtype), table.detach().to(dtype)
        shares = outputs.new_empty(len(outputs), len(table))  # p
        values = torch.empty_like(of_targets, dtype=torch.float32)
        rows = max(1, LOGITS_BUDGET // (4 * len(table)))
        buffer = torch.empty_like(shares[:rows], dtype=torch.float32)
        for start in range(0, len(outputs), rows):
            part = slice(start, min(start + rows, len(outputs)))
            torch.mm(outputs[part], table.T, out=shares[part])
            logits = buffer[: part.stop - part.start].copy_(shares[part]).sub_(draw.log_expected)
            logits.masked_fill_(targets[part].unsqueeze(1) == draw.words, HIT)
            top = torch.maximum(logits.amax(-1), of_targets[part])
            total = logits.sub_(top.unsqueeze(1)).exp_().sum(-1) + (of_targets[part] - top).exp()
            shares[part] = logits.div_(total.unsqueeze(1))
            values[part] = top + total.log()
        ctx.save_for_backward(outputs, table, shares, (of_targets - values).exp())
        return values

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        outputs, table, shares, of_target = ctx.saved_tensors
        (of_values,) = grads
        weighted = shares * of_values.to(shares.dtype).unsqueeze(1)
        return (weighted @ table).float(), (weighted.T @ outputs).float(), of_target * of_values, None, None
