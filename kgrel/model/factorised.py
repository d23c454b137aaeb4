"""z ~ p(z|x,y) of many pairs under common noise: everything that does not depend on the pair is computed once.

    h₁ = relu( a(x) + b(y) + W_xy (x̂⊙ŷ) + c_s )      a(x) = W_x x̂ + bias, b(y) = W_y ŷ: once an entity
    h₂ = relu( W_h h₁ + d_s )                          c_s, d_s, e_s: the parts of u_s, once a run
    [μ, log σ²] = V h₂ + e_s                            mean and log-variance heads as one product
    z_s = μ + exp(½ log σ²) ⊙ ε_s

Pairs are computed in padded tiles of a fixed size and sample after sample, so no (pairs × samples × layer) tensor
exists, and what comes out is a function of the pair, the weights, the noise and the precision, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kgrel.model.noise import CommonNoise
from kgrel.model.presets import Order, Precision
from kgrel.model.relvm import NORM_EPSILON, PairPrior

TILE = 512
"""Pairs computed together; the last tile of a list is padded to it."""

Rows = npt.NDArray[np.int64]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class FactorisedPrior:
    """Samples of z of a fixed prior under fixed noise, ready for any number of pairs.

    Args:
        noise: u (1, S, U) and z (1, S, Z).
        precision: of the matrix products.
    """

    @torch.inference_mode()
    def __init__(self, prior: PairPrior, noise: CommonNoise, precision: Precision = "fp32") -> None:
        weight = prior.entity_embedding.weight
        self.device, self.dtype = weight.device, _DTYPES[precision]
        self.samples = noise.u.shape[1]
        u, d = prior.prior.draw_u(noise.u[0].to(self.device)), prior.dimensions
        unit = weight / weight.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)  # (entities, E)
        first = prior.prior.hidden1.weight  # (H, 3E + U)
        from_x, from_y, from_xy = (first[:, i * d.embedding : (i + 1) * d.embedding] for i in range(3))
        from_u = first[:, 3 * d.embedding :]
        self.unit = self._cast(unit)
        self.of_head = self._cast(unit @ from_x.T + prior.prior.hidden1.bias)  # (entities, H)
        self.of_tail = self._cast(unit @ from_y.T)
        self.product = self._cast(from_xy.T)  # (E, H)
        self.u1 = self._cast(u @ from_u.T)  # (S, H)
        hidden2, mean, log_var = prior.prior.hidden2, prior.prior.mean, prior.prior.log_var
        self.hidden2 = self._cast(hidden2.weight[:, : d.hidden].T)  # (H, H)
        self.u2 = self._cast(u @ hidden2.weight[:, d.hidden :].T + hidden2.bias)
        heads, bias = torch.cat([mean.weight, log_var.weight]), torch.cat([mean.bias, log_var.bias])
        self.heads = self._cast(heads[:, : d.hidden].T)  # (H, 2Z)
        self.u3 = self._cast(u @ heads[:, d.hidden :].T + bias)
        self.epsilon = self._cast(noise.z[0].to(self.device))  # (S, Z)
        self.width = d.z

    def _cast(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype).contiguous()

    def pair_parts(self, x: Tensor, y: Tensor, order: Order) -> Iterator[Tensor]:
        """The pair's part of the first layer, for (x, y) and, with ``both``, for (y, x): (TILE, H) each."""
        product = (self.unit[x] * self.unit[y]) @ self.product
        for first, second in [(x, y), (y, x)] if order == "both" else [(x, y)]:
            yield product + self.of_head[first] + self.of_tail[second]

    def z(self, pair: Tensor, sample: int) -> Tensor:
        """One sample of z of each pair of a tile: (TILE, H) → (TILE, Z)."""
        h = (pair + self.u1[sample]).relu_()
        h = torch.addmm(self.u2[sample], h, self.hidden2).relu_()
        heads = torch.addmm(self.u3[sample], h, self.heads)  # (TILE, 2Z)
        mean, log_var = heads[:, : self.width], heads[:, self.width :]
        return torch.addcmul(mean, log_var.mul_(0.5).exp_(), self.epsilon[sample])


def padded_tiles(heads: Rows, tails: Rows, device: torch.device) -> Iterator[tuple[slice, Rows, Tensor, Tensor]]:
    """Entity rows (n,) in tiles: which rows a tile is of, those rows padded to TILE, heads and tails (TILE,)."""
    count = len(heads)
    for start in range(0, count, TILE):
        rows = np.minimum(np.arange(start, start + TILE), count - 1)  # the last pair fills the tile
        x, y = (torch.from_numpy(side[rows]).to(device) for side in (heads, tails))
        yield slice(start, min(start + TILE, count)), rows, x, y
