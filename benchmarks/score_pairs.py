"""Speed of scoring: pairs a second, as a share of the machine's matrix rate for the arithmetic that is needed.

    python benchmarks/score_pairs.py
    python benchmarks/score_pairs.py --candidates 600000 --repeat 6     # peak memory of a short list, and how it varies
    python benchmarks/score_pairs.py --candidates 60000000              # and of a long one

Ratios within one run mean more than absolute figures: machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import WORK, hardware, load, save, today
from torch import Tensor
from torch.nn import functional as F

from kgrel.metrics.thresholds import best_threshold
from kgrel.model.classifier import RelationClassifier
from kgrel.model.noise import CommonNoise, common_noise
from kgrel.model.predictive import Predictive
from kgrel.model.presets import SIZES, Dimensions
from kgrel.model.relvm import PairPrior
from kgrel.score.settings import ScoreSettings
from kgrel.train.pair_model import PairModel
from kgrel.train.train_pairs import tune_threshold

SAMPLES, CLASSES, HIDDEN, ENTITIES = 8, 5, 300, 20_000


def flop_per_pair(d: Dimensions) -> int:
    """Multiplications and additions that one pair needs in one order: layers times what depends on the pair."""
    prior = d.hidden * d.hidden + d.hidden * 2 * d.z
    classifier = d.z * HIDDEN + (HIDDEN + d.z) * CLASSES
    return 2 * (d.embedding * d.hidden + SAMPLES * (prior + classifier))


def rate_of(run: Callable[[], object], work: float, repeats: int = 3) -> float:
    """Units of work a second, best of some repeats."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return work / min(seconds)


def matrix_rate(dtype: torch.dtype, device: str, size: int) -> float:
    """FLOP/s of a square matrix product."""
    a = torch.randn(size, size, device=device).to(dtype)

    def product() -> None:
        (a @ a)[0, 0].item()

    return rate_of(product, 2 * size**3, repeats=5)


@torch.no_grad()
def textbook(prior: PairPrior, classifier: RelationClassifier, x: Tensor, y: Tensor, noise: CommonNoise) -> Tensor:
    """The model as the paper writes it: concatenate, multiply, one batch of (pairs × samples) rows."""
    pairs = prior.pair_features(x, y).unsqueeze(1).expand(-1, SAMPLES, -1)
    u, z = (part.expand(len(x), -1, -1) for part in noise)
    net = prior.prior
    h = F.relu(net.hidden1(torch.cat([pairs, u], dim=-1)))
    h = torch.cat([F.relu(net.hidden2(torch.cat([h, u], dim=-1))), u], dim=-1)
    p: Tensor = classifier(net.mean(h) + torch.exp(0.5 * net.log_var(h)) * z).exp().mean(1)
    return p


