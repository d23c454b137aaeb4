"""The vectors of pairs: samples of z from p(z|x,y) under common noise, or their mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from kgrel.data.errors import NonFiniteError
from kgrel.model.factorised import FactorisedPrior, Rows, padded_tiles
from kgrel.model.noise import CommonNoise, common_noise
from kgrel.model.relvm import PairPrior
from kgrel.search.settings import IndexSettings, Orders
from kgrel.train.batches import Stream, torch_seed

Halves = npt.NDArray[np.float16]


class PairSampler:
    """Gives each pair its vectors: for each order S samples of z, the same noise for every pair.

    Args:
        prior: entity embeddings and prior.
    """

    def __init__(self, prior: PairPrior, settings: IndexSettings) -> None:
        self.settings, self.width = settings, prior.dimensions.z
        self.noise = sampling_noise(prior, settings)
        self._prior = FactorisedPrior(prior, self.noise)

    @property
    def vectors_per_order(self) -> int:
        """Vectors that a pair has in one order."""
        return 1 if self.settings.vectors == "mean" else self.settings.samples

    @torch.inference_mode()
    def __call__(self, heads: Rows, tails: Rows, order: Orders | None = None) -> Halves:
        """The vectors of pairs of entity rows (n,): float16 (n, orders, K, Z), the given order first.

        They are rounded to half precision here, once, so that an index made of stored vectors is the same.

        Args:
            order: by default that of the settings.

        Raises:
            NonFiniteError: a vector is not finite, or too large for half precision.
        """
        order = order or self.settings.order
        out = np.empty((len(heads), 1 + (order == "both"), self.vectors_per_order, self.width), np.float16)
        for place, _, x, y in padded_tiles(heads, tails, self._prior.device):
            count = place.stop - place.start
            for which, pair in enumerate(self._prior.pair_parts(x, y, order)):
                samples = torch.stack([self._prior.z(pair, s) for s in range(self._prior.samples)], dim=1)
                if self.settings.vectors == "mean":
                    samples = samples.mean(dim=1, keepdim=True)
                with np.errstate(over="ignore"):
                    out[place, which] = samples[:count].cpu().numpy()
        refuse_infinite(out, heads, tails)
        return out


def sampling_noise(prior: PairPrior, settings: IndexSettings) -> CommonNoise:
    """The noise of an index: a function of its seed and number of samples."""
    return common_noise(prior.dimensions, settings.samples, torch_seed(settings.seed, Stream.PREDICTION))


def refuse_infinite(vectors: Halves, heads: Rows, tails: Rows) -> None:
    """Raise :class:`NonFiniteError` for the first pair with a vector that is not finite in half precision."""
    bad = ~np.isfinite(vectors).all(axis=(1, 2, 3))
    if bad.any():
        row = int(np.argmax(bad))
        raise NonFiniteError(
            f"a vector of the pair of entity rows {heads[row]} and {tails[row]} is NaN, or beyond half precision; "
            "the representation is damaged or diverged in training"
        )
