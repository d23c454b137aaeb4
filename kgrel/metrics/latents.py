"""How much a latent variable tells: active units and mutual information. Pure numpy.

Posteriors are diagonal Gaussians N(mean_n, exp(log_var_n)) of N data, given as (N, D).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kgrel.metrics.checks import finite

ACTIVE = 0.01
"""Variance of the posterior mean over the data above which a unit is active (Burda et al. 2016)."""


def active_units(means: npt.ArrayLike, threshold: float = ACTIVE) -> int:
    """Units whose posterior mean varies over the data: Var_n( mean_nd ) > threshold.

    Args:
        means: (N, D).

    Raises:
        ValueError: not two-dimensional, or not finite.
    """
    array = finite("means", means, (None, None))
    return int((array.var(axis=0) > threshold).sum()) if len(array) else 0


def mutual_information(means: npt.ArrayLike, log_vars: npt.ArrayLike, samples: npt.ArrayLike) -> float:
    """I(n; u) = E_n KL[ q(u|n) ‖ q(u) ] in nats, with q(u) = 1/N Σ_n q(u|n), one sample of each posterior.

    At most log N: more data are needed to see more (Hoffman & Johnson 2016). Negative estimates are sampling noise.

    Args:
        means, log_vars: (N, D).
        samples: u_n ~ q(u|n) (N, D).

    Raises:
        ValueError: shapes that differ, or values that are not finite.
    """
    mean = finite("means", means, (None, None))
    log_var, u = finite("log_vars", log_vars, mean.shape), finite("samples", samples, mean.shape)
    if not len(mean):
        return 0.0
    precision = np.exp(-log_var)
    # −½ Σ_d [ (u_nd − m_kd)² / v_kd + log v_kd ], the squares multiplied out so that no (N, N, D) array exists
    squares = u**2 @ precision.T - 2.0 * u @ (mean * precision).T + (mean**2 * precision + log_var).sum(1)
    log_q = -0.5 * squares  # (N of u, N of q), up to one constant
    top = log_q.max(axis=1)
    marginal = top + np.log(np.exp(log_q - top[:, None]).mean(axis=1))
    return float((np.diagonal(log_q) - marginal).mean())