def measure_size(size: str, count: int, device: str) -> list[dict[str, Any]]:
    """Pairs a second of one size, for each precision and order, and of the textbook version."""
    torch.manual_seed(0)
    prior = PairPrior(SIZES[size], ENTITIES).to(device)
    classifier = RelationClassifier(SIZES[size].z, CLASSES, HIDDEN).to(device)
    noise = common_noise(SIZES[size], SAMPLES, seed=0)
    rng = np.random.default_rng(0)
    heads, tails = rng.integers(0, ENTITIES, count), rng.integers(0, ENTITIES, count)
    possible = np.ones((count, CLASSES), dtype=np.bool_)
    x, y = (torch.from_numpy(side[: count // 8]).to(device) for side in (heads, tails))

    def plain() -> None:
        for start in range(0, len(x), 256):
            textbook(prior, classifier, x[start : start + 256], y[start : start + 256], noise_there)

    noise_there = CommonNoise(noise.u.to(device), noise.z.to(device))
    book = rate_of(plain, len(x), repeats=2)
    rows = [{"size": size, "engine": "textbook", "precision": "fp32", "order": "given", "pairs_per_second": book}]
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        side = 4096 if device == "cuda" else 2048
        for order in ("given", "both"):
            engine = Predictive(prior, classifier, noise, order, precision)
            before = matrix_rate(dtype, device, side)
            rate = rate_of(lambda engine=engine: engine(heads, tails, possible), count)
            limit = max(before, matrix_rate(dtype, device, side))  # on a shared machine, the better of two moments
            work = flop_per_pair(SIZES[size]) * (2 if order == "both" else 1)
            row = {"size": size, "engine": "factorised", "precision": precision, "order": order}
            row |= {"pairs_per_second": rate, "times_textbook": rate / book * (2 if order == "both" else 1)}
            rows.append(row | {"share_of_matrix_rate": rate * work / limit, "matrix_gflops": limit / 1e9})
    return rows


def threshold_seconds(pairs: int = 700_000) -> float:
    """The exact threshold search over all scores of many pairs and five classes."""
    rng = np.random.default_rng(0)
    best_class, score = rng.integers(0, CLASSES, pairs), rng.random(pairs)
    labels = np.zeros((pairs, CLASSES), dtype=np.bool_)
    labels[np.arange(pairs), best_class] = rng.random(pairs) < 0.1 * score
    return 1.0 / rate_of(lambda: best_threshold(best_class, score, labels), 1.0)


def tiny_pairs() -> Path:
    """A PAIRS artifact of the demo: one sample in one order, so that reading and writing weigh."""
    demo, pairs = WORK / "demo", WORK / "pairs-one-sample"
    if not demo.exists():
        subprocess.run([sys.executable, "-m", "kgrel_cli", "demo", "--out", str(demo)], check=True)
    if not pairs.exists():
        model = PairModel.open(demo / "pairs")
        tune_threshold(model, pairs, replace(model.settings, prediction_samples=1, order="given"))
    return pairs


def list_memory(rows: int) -> dict[str, Any]:
    """Peak memory of `kgrel score-pairs` on a list of this many rows, tiny size, in a process of its own.

    Anonymous memory is looked at after each chunk. The whole resident set counts pages of libraries and of mapped files
    too, which the system takes away as it likes, and is greatest while torch is loaded.
    """
    pairs = tiny_pairs()
    candidates, out = WORK / f"candidates-{rows}.csv", WORK / f"scored-{rows}.csv"
    write_candidates(pairs, candidates, rows)
    child = f"""
import json, resource, sys, time
from kgrel.data.progress import Silent
from kgrel.score.stream import score_file
from kgrel.score.settings import ScoreSettings
from kgrel.train.pair_model import PairModel
anonymous = []
class Watch(Silent):
    def advance(self, units, note=""):
        line = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
        anonymous.append(int(line.split()[1]) / 1024)
model = PairModel.open({str(pairs)!r})
at_start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
start = time.perf_counter()
score_file(model, {str(candidates)!r}, {str(out)!r}, overwrite=True, progress=Watch())
print(json.dumps({{"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time(),
                  "peak_anonymous_mb": max(anonymous), "peak_mb_at_start": at_start,
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""
    printed = subprocess.run([sys.executable, "-c", child], check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    for path in (candidates, out):
        path.unlink()
    return {"date": today(), "rows": rows, "chunk_rows": ScoreSettings().chunk_rows, **found}


def write_candidates(pairs: Path, path: Path, rows: int) -> None:
    """Random pairs of the artifact's entities, as csv."""
    import pyarrow as pa

    from kgrel.data.tables import write_table

    entities, rng = PairModel.open(pairs).entities, np.random.default_rng(0)
    names = pa.array([f"{type_}::{id_}" for type_, id_ in zip(entities.types, entities.ids, strict=True)])
    schema = pa.schema([("source", pa.string()), ("target", pa.string())])
    with write_table(path, schema) as writer:
        for start in range(0, rows, 1_000_000):
            size = min(1_000_000, rows - start)
            columns = [names.take(pa.array(rng.integers(0, len(names), size))) for _ in range(2)]
            writer.write(pa.table(columns, schema=schema))


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--candidates", type=int, help="rows of a long list: measure memory instead of speed")
    parser.add_argument("--repeat", type=int, default=1, help="with --candidates: so many processes, one after another")
    parser.add_argument("--quick", action="store_true", help="fewer pairs; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    result = {"date": today(), "hardware": hardware()}
    if options.candidates:
        result["lists"] = [list_memory(options.candidates) for _ in range(options.repeat)]
    else:
        shrink = 8 if options.quick else 1
        scale = 64 if options.device == "cuda" else 1
        counts = {"x-small": 65_536 * scale // shrink, "large": 16_384 * scale // shrink}
        result["speed"] = [row for size, n in counts.items() for row in measure_size(size, n, options.device)]
        result["threshold_search_700000x5_seconds"] = threshold_seconds()
    if not options.quick:
        kept = load("score_pairs")
        if "lists" in result:
            new = {(row["rows"], row["chunk_rows"]) for row in result["lists"]}
            old = [row for row in kept.get("lists", {}).get("lists", []) if (row["rows"], row["chunk_rows"]) not in new]
            result["lists"] = [*old, *result["lists"]]
        save("score_pairs", kept | {options.device if "speed" in result else "lists": result})
    if options.json:
        print(json.dumps(result, allow_nan=False))
    else:
        print(json.dumps({key: value for key, value in result.items() if key != "hardware"}, indent=1))


if __name__ == "__main__":
    main()
