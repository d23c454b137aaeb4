"""The modes of p(z|x,y): does one pair have several relations?

p(z|x,y) = ∫ p(u) p(z|x,y,u) du is a mixture of Gaussians over u. Its structure lies where the mean μ(x,y,u) moves with
u, so samples of z are projected on the principal directions of the means; the noise of the single Gaussians, which has
as many dimensions as z, would hide it otherwise.

    samples of z ─▶ projected ─▶ Gaussian mixture (BIC) ─▶ maxima of its density ─▶ those that bootstraps find again

Two overlapping components have one maximum and are one mode: a skewed cloud is not two relations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.mixture import GaussianMixture

from kgrel.search.settings import ModeSettings

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
SAME = 1e-2
"""Maxima nearer than this, in standard deviations of the cloud, are one."""
OVERLAP = 0.5
"""Jaccard index above which a bootstrap's mode is taken for the same."""
STEPS = 200


@dataclass(frozen=True)
class Modes:
    """The modes of a cloud of samples.

    Attributes:
        labels: mode of each sample (S,); one mode alone where no second one is stable.
        stability: share of the bootstraps that found each mode again, one a mode.
        share_of_u: share of the variance of z that its dependence on u explains; near zero, u has collapsed.
        directions: (Z, D), on which samples are projected after ``centre`` (Z,) is taken off.
    """

    labels: Rows
    stability: list[float]
    share_of_u: float
    directions: Floats
    centre: Floats

    def __len__(self) -> int:
        return len(self.stability)

    def nearest(self, samples: Floats, others: Floats) -> Rows:
        """The mode whose mean is nearest in projection: samples (S, Z) that the modes are of, others (n, Z) → (n,)."""
        projected, asked = ((some - self.centre) @ self.directions for some in (samples, others))
        means = np.stack([projected[self.labels == mode].mean(axis=0) for mode in range(len(self))])
        return np.asarray(((asked[:, None] - means[None]) ** 2).sum(-1).argmin(axis=1), np.int64)


def find_modes(samples: Floats, means: Floats, settings: ModeSettings) -> Modes:
    """The stable modes of samples.

    Args:
        samples: z (S, Z).
        means: μ(x,y,u) of the same u (S, Z).
    """
    centre = means.mean(axis=0)
    total = float(samples.var(axis=0).sum())
    share = float(means.var(axis=0).sum()) / total if total > 0 else 0.0
    _, scales, rows = np.linalg.svd(means - centre, full_matrices=False)
    kept = max(1, int((scales[: settings.dimensions] > 1e-9 * max(scales[0], 1e-30)).sum()))
    directions = rows[:kept].T
    points = (samples - centre) @ directions
    spread = points.std(axis=0)
    points = points / np.where(spread > 0, spread, 1.0)
    labels = modes_of(points, settings)
    count = int(labels.max()) + 1
    single = Modes(np.zeros(len(samples), np.int64), [1.0], share, directions, centre)
    if count == 1:
        return single
    stability = found_again(points, labels, settings)
    stable = np.flatnonzero(stability >= settings.stability)
    if len(stable) < 2:
        return single
    if len(stable) < count:  # samples of a mode that is not stable go to the nearest that is
        centres = np.stack([points[labels == mode].mean(axis=0) for mode in stable])
        labels = np.asarray(((points[:, None] - centres[None]) ** 2).sum(-1).argmin(axis=1), np.int64)
    else:
        labels = np.searchsorted(stable, labels).astype(np.int64)
    return Modes(labels, [float(stability[mode]) for mode in stable], share, directions, centre)


def modes_of(points: Floats, settings: ModeSettings) -> Rows:
    """The maximum of the fitted density that each point's component climbs to: (S, D) → (S,)."""
    fits = [
        GaussianMixture(count, reg_covar=1e-4, n_init=2, random_state=settings.seed).fit(points)
        for count in range(1, settings.most + 1)
    ]
    best = min(fits, key=lambda fit: fit.bic(points))
    labels: Rows = summits(best)[best.predict(points)]
    return labels


def summits(fit: GaussianMixture) -> Rows:
    """Which maximum of the density of a mixture the mean of each component climbs to (K,), numbered from 0.

    x ← ( Σ_k r_k Σ_k⁻¹ )⁻¹ Σ_k r_k Σ_k⁻¹ m_k, with r_k the responsibilities at x, never goes down (Carreira-Perpiñán
    2000).
    """
    precisions = fit.precisions_
    found: list[Floats] = []
    numbers = np.zeros(len(fit.means_), np.int64)
    for number, start in enumerate(fit.means_):
        x = start.copy()
        for _ in range(STEPS):
            weighted = fit.predict_proba(x[None])[0][:, None, None] * precisions
            pulled = (weighted @ fit.means_[:, :, None]).sum(axis=0)[:, 0]
            following = np.linalg.solve(weighted.sum(axis=0), pulled)
            moved, x = float(np.abs(following - x).max()), following
            if moved < SAME / 100:
                break
        near = [place for place, other in enumerate(found) if np.linalg.norm(other - x) < SAME * 10]
        if not near:
            found.append(x)
        numbers[number] = near[0] if near else len(found) - 1
    return numbers


def found_again(points: Floats, labels: Rows, settings: ModeSettings) -> Floats:
    """Share of the bootstraps in which each mode is found again, by the Jaccard index of its points (K,)."""
    rng, hits = np.random.default_rng(settings.seed), np.zeros(int(labels.max()) + 1)
    for _ in range(settings.bootstraps):
        chosen = rng.integers(len(points), size=len(points))
        again, before = modes_of(points[chosen], settings), labels[chosen]
        for mode in range(len(hits)):
            mine = before == mode
            hits[mode] += max(jaccard(mine, again == other) for other in np.unique(again)) > OVERLAP
    return hits / settings.bootstraps


def jaccard(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """|A ∩ B| / |A ∪ B| of two sets of points, not both empty."""
    return float((first & second).sum() / max(1, (first | second).sum()))
