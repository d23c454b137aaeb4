"""The posterior predictive p(r|x,y) = E over u, z of p(r|z): a mean of probabilities over samples of z.

    p(r|z) = softmax( A relu(K z) + B z ),   z as :mod:`kgrel.model.factorised` samples it: common noise, fixed tiles

Where the classifier was trained with further inputs of a pair, they stand behind z.

A score is a function of the pair, the weights, the seed and the settings, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from kgrel.model.classifier import IMPOSSIBLE, RelationClassifier
from kgrel.model.factorised import TILE, FactorisedPrior, Rows, padded_tiles
from kgrel.model.noise import CommonNoise
from kgrel.model.presets import Order, Precision
from kgrel.model.relvm import PairPrior

__all__ = ["TILE", "Floats", "PairFeatures", "Predictive", "Rows", "Tile", "moments", "posterior_predictive"]

Floats = npt.NDArray[np.float64]
Tile = tuple[Tensor, Tensor, Tensor]
"""Heads and tails (TILE,) and which classes are impossible (TILE, C)."""
PairFeatures = Callable[[Rows, Rows], npt.NDArray[np.float32]]
"""Entity rows (n,) and (n,) → further inputs of the classifier beside z: (n, F), the same in either order."""


class Predictive(FactorisedPrior):
    """p̄(r|x,y) of a fixed prior and classifier under fixed noise, ready for any number of pairs.

    Args:
        noise: u (1, S, U) and z (1, S, Z).
        order: ``both`` averages over (x, y) and (y, x), so that the score is the same for both.
        precision: of the matrix products; probabilities are accumulated in fp32.
        features: what the classifier is given of a pair beside z; None = nothing.
    """

    @torch.inference_mode()
    def __init__(
        self,
        prior: PairPrior,
        classifier: RelationClassifier,
        noise: CommonNoise,
        order: Order = "both",
        precision: Precision = "fp32",
        features: PairFeatures | None = None,
    ) -> None:
        super().__init__(prior, noise, precision)
        self.order, self.features = order, features
        split = 0 if classifier.hidden is None else classifier.hidden.out_features
        self.class_hidden = None if classifier.hidden is None else self._cast(classifier.hidden.weight.T)
        self.from_hidden = self._cast(classifier.output.weight[:, :split].T)
        self.from_z = self._cast(classifier.output.weight[:, split:].T)
        self.classes = classifier.output.out_features

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
        if self.order == "both":
            heads, tails = np.minimum(heads, tails), np.maximum(heads, tails)
        for place, rows, x, y in padded_tiles(heads, tails, self.device):
            yield place, (x, y, torch.from_numpy(~possible[rows]).to(self.device))

    def samples_of(self, x: Tensor, y: Tensor, forbidden: Tensor) -> Iterator[Tensor]:
        """p(r|z) of a tile for one order and sample after another: float64 (TILE, C) each."""
        beside = None
        if self.features is not None:
            beside = self._cast(torch.from_numpy(self.features(x.cpu().numpy(), y.cpu().numpy())))
        for pair in self.pair_parts(x, y, self.order):
            for sample in range(self.samples):
                yield self._probabilities(pair, sample, beside, forbidden).double()

    def _probabilities(self, pair: Tensor, sample: int, beside: Tensor | None, forbidden: Tensor) -> Tensor:
        """p(r|z_s) for a tile: (TILE, H) and further inputs (TILE, F) → (TILE, C)."""
        z = self.z(pair, sample)
        if beside is not None:
            z = torch.cat([z, beside], dim=-1)
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
    features: PairFeatures | None = None,
) -> tuple[Floats, Floats]:
    """:class:`Predictive` made and used once, for weights that are still in training."""
    return Predictive(prior, classifier, noise, order, features=features)(heads, tails, possible)
