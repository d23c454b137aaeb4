"""What u is before a sentence is read: standard normal (the paper), or a hierarchy of two latent variables.

    one layer     u ~ N(0, I)
    two layers    v ~ N(0, I),  w ~ N(m(v), σ²(v)),  u = [v, w]

With two, p(u) is itself an infinite mixture of Gaussians, so that p(z|x,y) = ∫ p(u) p(z|x,y,u) du is a richer one.
p(u) does not look at the pair: samples of it are drawn once for all pairs, and scoring costs what it did.

The paper names a hierarchy of latent variables as an open question (its conclusion).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.model.gaussian import Gaussian
from kgrel.model.presets import Dimensions


class LatentLayer(nn.Module):
    """p(w|v) of the two-layer hierarchy; v has the first half of u's dimensions."""

    def __init__(self, d: Dimensions) -> None:
        super().__init__()
        self.width = d.u // 2
        self.hidden = nn.Linear(self.width, d.hidden)
        self.mean = nn.Linear(d.hidden, d.u - self.width)
        self.log_var = nn.Linear(d.hidden, d.u - self.width)
        self.initialise()

    @torch.no_grad()
    def initialise(self) -> None:
        """Start near w ~ N(0, I), which is the model with one layer."""
        for head in (self.mean, self.log_var):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)

    def forward(self, v: Tensor) -> Gaussian:
        """p(w|v) for v (…, U/2)."""
        h = F.relu(self.hidden(v))
        return Gaussian(self.mean(h), self.log_var(h))

    def from_noise(self, noise: Tensor) -> Tensor:
        """u = [v, w] from standard normal noise: (…, U) → (…, U)."""
        v, epsilon = noise[..., : self.width], noise[..., self.width :]
        return torch.cat([v, self(v).sample(epsilon)], dim=-1)

    def kl(self, q: Gaussian, u: Tensor) -> Tensor:
        """Estimate of KL[ q(v) q(w) ‖ p(v) p(w|v) ] from samples u of q: q (…, U), u (…, S, U) → (…,).

        KL[q(v) ‖ N(0, I)] + E_q(v) KL[q(w) ‖ p(w|v)]: both are closed but for the mean over v.
        """
        of_v, of_w = q.split(self.width)
        below = Gaussian(of_w.mean.unsqueeze(-2), of_w.log_var.unsqueeze(-2)).kl_to(self(u[..., : self.width]))
        return of_v.kl_to_standard() + below.mean(-1)
