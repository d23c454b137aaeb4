"""Calibration of scores to probabilities: how far off they are, what sets them right, and how a base rate moves them.

* Platt: p = σ(a·logit(s) + b) with a ≥ 0 (Platt 1999); b = 0 would be temperature scaling with T = 1/a.
* isotonic: the non-decreasing step function that is nearest in squares (Zadrozny & Elkan 2002), made continuous.
* base rate: if only the share of positives differs between two sets of pairs, the odds of every pair differ by the
  ratio of the two sets' odds (Saerens, Latinne & Decaestecker 2002).

A calibrator never changes the order of two scores (isotonic may tie them).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from kgrel.metrics.checks import Bools, Floats, Ints, booleans, finite

Method = Literal["platt", "isotonic"]
_EDGE = 1e-12
"""Scores are kept this far from 0 and 1, where the logit is infinite."""


@dataclass(frozen=True)
class Reliability:
    """Predicted and observed in bins that hold about as many pairs each; B bins that are not empty."""

    counts: Ints
    """Pairs of each bin (B,)."""
    predicted: Floats
    """Mean probability of each bin (B,)."""
    observed: Floats
    """Share of positives of each bin (B,)."""

    @property
    def error(self) -> float:
        """Expected calibration error: Σ_b n_b/n · |observed_b − predicted_b|."""
        weights = self.counts / self.counts.sum()
        return float((weights * np.abs(self.observed - self.predicted)).sum())

    def rows(self) -> list[dict[str, float]]:
        """One plain object a bin, for JSON."""
        columns = self.counts.tolist(), self.predicted.tolist(), self.observed.tolist()
        return [{"pairs": n, "predicted": p, "observed": o} for n, p, o in zip(*columns, strict=True)]


def reliability(probabilities: npt.ArrayLike, labels: npt.ArrayLike, bins: int = 10) -> Reliability:
    """The reliability curve in equal-mass bins. Equal probabilities share a bin, so bins may differ in mass.

    Args:
        probabilities: in 0..1, [n].
        labels: bool [n].

    Raises:
        ValueError: no pairs, no bins, a probability outside 0..1, NaN, other shapes or types.
    """
    values, truth = _checked(probabilities, labels)
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    _, places, sizes = np.unique(values, return_inverse=True, return_counts=True)
    middles = np.cumsum(sizes) - sizes / 2  # of the ranks that equal probabilities occupy
    bin_of = np.minimum((middles * bins / len(values)).astype(np.int64), bins - 1)[places]
    counts = np.bincount(bin_of, minlength=bins)
    used = np.flatnonzero(counts)
    sums = (np.bincount(bin_of, weights=what, minlength=bins)[used] for what in (values, truth.astype(np.float64)))
    predicted, observed = (total / counts[used] for total in sums)
    return Reliability(counts[used], predicted, observed)


def expected_calibration_error(probabilities: npt.ArrayLike, labels: npt.ArrayLike, bins: int = 10) -> float:
    """ECE in equal-mass bins, 0..1; see :func:`reliability`. With few pairs it is biased upwards."""
    return reliability(probabilities, labels, bins).error


def brier_score(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean squared difference of probability and label, 0..1 (Brier 1950).

    Raises:
        ValueError: as :func:`reliability`.
    """
    values, truth = _checked(probabilities, labels)
    return float(np.mean((values - truth) ** 2))


class Calibrator(Protocol):
    """A non-decreasing function from scores to probabilities."""

    def __call__(self, scores: npt.ArrayLike) -> Floats:
        """Probabilities of scores [n]."""
        ...

    def state(self) -> dict[str, Any]:
        """Plain numbers and lists, from which :func:`calibrator_of` makes it again."""
        ...


@dataclass(frozen=True)
class Platt:
    """σ(slope·logit(s) + intercept)."""

    slope: float
    """Not negative."""
    intercept: float

    def __call__(self, scores: npt.ArrayLike) -> Floats:
        found: Floats = expit(self.slope * logit(scores) + self.intercept)
        return found

    def state(self) -> dict[str, Any]:
        return {"method": "platt", **asdict(self)}


@dataclass(frozen=True)
class Isotonic:
    """Linear between knots, constant beyond the first and the last."""

    scores: tuple[float, ...]
    """Rising, [K]."""
    probabilities: tuple[float, ...]
    """Not falling, strictly between 0 and 1, [K]."""

    def __call__(self, scores: npt.ArrayLike) -> Floats:
        return np.interp(finite("scores", scores, (None,)), self.scores, self.probabilities)

    def state(self) -> dict[str, Any]:
        return {"method": "isotonic", "scores": list(self.scores), "probabilities": list(self.probabilities)}


