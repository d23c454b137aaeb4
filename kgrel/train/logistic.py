"""Logistic regression on dense features, standardised for the penalty and given back for the features as they are."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from kgrel.train.pair_artifact import Floats
from kgrel.train.pair_data import Flags

STEPS = 2_000


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
    spread = x.std(axis=0) if len(x) else np.zeros(x.shape[1])
    moving = np.flatnonzero(spread > 0)
    weights = np.zeros(x.shape[1])
    if related in (0, len(labels)) or not len(moving):
        return Line(weights, float(np.log((related + 0.5) / (len(labels) - related + 0.5))))
    centre = x[:, moving].mean(axis=0)
    model = LogisticRegression(C=strength, max_iter=STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit((x[:, moving] - centre) / spread[moving], labels)
    weights[moving] = model.coef_[0] / spread[moving]
    return Line(weights, float(model.intercept_[0] - centre @ weights[moving]))
