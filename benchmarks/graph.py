"""Graphs: import of Hetionet.

    python benchmarks/graph.py

Runs in a process of its own. The machine's own limit beside the import is reading the same two files through gzip.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import DATA, hardware, load, peak_kib, save, today

NODES, EDGES = DATA / "kg" / "hetionet-nodes.tsv.gz", DATA / "kg" / "hetionet-edges.sif.gz"
QUICK_LINES = 100_001
REPEATS = 3


def child(nodes: Path, edges: Path, directory: Path) -> dict[str, Any]:
    """Import and open the graph, in this process."""
    from kgrel.graph.build import import_graph
    from kgrel.graph.graph import Graph

    begin = time.perf_counter()
    artifact = import_graph([nodes, edges], directory / "graph")
    imported = time.perf_counter()
    Graph.open(artifact.path)
    opened = time.perf_counter()
    size = sum(path.stat().st_size for path in artifact.path.iterdir())
    seconds = {"seconds": imported - begin, "open_seconds": opened - imported}
    return artifact.manifest.summary | seconds | {"peak_mb": peak_kib() / 1024, "bytes": size}


def unpack_seconds(*paths: Path) -> float:
    """Seconds to read files through gzip."""
    begin = time.perf_counter()
    for path in paths:
        with gzip.open(path, "rb") as stream:
            while stream.read(1 << 22):
                pass
    return time.perf_counter() - begin


def measure_import(quick: bool) -> dict[str, Any]:
    """The better of some imports."""
    with tempfile.TemporaryDirectory(prefix="kgrel-benchmark-") as name:
        directory, edges, runs = Path(name), EDGES, []
        if quick:
            edges = directory / EDGES.name
            with gzip.open(EDGES, "rb") as source, gzip.open(edges, "wb") as target:
                target.writelines(line for line, _ in zip(source, range(QUICK_LINES), strict=False))
        for repeat in range(1 if quick else REPEATS):
            place = directory / str(repeat)
            place.mkdir()
            command = [sys.executable, __file__, "--child", str(NODES), str(edges), str(place)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            runs.append(json.loads(printed.splitlines()[-1]))
        best = min(runs, key=lambda run: run["seconds"])
        return best | {"unpack_seconds": unpack_seconds(NODES, edges), "all_seconds": [run["seconds"] for run in runs]}


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the first 100,000 edges, once; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    parser.add_argument("--child", nargs=3, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(*options.child)))
        return
    result = {"date": today(), "hardware": hardware(), "import": measure_import(options.quick)}
    if not options.quick:
        save("graph", load("graph") | result)
    print(json.dumps(result, allow_nan=False) if options.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