def fit_calibrator(method: Method, scores: npt.ArrayLike, labels: npt.ArrayLike) -> Platt | Isotonic:
    """Fit a calibrator.

    Args:
        scores: in 0..1, [n].
        labels: bool [n], with at least one positive and one negative.

    Raises:
        ValueError: labels of one kind only, a score outside 0..1, NaN, other shapes or types.
    """
    values, truth = _checked(scores, labels)
    if truth.all() or not truth.any():
        raise ValueError("a calibrator needs positive and negative pairs")
    return _fit_platt(values, truth) if method == "platt" else _fit_isotonic(values, truth)


def _fit_platt(scores: Floats, labels: Bools) -> Platt:
    """Maximum likelihood on Platt's smoothed targets, which stay finite where the scores separate the labels."""
    positive, negative = int(labels.sum()), int((~labels).sum())
    target = np.where(labels, (positive + 1) / (positive + 2), 1 / (negative + 2))
    features = np.tile(logit(scores), 2)[:, None]
    kind = np.repeat([True, False], len(scores))
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    model.fit(features, kind, sample_weight=np.concatenate([target, 1 - target]))
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < 0:  # the order of the scores is kept whatever the labels say: the best constant instead
        slope, intercept = 0.0, float(logit([target.mean()])[0])
    return Platt(slope, intercept)


def _fit_isotonic(scores: Floats, labels: Bools) -> Isotonic:
    """Isotonic regression; its zeros and ones, which n pairs cannot show, become 1/(n + 2) and 1 − 1/(n + 2)."""
    model = IsotonicRegression(out_of_bounds="clip").fit(scores, labels.astype(np.float64))
    edge = 1 / (len(scores) + 2)
    knots = np.asarray(model.X_thresholds_, np.float64), np.asarray(model.y_thresholds_, np.float64)
    return Isotonic(tuple(knots[0].tolist()), tuple(np.clip(knots[1], edge, 1 - edge).tolist()))


def calibrator_of(state: dict[str, Any]) -> Platt | Isotonic:
    """The calibrator whose :meth:`Calibrator.state` this is.

    Raises:
        ValueError: it is none: a missing key, a number that is not finite, a function that falls.
    """
    try:
        if state["method"] == "platt":
            slope, intercept = finite("slope and intercept", [state["slope"], state["intercept"]], (2,)).tolist()
            if slope < 0:
                raise ValueError("the slope is negative")
            return Platt(slope, intercept)
        if state["method"] != "isotonic":
            raise ValueError(f"unknown method {state['method']!r}")
        knots = finite("scores", state["scores"], (None,))
        values = finite("probabilities", state["probabilities"], knots.shape)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no calibrator ({error!r})") from None
    if not len(knots) or (np.diff(knots) <= 0).any() or (np.diff(values) < 0).any() or values[0] < 0 or values[-1] > 1:
        raise ValueError("the knots do not rise")
    return Isotonic(tuple(knots.tolist()), tuple(values.tolist()))


def shift_base_rate(probabilities: npt.ArrayLike, from_rate: float, to_rate: float) -> Floats:
    """Add logit(to_rate) − logit(from_rate) to the logit of each probability.

    Args:
        probabilities: in 0..1, [n]; 0 and 1 stay.
        from_rate: share of positives among the pairs on which the probabilities hold, between 0 and 1.
        to_rate: share of positives among the pairs at hand.

    Raises:
        ValueError: a rate that is not strictly between 0 and 1, a probability outside 0..1, NaN.
    """
    values = _unit(probabilities)
    for rate in (from_rate, to_rate):
        if not 0 < rate < 1:
            raise ValueError(f"a base rate must lie between 0 and 1, not be {rate}")
    ratio = to_rate * (1 - from_rate) / (from_rate * (1 - to_rate))
    return values * ratio / (values * ratio + (1 - values))


def logit(probabilities: npt.ArrayLike) -> Floats:
    """log(p / (1 − p)) of probabilities [n], finite: they are first kept away from 0 and 1.

    Raises:
        ValueError: a value outside 0..1, NaN.
    """
    values = np.clip(_unit(probabilities), _EDGE, 1 - _EDGE)
    found: Floats = np.log(values) - np.log1p(-values)
    return found


def _unit(values: npt.ArrayLike) -> Floats:
    array = finite("probabilities", values, (None,))
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(f"probabilities must lie in 0..1, but reach from {array.min()} to {array.max()}")
    return array


def _checked(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Floats, Bools]:
    truth = booleans("labels", labels, (None,))
    values = _unit(probabilities)
    if values.shape != truth.shape:
        raise ValueError(f"there are {len(values)} probabilities, but {len(truth)} labels")
    if not len(truth):
        raise ValueError("there are no pairs")
    return values, truth
