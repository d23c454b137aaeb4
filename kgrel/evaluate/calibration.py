"""How far scores and probabilities are from the shares that are listed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.evaluate.settings import EvaluationSettings
from kgrel.metrics.bootstrap import interval, mean_statistic
from kgrel.metrics.calibration import brier_score, reliability
from kgrel.metrics.checks import Floats
from kgrel.metrics.classification import best
from kgrel.score.confidence import Wanted, probabilities_of
from kgrel.train.pair_artifact import PairArtifact
from kgrel.train.pair_data import Flags, Rows


def calibration_report(model: PairArtifact, rows: Rows, settings: EvaluationSettings) -> dict[str, Any]:
    """ECE, Brier score and reliability table of the best class, before and after calibration.

    A pair counts as positive if its best class is listed for it. Both are judged on the pairs that have a
    probability; without any, the scores are judged on the covered pairs, and without these on all.

    Returns:
        ``which`` pairs and how many, ``probability``: pairs by reason, ``before``, ``after`` (None without
        probabilities), and the difference of the Brier scores with its interval.

    Raises:
        KgrelError: the calibration was made for another way of scoring.
    """
    data = model.data
    heads, tails = data.heads[rows], data.tails[rows]
    classes, scores = best(model.predict(heads, tails)[0], data.possible(rows))
    listed = data.labels[rows, classes]
    probabilities, reasons = probabilities_of(model, heads, tails, classes, scores, Wanted())
    calibrated = ~np.isnan(probabilities)
    kinds = {"calibrated": calibrated, "covered": data.covered(rows), "all": np.ones(len(rows), dtype=np.bool_)}
    which, inside = next((name, flags) for name, flags in kinds.items() if flags.any())
    chosen = np.flatnonzero(inside)
    report: dict[str, Any] = {
        "which": which,
        "pairs": len(chosen),
        "listed": int(listed[chosen].sum()),
        "probability": dict(sorted(Counter(reasons.tolist()).items())),
        "before": figures(scores[chosen], listed[chosen], settings.bins),
        "after": None,
    }
    if calibrated.any():
        after = probabilities[chosen]
        report["after"] = figures(after, listed[chosen], settings.bins)
        gain = (after - listed[chosen]) ** 2 - (scores[chosen] - listed[chosen]) ** 2
        report["brier_after_minus_before"] = difference(gain, heads[chosen], tails[chosen], settings)
    return report


def figures(probabilities: npt.NDArray[np.float64], listed: Flags, bins: int) -> dict[str, Any]:
    """ECE, Brier score and the reliability table."""
    curve = reliability(probabilities, listed, bins)
    return {"ece": curve.error, "brier": brier_score(probabilities, listed), "reliability": curve.rows()}


def difference(gain: Floats, heads: Rows, tails: Rows, settings: EvaluationSettings) -> dict[str, Any]:
    """The mean of a figure of each pair, with its entity-clustered interval."""
    found = interval(mean_statistic(gain), heads, tails, settings.draws, settings.seed)
    return {"difference": found.estimate, "interval": [found.low, found.high], "excludes_zero": found.excludes_zero}
