"""Logistic regression; features are standardised for the penalty, weights are given for the features as they are."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from kgrel.data.errors import KgrelError
from kgrel.train.pair_artifact import Floats
from kgrel.train.pair_data import Flags

STEPS = 2_000
ROUNDING = 1e-9
"""Share of its largest value below which the spread of a feature is none."""
OWN = 0.3
"""How far a class may leave what all classes share: 1 = as easily as they all move together, 0 = not at all."""
FREE = 5.0
"""Value of the column that stands for the intercept of a class, so that the penalty hardly holds it."""


class Line(NamedTuple):
    """logit p = intercept + weights · x."""

    weights: Floats
    """(M,)"""
    intercept: float


def fit_line(x: Floats, labels: Flags, strength: float) -> Line:
    """Fit to features (n, M) and labels (n,).

    Where all labels are alike, the weights are 0 and the intercept is the logit of their share, a half added to the
    count of either.

    Args:
        strength: inverse strength of the L2 penalty on weights of standardised features.
    """
    related = int(labels.sum())
    spread = spread_of(x)
    moving = np.flatnonzero(spread)
    weights = np.zeros(x.shape[1])
    if related in (0, len(labels)) or not len(moving):
        return Line(weights, float(np.log((related + 0.5) / (len(labels) - related + 0.5))))
    centre = x[:, moving].mean(axis=0)
    model = fitted((x[:, moving] - centre) / spread[moving], labels, strength)
    weights[moving] = model.coef_[0] / spread[moving]
    return Line(weights, float(model.intercept_[0] - centre @ weights[moving]))


def fit_lines(xs: Sequence[Floats], labels: Sequence[Flags], strength: float) -> list[Line]:
    """Fit to the features (n_c, M) and labels (n_c,) of several classes, whose weights are alike.

        w_c = w + a δ_c,    penalised by Σ w² + Σ_c δ_c²,    a = OWN

    so that a class with few labels leans on all, and one with many goes its own way (Evgeniou & Pontil 2004).

    Args:
        strength: inverse strength of that penalty, features standardised over all classes.
    """
    every = np.concatenate(xs)
    centre, spread = every.mean(axis=0), spread_of(every)
    scale = np.divide(1.0, spread, out=np.zeros(len(spread)), where=spread > 0)
    scaled = [(x - centre) * scale for x in xs]
    own, columns = OWN * sparse.block_diag(scaled), sparse.block_diag([np.full((len(x), 1), FREE) for x in xs])
    design = sparse.hstack([sparse.csr_array(np.concatenate(scaled)), own, columns]).tocsr()
    model = fitted(design, np.concatenate(labels), strength)
    size, count = len(centre), len(xs)
    shared, own_weights, intercepts = np.split(model.coef_[0], [size, size * (1 + count)])
    lines = []
    every_weights = (shared + OWN * own_weights.reshape(count, size)) * scale
    for weights, intercept in zip(every_weights, intercepts, strict=True):
        lines.append(Line(weights, float(model.intercept_[0] + FREE * intercept - centre @ weights)))
    return lines


def spread_of(x: Floats) -> Floats:
    """Standard deviation of each feature (n, M) → (M,); 0 for one that moves by no more than rounding."""
    if not len(x):
        return np.zeros(x.shape[1])
    found = x.std(axis=0)
    return np.where(found > ROUNDING * np.abs(x).max(axis=0), found, 0.0)


def fitted(x: Any, labels: Flags, strength: float) -> LogisticRegression:
    """The regression of labels (n,), some of them true and some false, on features (n, M), dense or sparse.

    Raises:
        KgrelError: it did not come to an end.
    """
    model = LogisticRegression(C=strength, max_iter=STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(x, labels)
        except ConvergenceWarning:
            raise KgrelError(
                f"a logistic regression did not converge in {STEPS:,} steps; try smaller --strengths than {strength:g}"
            ) from None
    return model
