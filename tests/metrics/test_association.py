"""Partial rank correlation finds what is left of an association when the controls are held constant."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from kgrel.metrics.association import partial_spearman


def confounded(count: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two variables that have nothing but a third in common, and the third."""
    rng = np.random.default_rng(0)
    third = rng.normal(size=count)
    return third + rng.normal(size=count), third + rng.normal(size=count), third


def test_without_controls_it_is_spearmans() -> None:
    first, second, third = confounded()
    found = partial_spearman(first, np.column_stack([second, third]), np.zeros((len(first), 0)))(np.ones(len(first)))
    expected = [spearmanr(first, second).statistic, spearmanr(first, third).statistic]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_an_association_through_the_control_disappears_and_a_direct_one_stays() -> None:
    first, second, third = confounded(4000)
    ones = np.ones(len(first))
    direct = second + first
    found = partial_spearman(first, np.column_stack([second, direct]), third[:, None])(ones)
    assert spearmanr(first, second).statistic > 0.4
    assert abs(found[0]) < 0.05
    assert found[1] > 0.5


def test_one_control_gives_the_textbook_formula() -> None:
    first, second, third = confounded()
    a, b, c = (spearmanr(*pair).statistic for pair in ((first, second), (first, third), (second, third)))
    expected = (a - b * c) / np.sqrt((1 - b**2) * (1 - c**2))
    found = partial_spearman(first, second[:, None], third[:, None])(np.ones(len(first)))
    assert found[0] == pytest.approx(expected)


def test_monotone_changes_of_variables_change_nothing() -> None:
    first, second, third = confounded()
    ones = np.ones(len(first))
    plain = partial_spearman(first, second[:, None], third[:, None])(ones)
    changed = partial_spearman(np.exp(first), -second[:, None], third[:, None] ** 3)(ones)
    np.testing.assert_allclose(changed, -plain)


def test_doubled_controls_and_doubled_weights_change_nothing() -> None:
    first, second, third = confounded()
    ones = np.ones(len(first))
    plain = partial_spearman(first, second[:, None], third[:, None])
    twice = partial_spearman(first, second[:, None], np.column_stack([third, third]))
    np.testing.assert_allclose(twice(ones), plain(ones), atol=1e-9)
    np.testing.assert_allclose(plain(2 * ones), plain(ones))


def test_what_does_not_vary_has_no_correlation() -> None:
    first, second, third = confounded(50)
    columns = np.column_stack([np.ones(50), second, third])
    found = partial_spearman(first, columns, third[:, None])
    assert np.isnan(found(np.ones(50))).tolist() == [True, False, True]
    assert np.isnan(found(np.zeros(50))).all()
