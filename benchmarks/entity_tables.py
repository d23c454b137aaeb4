"""The cost of a large entity table: a pretraining step with dense and with sparse gradients of it.

    python benchmarks/entity_tables.py                     # 10,000, 100,000 and 1,000,000 entities
    python benchmarks/entity_tables.py --entities 300000

The default recipe's step (x-small, bag of words, batches of 768 contexts, bf16) on entities drawn at random. Each case
runs in a process of its own, for its peak memory. The least that dense gradients can cost is the memory that Adam has
to move for every number of the table, at the measured bandwidth of copying.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch
from common import hardware, load, peak_kib, save, today
from pretrain_step import WORDS
from torch import nn

from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM
from kgrel.train.devices import make_fabric
from kgrel.train.optimizers import clip_gradients, make_optimizers

BATCH, LENGTH, STEPS = 768, 29, 6
KINDS = ("dense", "sparse")
MOVED = 7
"""Numbers that Adam moves for each of a table: weight, gradient and two moments read, three of them written."""


def case(entities: int, kind: str) -> dict[str, float]:
    """Seconds of a step, the better half of some, and peak memory of this process."""
    torch.manual_seed(0)
    fabric = make_fabric("cpu", "bf16")
    model: nn.Module = RELVM(SIZES["x-small"], entities, WORDS, bag_of_words=True)
    model.entity_embedding.sparse = kind == "sparse"  # type: ignore[union-attr]
    for part in (model.decoder, model.recogniser):
        part.requires_grad_(False)  # type: ignore[union-attr]
    module, *optimizers = fabric.setup(model, *make_optimizers(model, 3e-3, 0.0))
    rng, taken = np.random.default_rng(0), []
    for _ in range(STEPS):
        x, y = (torch.from_numpy(rng.integers(0, entities, BATCH)) for _ in range(2))
        tokens = torch.from_numpy(rng.integers(4, WORDS, (BATCH, LENGTH)))
        noise = torch.randn(BATCH, 1, 300), torch.randn(BATCH, 1, 300)
        begin = time.perf_counter()
        loss = -module(x, y, tokens, *noise, with_decoder=False, with_recogniser=False).bag.mean()
        for optimizer in optimizers:
            optimizer.zero_grad()
        fabric.backward(loss)
        clip_gradients(model, 1.0, 0)
        for optimizer in optimizers:
            optimizer.step()
        taken.append(time.perf_counter() - begin)
    return {"seconds": float(np.median(sorted(taken)[: STEPS // 2 + 1])), "peak_mb": peak_kib() / 1024}


def bandwidth() -> float:
    """Bytes a second that a copy reads and writes, best of five."""
    source, target, best = torch.zeros(100_000_000), torch.zeros(100_000_000), float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        target.copy_(source)
        best = min(best, time.perf_counter() - begin)
    return 2 * source.nbytes / best


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, action="append", help="rows of the table; may be repeated")
    parser.add_argument("--quick", action="store_true", help="10,000 entities; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(case(int(options.child[0]), options.child[1])))
        return
    rows: list[dict[str, Any]] = []
    counts = [10_000] if options.quick else options.entities or [10_000, 100_000, 1_000_000]
    for entities in counts:
        for kind in KINDS:
            command = [sys.executable, __file__, "--child", str(entities), kind]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows.append({"entities": entities, "gradients": kind, **json.loads(printed.splitlines()[-1])})
            print(rows[-1], file=sys.stderr, flush=True)
    rate = bandwidth()
    floors = {str(count): 4 * MOVED * 300 * count / rate for count in counts}
    result = {"date": today(), "hardware": hardware(), "bytes_a_second": rate, "dense_floor_seconds": floors}
    if not options.quick:
        save("entity_tables", load("entity_tables") | result | {"rows": rows})
    if options.json:
        print(json.dumps(result | {"rows": rows}, allow_nan=False))


if __name__ == "__main__":
    main()
