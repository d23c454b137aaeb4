"""Which noise for the common samples of (u, z): pseudo-random, scrambled Sobol, antithetic or orthogonal?

    python benchmarks/sampling.py --pairs runs/pairs-default-seed0

For each kind and number of samples S, over 32 seeds, against 4,096 pseudo-random samples: bias and standard error of a
score, Kendall's τ with the reference ranking, and pairs that change sides of the threshold.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from common import RESULTS, WORK, hardware, save, today
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from scipy.stats import kendalltau

from kgrel.metrics.classification import best
from kgrel.metrics.thresholds import best_threshold
from kgrel.model.noise import KINDS, NoiseKind, common_noise
from kgrel.model.predictive import Predictive
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import with_no_relation

REFERENCE_SAMPLES = 4096
SAMPLES = (2, 4, 8, 16, 32)
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def scores(model: PairModel, rows: Rows, samples: int, seed: int, kind: NoiseKind) -> tuple[Rows, Floats]:
    """The best class of each pair and its score, under one draw of the common noise."""
    noise = common_noise(model.prior.dimensions, samples, seed, kind)
    predictive = Predictive(model.prior, model.classifier, noise, model.settings.order, features=model.features)
    heads, tails, possible = model.data.heads[rows], model.data.tails[rows], model.data.possible(rows)
    return best(predictive(heads, tails, with_no_relation(possible))[0][:, 1:], possible)


def compare(drawn: Floats, reference: Floats, threshold: float) -> dict[str, float]:
    """Figures of the draws (seeds, pairs) against the reference (pairs,).

    ``bias``: root mean square over pairs of the draws' mean less the reference; of an unbiased kind about
    ``standard_error`` / √seeds remains. ``common_shift``: spread between draws of the mean score of all pairs.
    """
    flips = (drawn > threshold) != (reference > threshold)
    return {
        "bias": float(np.sqrt(((drawn.mean(0) - reference) ** 2).mean())),
        "standard_error": float(np.sqrt(drawn.var(0, ddof=1).mean())),
        "common_shift": float(np.std(drawn.mean(1), ddof=1)),
        "kendall_tau": float(np.mean([kendalltau(one, reference).statistic for one in drawn])),
        "flips_per_cent": float(100 * flips.mean()),
    }


def draw(table: list[dict[str, Any]], path: Path) -> None:
    """Standard error against the number of samples, a line a kind, both axes logarithmic."""
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    axes = figure.subplots()
    for kind in KINDS:
        rows = [row for row in table if row["kind"] == kind]
        axes.plot([row["samples"] for row in rows], [row["standard_error"] for row in rows], marker="o", label=kind)
    first = next(row for row in table if row["kind"] == "random")
    slope = [first["standard_error"] * (first["samples"] / samples) ** 0.5 for samples in SAMPLES]
    axes.plot(SAMPLES, slope, color="0.7", linestyle="--", label="1/√S")
    axes.set(xscale="log", yscale="log", xlabel="samples S", ylabel="standard error of a score")
    axes.set_xticks(SAMPLES, [str(samples) for samples in SAMPLES])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.legend()
    figure.savefig(path, dpi=150, metadata={"Software": None})


def main() -> None:
    """Run the comparison and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=WORK / "pairs-default-seed0", help="PAIRS artifact")
    parser.add_argument("--count", type=int, default=1000, help="validation pairs, a random choice")
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--quick", action="store_true", help="200 pairs, 4 seeds; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    count, seeds = (200, 4) if options.quick else (options.count, options.seeds)
    model = PairModel.open(options.pairs)
    rows = np.random.default_rng(0).permutation(model.data.rows(Part.VALIDATION))[:count]
    classes, reference = scores(model, rows, REFERENCE_SAMPLES, 10**6, "random")
    threshold = best_threshold(classes, reference, model.data.labels[rows]).value
    table: list[dict[str, Any]] = []
    for samples in SAMPLES:
        for kind in KINDS:
            drawn = np.stack([scores(model, rows, samples, seed, kind)[1] for seed in range(seeds)])
            table.append({"samples": samples, "kind": kind} | compare(drawn, reference, threshold))
            print(table[-1], flush=True)
    result = {"date": today(), "hardware": hardware(), "pairs": count, "seeds": seeds, "table": table}
    result |= {"reference_samples": REFERENCE_SAMPLES, "order": model.settings.order, "threshold": threshold}
    result["artifact"] = options.pairs.name
    if not options.quick:
        save("sampling", result)
        draw(table, RESULTS / "sampling.png")
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
