"""Diagonal Gaussians."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Gaussian(NamedTuple):
    """A diagonal Gaussian, parametrised by its log-variance: exp and log of a variance overflow near |90|."""

    mean: Tensor
    log_var: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Reparametrised sample: mean + exp(½ log_var) ⊙ noise."""
        return self.mean + torch.exp(0.5 * self.log_var) * noise

    def kl_to_standard(self) -> Tensor:
        """KL[ N(mean, var) ‖ N(0, I) ], summed over the last dimension."""
        return 0.5 * (self.mean.square() + self.log_var.exp() - 1.0 - self.log_var).sum(-1)

    def kl_to(self, other: Gaussian) -> Tensor:
        """KL[ N(mean, var) ‖ other ], summed over the last dimension."""
        spread = self.log_var - other.log_var
        distance = (self.mean - other.mean).square() * torch.exp(-other.log_var)
        return 0.5 * (distance + spread.exp() - 1.0 - spread).sum(-1)

    def split(self, width: int) -> tuple[Gaussian, Gaussian]:
        """The first ``width`` dimensions and the others."""
        return (
            Gaussian(self.mean[..., :width], self.log_var[..., :width]),
            Gaussian(self.mean[..., width:], self.log_var[..., width:]),
        )
