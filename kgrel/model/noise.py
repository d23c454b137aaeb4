"""The noise that is common to all pairs at prediction: few points in many dimensions, so which points matters.

Common noise keeps rankings but shifts all scores together; a good set of S points in U + Z dimensions shifts them
little. ``benchmarks/sampling.py`` compares the kinds: eight Sobol points err about as much as twenty-five random ones.
"""

from __future__ import annotations

from typing import NamedTuple, get_args

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from kgrel.model.presets import Dimensions, NoiseKind

KINDS: tuple[NoiseKind, ...] = get_args(NoiseKind)
_INSIDE = 1e-6
"""Sobol points are kept this far from 0 and 1, where the normal quantile is infinite."""


class CommonNoise(NamedTuple):
    """Noise shared by all pairs: u (1, S, U) and z (1, S, Z)."""

    u: Tensor
    z: Tensor


def common_noise(dimensions: Dimensions, samples: int, seed: int, kind: NoiseKind = "sobol") -> CommonNoise:
    """S points of standard normal noise for (u, z), drawn on the CPU, so that every device sees the same.

    Kinds:
        random: independent pseudo-random points.
        sobol: the first S points of a scrambled Sobol sequence, through the normal quantile function.
        antithetic: S/2 pseudo-random points and their negatives.
        orthogonal: blocks of at most U + Z mutually orthogonal directions with the lengths of independent points.
    """
    width = dimensions.u + dimensions.z
    generator = torch.Generator().manual_seed(seed)
    if kind == "random":
        points = torch.randn(samples, width, generator=generator)
    elif kind == "sobol":
        sobol = SobolEngine(width, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
        uniform = sobol.draw(samples, dtype=torch.float64)
        points = torch.special.ndtri(uniform.clamp(_INSIDE, 1 - _INSIDE)).float()
    elif kind == "antithetic":
        half = torch.randn(-(-samples // 2), width, generator=generator)
        points = torch.stack([half, -half], dim=1).flatten(0, 1)[:samples]
    else:
        points = orthogonal_points(samples, width, generator)
    points = points.unsqueeze(0)
    return CommonNoise(points[..., : dimensions.u].contiguous(), points[..., dimensions.u :].contiguous())


def orthogonal_points(samples: int, width: int, generator: torch.Generator) -> Tensor:
    """Points whose directions are orthogonal within a block and whose lengths are those of normal points."""
    blocks = []
    for start in range(0, samples, width):
        size = min(width, samples - start)
        gaussian = torch.randn(width, size, generator=generator, dtype=torch.float64)
        q, r = torch.linalg.qr(gaussian)
        directions = (q * r.diagonal().sign()).T  # uniform on the orthogonal group, whatever QR's sign convention
        lengths = torch.randn(size, width, generator=generator, dtype=torch.float64).norm(dim=-1, keepdim=True)
        blocks.append(directions * lengths)
    return torch.cat(blocks).float()
