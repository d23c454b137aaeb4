"""The modes of p(z|x,y): does one pair have several relations?

p(z|x,y) = ∫ p(u) p(z|x,y,u) du is a mixture of Gaussians over u. Its structure lies where the mean μ(x,y,u) moves with
u, so samples of z are projected on the principal directions of the means; the noise of the single Gaussians, which has
as many dimensions as z, would hide it otherwise.

    samples of z ─▶ projected ─▶ Gaussian mixture (BIC): the plane of its centres ─▶ kernel density in that plane
                 ─▶ maxima with a deep enough valley around them ─▶ those that bootstraps find again

The components of the mixture are not yet modes: where u is alive, the cloud is a bent curve or sheet that several
Gaussians fit better than one, though its density has one maximum. A mixture finds the directions, the density decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from sklearn.mixture import GaussianMixture

from kgrel.search.settings import ModeSettings

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
OVERLAP = 0.5
"""Jaccard index above which a bootstrap's mode is taken for the same."""
BREADTH = 64
"""The kernel is as broad as half of the points are far from their so many-th neighbour."""
LINKS = 32
"""Neighbours of a point that a path may step to."""
VALLEY = 2.0
"""How much lower the square root of the density, in points under the kernel, must be on every path to a higher maximum.
Counts scatter by half a unit on this scale, so a valley of 2 is nearly three standard deviations of the difference."""


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
    """The mode of each point: (S, D) → (S,), numbered from 0."""
    fits = [
        GaussianMixture(count, reg_covar=1e-4, n_init=2, random_state=settings.seed).fit(points)
        for count in range(1, settings.most + 1)
    ]
    best = min(fits, key=lambda fit: fit.bic(points))
    groups: Rows = best.predict(points)
    numbers = np.unique(groups)
    if len(numbers) == 1:
        return np.zeros(len(points), np.int64)
    return peaks(points @ discriminants(points, groups, numbers))


def discriminants(points: Floats, groups: Rows, numbers: Rows) -> Floats:
    """The directions (D, K − 1) in which the means of K groups differ, against the scatter within the groups.

    The principal directions of the means after W^(−1/2), W the pooled covariance (Fisher 1936, Rao 1948).
    """
    means = np.stack([points[groups == number].mean(axis=0) for number in numbers])
    within = points - means[np.searchsorted(numbers, groups)]
    scatter = within.T @ within / len(points) + 1e-4 * np.eye(points.shape[1])
    scales, axes = np.linalg.eigh(scatter)
    whitening = axes / np.sqrt(scales)
    _, _, rows = np.linalg.svd((means - means.mean(axis=0)) @ whitening, full_matrices=False)
    kept: Floats = whitening @ rows[: len(numbers) - 1].T
    return kept


def peaks(points: Floats) -> Rows:
    """The maximum of the density that each point belongs to: (S, D) → (S,), numbered from 0.

    From the densest point to the thinnest, each joins the densest of its neighbours that are there already. Where it
    joins two maxima it is the pass between them, and the lower one ends if it stands out by less than :data:`VALLEY`
    (ToMATo: Chazal, Guibas, Oudot & Skraba 2013).
    """
    distances = cdist(points, points)
    width = max(float(np.median(np.partition(distances, BREADTH, axis=1)[:, BREADTH])), 1e-12)
    height = np.sqrt(np.exp(-0.5 * (distances / width) ** 2).sum(axis=1))
    linked = np.zeros(distances.shape, np.bool_)
    np.put_along_axis(linked, np.argpartition(distances, LINKS, axis=1)[:, : LINKS + 1], True, axis=1)
    linked |= linked.T
    parent = np.full(len(points), -1)

    def summit(point: int) -> int:
        while parent[point] != point:
            parent[point] = parent[parent[point]]
            point = int(parent[point])
        return point

    for point in np.argsort(-height, kind="stable").tolist():
        higher = np.flatnonzero(linked[point] & (parent >= 0))
        if not len(higher):
            parent[point] = point
            continue
        parent[point] = summit(int(higher[height[higher].argmax()]))
        for other in sorted({summit(neighbour) for neighbour in higher.tolist()}):
            mine = summit(point)
            low, high = (other, mine) if height[other] < height[mine] else (mine, other)
            if low != high and height[low] - height[point] < VALLEY:
                parent[low] = high
    return np.unique([summit(point) for point in range(len(points))], return_inverse=True)[1].astype(np.int64)


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
