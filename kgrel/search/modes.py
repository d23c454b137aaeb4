"""The modes of p(z|x,y): does one pair have several relations?

z means what the decoder says of it, and only that: along some directions a long way changes no word, along others a
step changes all. A z that is one broad Gaussian can therefore stand for two relations, with a sharp turn from the words
of one to those of the other between them. So samples of z are compared by the words that they lead to, in Hellinger's
distance between word distributions, and not in z itself (for distances through a decoder: Arvanitidis et al. 2018).

    samples of z ─▶ √p(w|z) ─▶ their first principal components ─▶ kernel density
                 ─▶ maxima with a deep enough valley around them, and words that differ enough
                 ─▶ those that bootstraps find again
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

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
    """The modes of a cloud of points.

    Attributes:
        labels: mode of each point (S,); one mode alone where no second one is stable.
        stability: share of the bootstraps that found each mode again, one a mode.
        centres: mean of each mode's points in projection (K, D).
        directions: (W, D), on which points are projected after ``centre`` (W,) is taken off.
    """

    labels: Rows
    stability: list[float]
    centres: Floats
    directions: Floats
    centre: Floats

    def __len__(self) -> int:
        return len(self.stability)

    def nearest(self, others: Floats) -> Rows:
        """The mode whose centre is nearest in projection: points (n, W) → (n,)."""
        return nearest_of((others - self.centre) @ self.directions, self.centres)


def find_modes(points: Floats, settings: ModeSettings) -> Modes:
    """The stable modes of points (S, W) whose Euclidean distances mean something."""
    centre = points.mean(axis=0)
    directions = principal_directions(points - centre, settings.dimensions)
    projected = (points - centre) @ directions
    labels = modes_of(projected, settings)
    stability = found_again(projected, labels, settings)
    stable = np.flatnonzero(stability >= settings.stability)
    if len(stable) < 2:
        labels, kept = np.zeros(len(points), np.int64), [1.0]
    else:  # points of a mode that is not stable go to the nearest that is
        kept = [float(stability[mode]) for mode in stable]
        own = nearest_of(projected, means_of(projected, labels, stable))
        labels = np.where(np.isin(labels, stable), np.searchsorted(stable, labels), own).astype(np.int64)
    return Modes(labels, kept, means_of(projected, labels, np.arange(len(kept))), directions, centre)


def principal_directions(centred: Floats, count: int) -> Floats:
    """At most so many directions in which points (S, W) vary most, orthonormal: (W, D), at least one."""
    scales, axes = np.linalg.eigh(centred @ centred.T)  # S is far smaller than W
    kept = np.flatnonzero(scales > 1e-9 * max(float(scales[-1]), 1e-30))[::-1][:count]
    if not len(kept):
        return np.eye(centred.shape[1], 1)
    directions: Floats = centred.T @ (axes[:, kept] / np.sqrt(scales[kept]))
    return directions


def means_of(points: Floats, labels: Rows, modes: Rows) -> Floats:
    """Mean of the points of each mode: (K, D)."""
    return np.stack([points[labels == mode].mean(axis=0) for mode in modes])


def nearest_of(points: Floats, centres: Floats) -> Rows:
    """The centre that each point is nearest to: (n, D), (K, D) → (n,)."""
    return np.asarray(cdist(points, centres).argmin(axis=1), np.int64)


def modes_of(points: Floats, settings: ModeSettings) -> Rows:
    """The mode of each point: (S, D) → (S,), numbered from 0. Maxima that say nearly the same are one."""
    labels = peaks(points)
    while (count := int(labels.max()) + 1) > 1:
        centres = means_of(points, labels, np.arange(count))
        halves = 0.5 * cdist(centres, centres, "sqeuclidean") + np.diag(np.full(count, np.inf))
        first, second = sorted(divmod(int(halves.argmin()), count))
        if halves[first, second] >= settings.apart:
            break
        labels = np.where(labels == second, first, labels - (labels > second))
    return labels


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
    hits = np.zeros(int(labels.max()) + 1)
    if len(hits) == 1:
        return hits + 1.0  # all points are one mode, which needs no second look
    rng = np.random.default_rng(settings.seed)
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
