"""Modes are maxima of the density that bootstraps find again, not skew, noise or overlap."""

from __future__ import annotations

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.search.modes import find_modes
from kgrel.search.settings import ModeSettings

RNG = np.random.default_rng(3)
SETTINGS = ModeSettings(samples=512, bootstraps=10)


def cloud(shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Points and sides of a mixture of two Gaussians in 40 dimensions, so far apart along the first."""
    sides = np.repeat([0, 1], 256)
    points = 0.3 * RNG.standard_normal((512, 40))
    points[:, 0] += shift * sides
    return points, sides


def test_two_relations_apart_are_two_modes() -> None:
    points, sides = cloud(3.0)
    found = find_modes(points, SETTINGS)
    assert len(found) == 2
    assert min(found.stability) >= 0.8
    assert max((found.labels == sides).mean(), (found.labels != sides).mean()) > 0.98
    others = np.stack([points[sides == side].mean(axis=0) for side in (0, 1)])
    assert found.nearest(others).tolist() == [found.labels[0], found.labels[-1]]


def test_one_relation_is_one_mode_also_where_it_is_skewed() -> None:
    points, _ = cloud(0.0)
    assert len(find_modes(points, SETTINGS)) == 1
    points[:, 0] = RNG.gamma(2.0, 1.0, 512)
    assert len(find_modes(points, SETTINGS)) == 1


def test_a_bent_curve_is_one_mode_and_a_kinked_one_two() -> None:
    u = RNG.standard_normal(512)
    axes = RNG.standard_normal((3, 40))
    for curve, count in (
        ((u, u**2 / 3, 0 * u), 1),
        ((u, np.sin(2 * u), np.cos(2 * u)), 1),
        ((np.tanh(4 * u), 0 * u, 0 * u), 2),
    ):
        points = np.stack(curve, axis=1) @ axes
        assert len(find_modes(points + 0.02 * RNG.standard_normal(points.shape), SETTINGS)) == count


def test_modes_that_are_nearly_the_same_are_one() -> None:
    points, _ = cloud(3.0)  # half of the squared distance is 4.5
    for scale, count in ((1.0, 2), (0.16, 2), (0.14, 1)):
        assert len(find_modes(scale * points, SETTINGS)) == count


def test_points_that_do_not_differ_are_one_mode() -> None:
    found = find_modes(np.ones((512, 40)), SETTINGS)
    assert (len(found), found.nearest(np.zeros((2, 40))).tolist()) == (1, [0, 0])


def test_few_samples_are_refused() -> None:
    with pytest.raises(KgrelError, match="at least 512"):
        ModeSettings(samples=511)
