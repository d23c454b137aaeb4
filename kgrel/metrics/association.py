"""Rank correlation with other variables held constant, on weights, so that it can be bootstrapped over entities.

All variables are ranked (ties share their mean rank). The partial Spearman correlation of two of them is the ordinary
correlation of what remains of their ranks after linear regression on the ranks of the controls.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from kgrel.metrics.checks import Floats, finite

Correlations = Callable[[Floats], Floats]
"""Weights [n] → the correlation of each of m variables with the first, [m]; NaN where a variable does not vary."""


def partial_spearman(variable: npt.ArrayLike, others: npt.ArrayLike, controls: npt.ArrayLike) -> Correlations:
    """Prepare the partial rank correlations of ``variable`` with each of ``others``, given ``controls``.

    The ranks are those of all pairs, whatever the weights, so that they are computed once.

    Args:
        variable: finite, [n].
        others: finite, [n, m].
        controls: finite, [n, k]; k = 0 gives Spearman's plain correlation.

    Raises:
        ValueError: NaN, infinity or other shapes.
    """
    first = finite("variable", variable, (None,))
    second = finite("others", others, (len(first), None))
    held = finite("controls", controls, (len(first), None))
    columns = np.column_stack([held, first, second])
    ranks = rankdata(columns, axis=0) / max(1, len(first))
    k = held.shape[1]

    def correlations(weights: Floats) -> Floats:
        total = weights.sum()
        if total <= 0:
            return np.full(second.shape[1], np.nan)
        centred = ranks - weights @ ranks / total
        covariance = (centred * weights[:, None]).T @ centred / total
        inner, cross = covariance[:k, :k], covariance[:k, k:]
        # Controls may be collinear, as a count and the label are in a small draw: the smallest solution then.
        left = covariance[k:, k:] - cross.T @ np.linalg.lstsq(inner, cross, rcond=1e-10)[0]
        variances = np.diag(left)
        scale = np.sqrt(np.maximum(variances[0] * variances[1:], 0.0))
        defined = (variances[0] > _TINY) & (variances[1:] > _TINY)
        found = np.full(second.shape[1], np.nan)
        found[defined] = left[0, 1:][defined] / scale[defined]
        bounded: Floats = np.clip(found, -1.0, 1.0)
        return bounded

    return correlations


_TINY = 1e-12
"""Variance of ranks (in units of n) below which nothing but rounding is left."""
