"""p(r|z): the small classifier on samples of z."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

IMPOSSIBLE = -1e9
"""Logit of a class that the pair's types rule out. Finite, so that no NaN can arise from inf − inf."""


class RelationClassifier(nn.Module):
    """z → Linear(hidden) without bias, ReLU → concatenated with z → Linear(classes) without bias.

    Class 0 is NO-RELATION. ``hidden=0`` gives the single linear layer of the paper's mention-level classifier.
    """

    def __init__(self, z: int, classes: int, hidden: int = 300) -> None:
        super().__init__()
        self.hidden = nn.Linear(z, hidden, bias=False) if hidden else None
        self.output = nn.Linear(z + hidden, classes, bias=False)

    def forward(self, z: Tensor, possible: Tensor | None = None) -> Tensor:
        """log p(r|z) for z (..., Z) → (..., C); ``possible`` (bool, broadcastable to it) masks before the softmax."""
        features = z if self.hidden is None else torch.cat([F.relu(self.hidden(z)), z], dim=-1)
        logits: Tensor = self.output(features)
        if possible is not None:
            logits = logits.masked_fill(~possible, IMPOSSIBLE)
        return F.log_softmax(logits, dim=-1)
