"""Graphs: import of Hetionet, and drawing paths as contexts. What they are worth beside text: graph_table.py.

    python benchmarks/graph.py import
    python benchmarks/graph.py paths

Each runs in a process of its own. The machine's own limit beside the import is reading the same two files
through gzip; beside drawing paths, the sparse product of the weights of steps with as many columns as pairs have ends.
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

from kgrel.data.settings import to_json

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
            command = [sys.executable, __file__, "import", "--child", str(NODES), str(edges), str(place)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            runs.append(json.loads(printed.splitlines()[-1]))
        best = min(runs, key=lambda run: run["seconds"])
        return best | {"unpack_seconds": unpack_seconds(NODES, edges), "all_seconds": [run["seconds"] for run in runs]}


def paths_child(graph_path: Path, pairs: int) -> dict[str, Any]:
    """Draw paths of edges' and of shuffled pairs, in this process."""
    import numpy as np

    from kgrel.graph.graph import Graph
    from kgrel.graph.paths import draw_paths
    from kgrel.graph.settings import PathSettings
    from kgrel.graph.walks import Walks

    graph, rng, settings = Graph.open(graph_path), np.random.default_rng(0), PathSettings()
    ends = graph.ends[:, rng.choice(graph.edge_count, pairs // 2, replace=False)]
    ends = np.concatenate([ends, np.stack([ends[0], rng.permutation(ends[1])])], axis=1)
    heads, tails = ends[:, ends[0] != ends[1]]
    begin = time.perf_counter()
    walks = Walks(graph, settings.damping)
    count, found = 0, 0
    for paths in draw_paths(walks, heads, tails, settings.paths, settings.longest, rng):
        count, found = count + len(paths), found + len(np.unique(paths.pairs))
    seconds, peak = time.perf_counter() - begin, peak_kib() / 1024
    columns = np.unique(tails)
    begin = time.perf_counter()
    for start in range(0, len(columns), 128):
        walks.weights @ walks.weights[:, columns[start : start + 128]]
    product = time.perf_counter() - begin
    return {
        "pairs": len(heads), "pairs_with_path": found, "paths": count, "seconds": seconds, "peak_mb": peak,
        "product_seconds": product, "settings": to_json(settings),
    }  # fmt: skip


def measure_paths(quick: bool, pairs: int) -> dict[str, Any]:
    """Import the graph, then draw in a process of its own."""
    from kgrel.graph.build import import_graph

    with tempfile.TemporaryDirectory(prefix="kgrel-benchmark-") as name:
        artifact = import_graph([NODES, EDGES], Path(name) / "graph")
        command = [sys.executable, __file__, "paths", "--child", str(artifact.path), str(5000 if quick else pairs)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return dict(json.loads(printed.splitlines()[-1]))


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["import", "paths"], help="which measurement")
    parser.add_argument("--quick", action="store_true", help="fewer edges or pairs, once; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    parser.add_argument("--pairs", type=int, default=200_000, help="pairs to draw paths for, half of them joined")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child and options.what == "import":
        print(json.dumps(child(*map(Path, options.child))))
        return
    if options.child:
        print(json.dumps(paths_child(Path(options.child[0]), int(options.child[1]))))
        return
    importing = options.what == "import"
    measured = measure_import(options.quick) if importing else measure_paths(options.quick, options.pairs)
    result = {"date": today(), "hardware": hardware()} | measured
    if not options.quick:
        save("graph", load("graph") | {options.what: result})
    print(json.dumps(result, allow_nan=False) if options.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
