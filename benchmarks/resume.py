"""A million real pairs scored whole, and killed with SIGKILL and resumed: the same bytes?

    python benchmarks/resume.py --pairs runs/pairs-default-seed0

Genes × diseases and genes × chemicals in a random order, as csv; both runs are `kgrel score-pairs` in processes of
their own with one thread. The second one is killed at random moments, the last one while it is nearly done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from common import WORK, hardware, save, today

from kgrel.data.tables import write_table
from kgrel.score.rank import rows_of_type
from kgrel.train.pair_model import PairModel

CHUNK_ROWS = 65_536


def write_candidates(model: PairModel, path: Path, rows: int) -> None:
    """Random pairs of a gene and a disease or a chemical; a tenth of them co-mentioned ones."""
    rng, entities = np.random.default_rng(0), model.entities
    names = np.array([f"{type_}::{id_}" for type_, id_ in zip(entities.types, entities.ids, strict=True)], dtype=object)
    others = np.concatenate([rows_of_type(entities, type_) for type_ in ("DISEASE", "CHEMICAL")])
    heads, tails = rng.choice(rows_of_type(entities, "GENE"), rows), rng.choice(others, rows)
    seen = rng.choice(len(model.comentions[0]), rows // 10)
    heads[: len(seen)], tails[: len(seen)] = (side[seen] for side in model.comentions[:2])
    order = rng.permutation(rows)
    columns = {"source": names[heads[order]], "target": names[tails[order]], "number": np.arange(rows)}
    table = pa.table(columns)
    with write_table(path, table) as writer:
        writer.write(table)


def command(pairs: Path, candidates: Path, out: Path) -> list[str]:
    """The command line of a run."""
    arguments = ["score-pairs", str(pairs), str(candidates), "--out", str(out), "--json", "--overwrite"]
    return [sys.executable, "-m", "kgrel_cli", *arguments, "--chunk-rows", str(CHUNK_ROWS)]


def killed_at(arguments: list[str], parts: Path, chunks: int, seconds: float) -> int:
    """Kill a run some seconds after it has so many parts; how many it then has."""
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    while child.poll() is None and len(list(parts.glob("*.arrow"))) < chunks:
        time.sleep(0.01)
    time.sleep(seconds)
    child.kill()
    child.wait()
    return len(list(parts.glob("*.arrow")))


def environment() -> dict[str, str]:
    """One thread, so that sums have one order."""
    return os.environ | {"OMP_NUM_THREADS": "1"}


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=WORK / "pairs-default-seed0", help="PAIRS artifact")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--quick", action="store_true", help="200,000 rows, one kill; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    rows, kills = (200_000, 1) if options.quick else (options.rows, options.kills)
    candidates, whole, killed = (WORK / f"resume-{name}.csv" for name in ("list", "whole", "killed"))
    write_candidates(PairModel.open(options.pairs), candidates, rows)
    start = time.perf_counter()
    run = subprocess.run(
        command(options.pairs, candidates, whole), check=True, capture_output=True, text=True, env=environment()
    )
    seconds = time.perf_counter() - start
    seed, chunks = random.randrange(10**6), -(-rows // CHUNK_ROWS)
    rng, parts, found = random.Random(seed), killed.with_name(f".{killed.name}.parts"), []
    for wanted in sorted([*(rng.randrange(chunks) for _ in range(kills - 1)), chunks - 1]):
        found.append(killed_at(command(options.pairs, candidates, killed), parts, wanted, rng.random()))
        print(f"killed with {found[-1]} of {chunks} parts", flush=True)
    last = subprocess.run(
        command(options.pairs, candidates, killed), check=True, capture_output=True, text=True, env=environment()
    )
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (whole, killed)]
    result: dict[str, Any] = {"date": today(), "hardware": hardware(), "artifact": options.pairs.name, "rows": rows}
    result |= {"seconds_whole": round(seconds, 1), "summary": json.loads(run.stdout), "chunks": chunks, "seed": seed}
    result |= {"parts_at_kills": found, "resumed_rows": json.loads(last.stdout)["resumed_rows"]}
    result |= {"same_bytes": digests[0] == digests[1], "sha256": digests[0], "bytes": whole.stat().st_size}
    result |= {"left_behind": [path.name for path in WORK.iterdir() if path.name.startswith(f".{killed.name}")]}
    for path in (candidates, whole, killed):
        path.unlink()
    if not options.quick:
        save("resume", result)
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
