"""Losses of the pair classifier on a batch of listed and NO-RELATION pairs.

With t the target distribution of a pair and p its predicted one, both over 1 + C classes, NO-RELATION first:

    cross-entropy   −Σ_c t_c log p_c
    class-balanced  −Σ_c w_c t_c log p_c,  w_c ∝ (1 − β) / (1 − β^n_c),  n_c training pairs of the class,
                    w_0 = 1 and the mean of w over listed pairs 1 (Cui et al. 2019)
    focal           −Σ_c (1 − p_c)^γ t_c log p_c,  γ = 2 (Lin et al. 2017)
    nnpu            a share π of the NO-RELATION pairs are related pairs that no one has listed (Kiryo et al. 2017):
                    (n₊/n) R₊ + (n₋/n) ( π R₊ + max(0, R₋ − π R₊⁰) )
                    R₊ listed pairs as their class, R₊⁰ listed pairs as NO-RELATION, R₋ the others as NO-RELATION;
                    where the maximum is 0, the gradient is that of π R₊⁰ − R₋, which undoes the overfitting

A NO-RELATION pair weighs (1 + n_xy)^−a, mean 1 in the batch: one that is often mentioned may be a missing edge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kgrel.train.settings import Loss

BETA = 0.999
GAMMA = 2.0


def class_weights(counts: npt.NDArray[np.int64]) -> Tensor:
    """w of NO-RELATION and of the positive classes, from the training pairs of these (C,): (1 + C,)."""
    weights = np.zeros(len(counts))
    known = counts > 0
    weights[known] = (1 - BETA) / (1 - BETA ** counts[known])
    weights /= (weights * counts).sum() / counts.sum()
    return torch.from_numpy(np.concatenate([[1.0], weights])).float()


def negative_weights(contexts: npt.NDArray[np.int64], listed: npt.NDArray[np.bool_], discount: float) -> Tensor:
    """Weight of each pair of a batch from its number of contexts: 1 for listed ones (B,)."""
    weights = np.where(listed, 1.0, (1.0 + contexts) ** -discount)
    weights[~listed] /= weights[~listed].mean()
    return torch.from_numpy(weights).float()


def pair_loss(
    log_p: Tensor, targets: Tensor, weights: Tensor, loss: Loss, hidden_positives: float, by_class: Tensor
) -> Tensor:
    """The loss of a batch.

    Args:
        log_p: log p(r|z) of each sample (B, S, 1 + C).
        targets: (B, 1 + C); the first is 1 for NO-RELATION pairs and 0 for listed ones.
        weights: of each pair (B,).
        hidden_positives: π of nnpu.
        by_class: w of class-balanced (1 + C,).
    """
    targets = targets.unsqueeze(1)
    terms = targets * log_p
    if loss == "class-balanced":
        terms = terms * by_class
    elif loss == "focal":
        terms = terms * (1 - log_p.exp()) ** GAMMA
    each = -terms.sum(-1).mean(1) * weights  # (B,)
    if loss != "nnpu":
        return each.mean()
    listed = targets[:, 0, 0] == 0
    share = listed.float().mean()
    as_listed, as_unrelated = each[listed].mean(), -log_p[listed, :, 0].mean()
    unrelated = each[~listed].mean() - hidden_positives * as_unrelated
    # Below 0, value 0 with the gradient of −unrelated.
    kept = unrelated if unrelated >= 0 else unrelated.detach() - unrelated
    return share * as_listed + (1 - share) * (hidden_positives * as_listed + kept)
