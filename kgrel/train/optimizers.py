"""Adam for dense and for sparse gradients, the learning rate of a step, and the norm of a gradient.

A table with sparse gradients costs what a batch touches: only the rows of the batch have a gradient, and only their
moments and weights move (torch's SparseAdam, "lazy Adam"). Rows that are seldom drawn keep their moments in between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kgrel.data.errors import NonFiniteError
from kgrel.train.fine_tuning import offsets


def sparse_parameters(module: nn.Module) -> list[nn.Parameter]:
    """The tables whose gradients are sparse."""
    tables = [part for part in module.modules() if isinstance(part, nn.Embedding) and part.sparse]
    return [table.get_parameter("weight") for table in tables]


def make_optimizers(
    module: nn.Module, learning_rate: float, weight_decay: float, anchor: float = 0.0
) -> list[torch.optim.Optimizer]:
    """AdamW for what is trained with dense gradients and SparseAdam for the rest, which does not decay.

    Args:
        weight_decay: of all tensors but the offsets of :mod:`kgrel.train.fine_tuning`, which decay by ``anchor``.
    """
    sparse = [p for p in sparse_parameters(module) if p.requires_grad]
    apart = {id(p) for p in sparse}
    anchored = offsets(module)
    apart |= {id(p) for p in anchored}
    dense = [p for p in module.parameters() if p.requires_grad and id(p) not in apart]
    groups = [{"params": dense, "weight_decay": weight_decay}, {"params": anchored, "weight_decay": anchor}]
    groups = [group for group in groups if group["params"]]
    optimizers: list[torch.optim.Optimizer] = []
    if groups:
        optimizers.append(torch.optim.AdamW(groups, learning_rate, fused=True))
    if sparse:
        optimizers.append(torch.optim.SparseAdam(sparse, learning_rate))
    return optimizers


def set_learning_rate(optimizers: Sequence[torch.optim.Optimizer], rate: float) -> None:
    """The learning rate of the next step."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def scheduled(rate: float, step: int, steps: int, warm_up_steps: int, schedule: str) -> float:
    """Learning rate at a step (from 1): linear warm-up, then constant or half a cosine to zero at the last step."""
    rate *= min(1.0, step / max(1, warm_up_steps))
    if schedule == "cosine":
        rate *= 0.5 * (1.0 + math.cos(math.pi * (step - 1) / steps))
    return rate


def clip_gradients(module: nn.Module, limit: float, step: int) -> None:
    """Scale the whole gradient down to the Euclidean norm ``limit`` (0 = as it is).

    Raises:
        NonFiniteError: it is NaN or infinite; names the tensors.
    """
    values = [gradient_values(p) for p in module.parameters() if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(v) for v in values]))
    if not bool(norm.isfinite()):
        named = [(name, p) for name, p in module.named_parameters() if p.grad is not None]
        bad = [name for name, p in named if not gradient_values(p).isfinite().all()]
        raise NonFiniteError(
            non_finite_message(step, f"the gradient of {', '.join(bad) or 'some tensor'} is not finite")
        )
    if limit and norm > limit:
        for v in values:
            v.mul_(limit / (norm + 1e-6))


def gradient_values(parameter: nn.Parameter) -> Tensor:
    """The numbers of a gradient, of a sparse one those of its rows, each row once."""
    assert parameter.grad is not None
    if not parameter.grad.is_sparse:
        return parameter.grad
    parameter.grad = parameter.grad.coalesce()
    return parameter.grad.values()


def non_finite_message(step: int, what: str) -> str:
    """One sentence on a training that left the finite numbers."""
    return f"step {step}: {what}; try a smaller learning rate, gradient clipping, or fp32 precision"
