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
from common import WORK, hardware, save, today
from scipy.stats import kendalltau

from kgrel.metrics.classification import best
from kgrel.model.noise import KINDS, NoiseKind, common_noise
from kgrel.model.predictive import Predictive
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import with_no_relation

REFERENCE_SAMPLES = 4096
SAMPLES = (2, 4, 8, 16, 32)
Floats = npt.NDArray[np.float64]


def scores(model: PairModel, rows: npt.NDArray[np.int64], samples: int, seed: int, kind: NoiseKind) -> Floats:
    """The best class' score of each pair, under one draw of the common noise."""
    noise = common_noise(model.prior.dimensions, samples, seed, kind)
    predictive = Predictive(model.prior, model.classifier, noise, model.settings.order)
    heads, tails, possible = model.data.heads[rows], model.data.tails[rows], model.data.possible(rows)
    return best(predictive(heads, tails, with_no_relation(possible))[0][:, 1:], possible)[1]


def compare(drawn: Floats, reference: Floats, threshold: float) -> dict[str, float]:
    """Figures of the draws (seeds, pairs) against the reference (pairs,)."""
    flips = (drawn > threshold) != (reference > threshold)
    return {
        "bias": float(np.abs(drawn.mean(0) - reference).mean()),
        "common_shift": float(np.std(drawn.mean(1))),
        "standard_error": float(np.sqrt(((drawn - reference) ** 2).mean())),
        "kendall_tau": float(np.mean([kendalltau(one, reference).statistic for one in drawn])),
        "flips_per_cent": float(100 * flips.mean()),
    }


def main() -> None:
    """Run the comparison and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=WORK / "pairs-default-seed0", help="PAIRS artifact")
    parser.add_argument("--count", type=int, default=2000, help="validation pairs, a random choice")
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--quick", action="store_true", help="200 pairs, 4 seeds; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    count, seeds = (200, 4) if options.quick else (options.count, options.seeds)
    model = PairModel.open(options.pairs)
    rows = np.random.default_rng(0).permutation(model.data.rows(Part.VALIDATION))[:count]
    reference = scores(model, rows, REFERENCE_SAMPLES, 10**6, "random")
    table: list[dict[str, Any]] = []
    for samples in SAMPLES:
        for kind in KINDS:
            drawn = np.stack([scores(model, rows, samples, seed, kind) for seed in range(seeds)])
            table.append({"samples": samples, "kind": kind} | compare(drawn, reference, float(model.thresholds[0])))
            print(table[-1], flush=True)
    result = {"date": today(), "hardware": hardware(), "pairs": count, "seeds": seeds, "table": table}
    result |= {"reference_samples": REFERENCE_SAMPLES, "order": model.settings.order}
    if not options.quick:
        save("sampling", result)
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
