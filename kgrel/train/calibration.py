"""From scores to probabilities of being listed, as the PAIRS artifact keeps it.

The probability is that of *being listed in the reference among pairs like the validation pairs*, not of being true.
It is fitted for each class and separately for pairs with and without a common context, on covered pairs alone: those
of which both entities have a training label of the class. For all others there is no probability, but a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import KgrelError
from kgrel.metrics.calibration import Isotonic, Platt, calibrator_of, shift_base_rate
from kgrel.train.pair_data import Flags, Rows

CO_MENTIONED, NEVER = "co_mentioned", "never_co_mentioned"
CALIBRATED, OUTSIDE, NOT_CALIBRATED = "calibrated", "outside_coverage", "not_calibrated"
INDUCTIVE = "inductive"
"""An entity has a predicted embedding, see :mod:`kgrel.score.inductive`."""
REASONS = (CALIBRATED, OUTSIDE, NEVER, NOT_CALIBRATED, INDUCTIVE)
"""Why a scored pair has a probability, or has none. ``outside_coverage``: an entity has no training label of the
class. ``never_co_mentioned``: no sentence mentions the pair, and no such pairs were there to calibrate on.
``not_calibrated``: the artifact, or this class of it, is not calibrated."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """What shifts all scores together, so that a calibration holds for one value of it."""

    samples: int
    """Samples of z a pair and order."""
    seed: int
    """Of the noise."""
    order: str
    """``both`` or ``given``."""
    precision: str
    """Of the matrix products."""
    noise: str
    """Kind of the points."""

    def require(self, other: Sampling) -> None:
        """Refuse scores that were made in another way.

        Raises:
            KgrelError: names the first thing that differs.
        """
        for name, ours in asdict(self).items():
            theirs = getattr(other, name)
            if ours != theirs:
                raise KgrelError(
                    f"the calibration was made with {name} = {ours}, but the scores are made with {name} = {theirs}; "
                    "run kgrel calibrate again, or score as it was made"
                )


@dataclass(frozen=True)
class Calibration:
    """Calibrators by stratum and class, for one way of scoring."""

    sampling: Sampling
    calibrators: dict[str, dict[str, Platt | Isotonic]]
    """Stratum → class → calibrator; a stratum or class that could not be calibrated is absent."""
    base_rates: dict[str, float]
    """Class → share listed among the covered validation pairs of the calibrated strata."""

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``calibration.json``."""
        states = {stratum: {name: c.state() for name, c in by.items()} for stratum, by in self.calibrators.items()}
        return {"sampling": asdict(self.sampling), "calibrators": states, "base_rates": self.base_rates}

    @classmethod
    def from_json(cls, values: dict[str, Any], classes: list[str]) -> Calibration:
        """The inverse of :meth:`to_json`.

        Raises:
            ValueError: the values are none of a calibration of these classes.
        """
        try:
            sampling = Sampling(
                **({"noise": "random"} | values["sampling"])
            )  # the only kind before it was written down
            calibrators = {
                stratum: {name: calibrator_of(state) for name, state in by.items()}
                for stratum, by in values["calibrators"].items()
            }
            rates = {name: float(rate) for name, rate in values["base_rates"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{error!r}") from None
        named = {name for by in calibrators.values() for name in by}
        if calibrators.keys() - {CO_MENTIONED, NEVER} or named - set(classes) or named != rates.keys():
            raise ValueError("strata, classes and base rates do not fit together")
        if not all(0 < rate < 1 for rate in rates.values()):
            raise ValueError("a base rate is not between 0 and 1")
        return cls(sampling, calibrators, rates)

    def probabilities(
        self,
        names: npt.NDArray[np.object_],
        scores: Floats,
        contexts: Rows,
        covered: Flags,
        rates: Mapping[str, float],
    ) -> tuple[Floats, npt.NDArray[np.object_]]:
        """Probabilities of n pairs, each for one class, see :func:`calibrated`."""
        return calibrated(self.calibrators, self.base_rates, names, scores, contexts, covered, rates)


def calibrated(
    calibrators: Mapping[str, Mapping[str, Callable[[Floats], Floats]]],
    base_rates: Mapping[str, float],
    names: npt.NDArray[np.object_],
    scores: Floats,
    contexts: Rows,
    covered: Flags,
    rates: Mapping[str, float],
) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Probabilities of n pairs, each for one class.

    Args:
        calibrators: stratum → class → from scores to probabilities.
        base_rates: class → share listed among the validation pairs.
        names: the class of each pair (n,).
        scores: p̄ of that class (n,).
        contexts: number of contexts that mention the pair (n,).
        covered: whether both entities have a training label of that class (n,).
        rates: class → share listed among the pairs at hand, where it differs from that of validation.

    Returns:
        Probabilities (n,), NaN where there is none, and a reason of :data:`REASONS` for each pair (n,).
    """
    found = np.full(len(scores), np.nan)
    reasons = np.full(len(scores), NOT_CALIBRATED, dtype=object)
    never = contexts == 0
    if NEVER not in calibrators:
        reasons[never] = NEVER
    for stratum, inside in ((CO_MENTIONED, ~never), (NEVER, never)):
        for name, calibrator in calibrators.get(stratum, {}).items():
            rows = np.flatnonzero(inside & covered & (names == name))
            values = calibrator(scores[rows])
            if name in rates:
                values = shift_base_rate(values, base_rates[name], rates[name])
            found[rows], reasons[rows] = values, CALIBRATED
    reasons[~covered] = OUTSIDE
    return found, reasons
