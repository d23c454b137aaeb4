"""The posterior predictive p(r|x,y) = E over u, z of p(r|z): a mean of probabilities over samples of z.

The noise is common to all pairs, so everything that does not depend on the pair is computed once:

    h₁ = relu( a(x) + b(y) + W_xy (x̂⊙ŷ) + c_s )      a(x) = W_x x̂ + bias, b(y) = W_y ŷ: once an entity
    h₂ = relu( W_h h₁ + d_s )                          c_s, d_s, e_s: the parts of u_s, once a run
    [μ, log σ²] = V h₂ + e_s                            mean and log-variance heads as one product
    z = μ + exp(½ log σ²) ⊙ ε_s,   p(r|z) = softmax( A relu(K z) + B z )

Pairs are computed in padded tiles of a fixed size and sample after sample, so no (pairs × samples × layer) tensor
exists, and a score is a function of the pair, the weights, the seed and the settings, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from kgrel.model.classifier import IMPOSSIBLE, RelationClassifier
from kgrel.model.noise import CommonNoise
from kgrel.model.presets import Order, Precision
from kgrel.model.relvm import NORM_EPSILON, PairPrior

TILE = 512
"""Pairs computed together; the last tile of a list is padded to it."""

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Tile = tuple[Tensor, Tensor, Tensor]
"""Heads and tails (TILE,) and which classes are impossible (TILE, C)."""
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Predictive:
    """p̄(r|x,y) of a fixed prior and classifier under fixed noise, ready for any number of pairs.

    Args:
        noise: u (1, S, U) and z (1, S, Z).
        order: ``both`` averages over (x, y) and (y, x), so that the score is the same for both.
        precision: of the matrix products; probabilities are accumulated in fp32.
    """

    @torch.inference_mode()
    def __init__(
        self,
        prior: PairPrior,
        classifier: RelationClassifier,
        noise: CommonNoise,
        order: Order = "both",
        precision: Precision = "fp32",
    ) -> None:
        weight = prior.entity_embedding.weight
        self.device, self.order, self.dtype = weight.device, order, _DTYPES[precision]
        self.samples = noise.u.shape[1]
        u, d = noise.u[0].to(self.device), prior.dimensions
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
        split = 0 if classifier.hidden is None else classifier.hidden.out_features
        self.class_hidden = None if classifier.hidden is None else self._cast(classifier.hidden.weight.T)
        self.from_hidden = self._cast(classifier.output.weight[:, :split].T)
        self.from_z = self._cast(classifier.output.weight[:, split:].T)
        self.classes = classifier.output.out_features

    def _cast(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype).contiguous()

    @torch.inference_mode()
    def __call__(self, heads: Rows, tails: Rows, possible: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Mean and standard deviation over samples (and orders) of p(r|z).

        Args:
            heads, tails: entity rows (n,).
            possible: which classes the pair's types allow (n, C), NO-RELATION (column 0) always among them.

        Returns:
            p̄ (n, C), rows sum to one, and the standard deviation (n, C).
        """
        mean, std = (np.empty((len(heads), self.classes)) for _ in range(2))
        for rows, tile in self.tiles(heads, tails, possible):
            for out, found in zip((mean, std), moments(self.samples_of(*tile)), strict=True):
                out[rows] = found[: rows.stop - rows.start].cpu().numpy()
        return mean, std

    def tiles(self, heads: Rows, tails: Rows, possible: npt.NDArray[np.bool_]) -> Iterator[tuple[slice, Tile]]:
        """The pairs in padded tiles, and which rows each tile is of; arguments as in a call."""
        count = len(heads)
        if self.order == "both":
            heads, tails = np.minimum(heads, tails), np.maximum(heads, tails)
        for start in range(0, count, TILE):
            rows = np.minimum(np.arange(start, start + TILE), count - 1)  # the last pair fills the tile
            x, y = (torch.from_numpy(side[rows]).to(self.device) for side in (heads, tails))
            forbidden = torch.from_numpy(~possible[rows]).to(self.device)
            yield slice(start, min(start + TILE, count)), (x, y, forbidden)

    def samples_of(self, x: Tensor, y: Tensor, forbidden: Tensor) -> Iterator[Tensor]:
        """p(r|z) of a tile for one order and sample after another: float64 (TILE, C) each."""
        product = (self.unit[x] * self.unit[y]) @ self.product
        orders = [(x, y), (y, x)] if self.order == "both" else [(x, y)]
        for first, second in orders:
            pair = product + self.of_head[first] + self.of_tail[second]  # (TILE, H)
            for sample in range(self.samples):
                yield self._probabilities(pair, sample, forbidden).double()

    def _probabilities(self, pair: Tensor, sample: int, forbidden: Tensor) -> Tensor:
        """p(r|z_s) for a tile: (TILE, H) → (TILE, C)."""
        h = (pair + self.u1[sample]).relu_()
        h = torch.addmm(self.u2[sample], h, self.hidden2).relu_()
        heads = torch.addmm(self.u3[sample], h, self.heads)  # (TILE, 2Z)
        mean, log_var = heads[:, : self.width], heads[:, self.width :]
        z = torch.addcmul(mean, log_var.mul_(0.5).exp_(), self.epsilon[sample])
        logits = z @ self.from_z
        if self.class_hidden is not None:
            logits = torch.addmm(logits, (z @ self.class_hidden).relu_(), self.from_hidden)
        return F.softmax(logits.float().masked_fill_(forbidden, IMPOSSIBLE), dim=-1)


def moments(samples: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of tensors of one shape, added up one after another."""
    count, total, squares = 0, torch.zeros(()), torch.zeros(())
    for sample in samples:
        total, squares = (total + sample, squares + sample * sample) if count else (sample, sample * sample)
        count += 1
    mean = total / count
    return mean, (squares / count - mean * mean).clamp_min(0.0).sqrt()


def posterior_predictive(
    prior: PairPrior,
    classifier: RelationClassifier,
    heads: Rows,
    tails: Rows,
    possible: npt.NDArray[np.bool_],
    noise: CommonNoise,
    order: Order = "both",
) -> tuple[Floats, Floats]:
    """:class:`Predictive` made and used once, for weights that are still in training."""
    return Predictive(prior, classifier, noise, order)(heads, tails, possible)
