"""What may be told beside a score: a probability, an interval, entropies, the spread of an ensemble.

Not every scorer can tell them; those that can satisfy :class:`Calibrated` or :class:`Uncertain`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.errors import KgrelError, did_you_mean
from kgrel.model.uncertainty import Predicted
from kgrel.train.calibration import NOT_CALIBRATED

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.object_]

UNCERTAINTY = {
    "score_low": pa.float64(),
    "score_high": pa.float64(),
    "entropy": pa.float64(),
    "disagreement": pa.float64(),
}
"""Columns that are added where uncertainty is wanted: the 5 and 95 % quantile of ``score`` over samples and orders,
mean entropy within a sample and disagreement between samples (nats)."""
EPISTEMIC = {"epistemic_std": pa.float64()}
"""Added beside them for an ensemble of enough seeds: spread of the members' scores."""


@runtime_checkable
class Calibrated(Protocol):
    """A scorer that can turn its scores into probabilities."""

    def probabilities(
        self, heads: Rows, tails: Rows, classes: Rows, scores: Floats, rates: Mapping[str, float]
    ) -> tuple[Floats, Names]:
        """Probability of one class for each pair (n,), NaN where there is none, and the reason (n,)."""
        ...


@runtime_checkable
class Uncertain(Protocol):
    """A scorer that knows how sure it is."""

    @property
    def epistemic(self) -> bool:
        """Whether the spread of its members tells how well the weights are known."""
        ...

    def predict_with_uncertainty(self, heads: Rows, tails: Rows) -> Predicted:
        """As ``predict``, with interval, entropies and the spread of the members."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What is to be told beside a score."""

    uncertainty: bool = False
    """The columns of :data:`UNCERTAINTY`."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Class → share listed among the pairs at hand, where it differs from that of the validation pairs."""


def wanted_of(scorer: object, classes: list[str], uncertainty: bool, rates: Sequence[str]) -> Wanted:
    """What is wanted, in the form of settings.

    Raises:
        KgrelError: the scorer gives no uncertainty or no probabilities; a base rate that is none.
    """
    if uncertainty and not isinstance(scorer, Uncertain):
        raise KgrelError("this scorer gives no uncertainty; leave out --uncertainty")
    if rates and not isinstance(scorer, Calibrated):
        raise KgrelError("this scorer gives no probabilities; leave out --base-rate")
    return Wanted(uncertainty, base_rates(rates, classes))


def base_rates(texts: Sequence[str], classes: list[str]) -> dict[str, float]:
    """Class → rate from ``CLASS=RATE`` and ``RATE``; the latter is that of every class that is not named.

    Raises:
        KgrelError: an unknown class, a class twice, or a rate that is no number between 0 and 1.
    """
    named: dict[str | None, float] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        if name and name not in classes:
            known = ", ".join(classes)
            raise KgrelError(f"--base-rate {text}: no class {name!r}{did_you_mean(name, classes)}; there are {known}")
        if (name or None) in named:
            raise KgrelError(f"--base-rate {text}: the rate of {name or 'all classes'} is given twice")
        named[name or None] = rate_of(text, value)
    rest = named.pop(None, None)
    found = {} if rest is None else dict.fromkeys(classes, rest)
    return found | {str(name): rate for name, rate in named.items()}


def rate_of(text: str, value: str) -> float:
    """A rate, strictly between 0 and 1."""
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1:
        raise KgrelError(f"--base-rate {text}: give CLASS=RATE or RATE, a share greater than 0 and less than 1")
    return rate


def probabilities_of(
    scorer: object, heads: Rows, tails: Rows, classes: Rows, scores: Floats, wanted: Wanted
) -> tuple[Floats, Names]:
    """Probability of the best class of each pair, NaN where there is none, and the reason: (n,) each."""
    if isinstance(scorer, Calibrated):
        return scorer.probabilities(heads, tails, classes, scores, wanted.rates)
    return np.full(len(heads), np.nan), np.full(len(heads), NOT_CALIBRATED, dtype=object)


def further_columns(scorer: object, wanted: Wanted) -> dict[str, pa.DataType]:
    """The columns that stand behind those of every answer."""
    if not wanted.uncertainty:
        return {}
    return UNCERTAINTY | (EPISTEMIC if isinstance(scorer, Uncertain) and scorer.epistemic else {})


def further_values(predicted: Predicted, classes: Rows) -> dict[str, Floats]:
    """Values of all columns that uncertainty may add, for the best class of each pair: name → (n,)."""
    at = np.arange(len(classes)), classes
    return {
        "score_low": predicted.low[at],
        "score_high": predicted.high[at],
        "entropy": predicted.entropy,
        "disagreement": predicted.disagreement,
        "epistemic_std": predicted.member_std[at],
    }
