"""Export: seconds, memory and bytes of each writer, and Bolt beside the driver's own bare loop.

    python benchmarks/export.py                        # files, 100,000 and 1,000,000 edges
    python benchmarks/export.py --memory               # peak memory alone, 100,000 and 10,000,000 edges
    python benchmarks/export.py --bolt                 # 100,000 edges into a database on this machine

Each writer runs in a process of its own. The machine's own limit beside it is copying the same bytes to a new file and
forcing them to the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import peak_kib

from kgrel.data.entities import EntityTable
from kgrel.export import ladybug as ladybug_file
from kgrel.export import write
from kgrel.export.bolt import load, transactions
from kgrel.export.cypher import merge_edges
from kgrel.export.provenance import Provenance
from kgrel.export.scored import ScoredEdges, select_edges
from kgrel.export.settings import BoltSettings, KgxSettings, LadybugSettings

GENES, DISEASES = 20_000, 6_000
REPEATS = 2
"""Of writing and of copying; the better counts, as the first touch of fresh memory takes long on some machines."""
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "kgx, JSON Lines": ("kgx", "out", {}),
    "kgx, TSV": ("kgx", "out", {"settings": KgxSettings("tsv")}),
    "neo4j-csv": ("neo4j-csv", "out", {}),
    "neptune": ("neptune", "out", {}),
    "rdf, TriG": ("rdf", "out.trig", {}),
    "rdf, N-Quads": ("rdf", "out.nq", {}),
    "graphml": ("graphml", "out.graphml", {}),
    "cx2": ("cx2", "out.cx2", {}),
    "trapi": ("trapi", "out.json", {}),
    "ladybug": ("ladybug", "out.lbdb", {}),
}
"""Name → format, output, options."""
PASSWORD = "benchmark-password"
SERVER = """
import signal, sys
import arcadedb_embedded as arc
root, bolt, http, password = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
server = arc.create_server(root_path=root, root_password=password, config={
    "host": "127.0.0.1", "http_port": http, "bolt_port": bolt, "bolt_defaultDatabase": "kg",
    "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin"})
server.start(); server.create_database("kg"); print("\\nREADY", flush=True)
signal.sigwait({signal.SIGTERM}); server.stop()
"""


def entities() -> EntityTable:
    """Genes and diseases with names."""
    types = ["DISEASE"] * DISEASES + ["GENE"] * GENES
    ids = [f"DOID:{n}" for n in range(DISEASES)] + [str(n) for n in range(GENES)]
    names = [f'{type_.lower()} "{n}", the Nth' for n, type_ in enumerate(types)]
    return EntityTable(types, ids, names, [[] for _ in ids])


def write_list(path: Path, edges: int) -> None:
    """A scored list of different pairs, as score-pairs writes it."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(GENES * DISEASES, edges, replace=False)
    score = rng.random(edges)
    columns = {
        "source": [str(n) for n in (pairs // DISEASES).tolist()],
        "target": [f"DOID:{n}" for n in (pairs % DISEASES).tolist()],
        "source_type": np.full(edges, "GENE", dtype=object),
        "relation": np.full(edges, "DISEASE-GENE", dtype=object),
        "best_relation": np.full(edges, "DISEASE-GENE", dtype=object),
        "score": score,
        "score_std": rng.random(edges) / 10,
        "probability": score**2,
        "status": np.full(edges, "ok", dtype=object),
    }
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)


@contextmanager
def edges_of(path: Path) -> Iterator[ScoredEdges]:
    """The edges of the list."""
    provenance = Provenance("infores:benchmark", "m", "1", "run-1", "2026-01-31", thresholds={"DISEASE-GENE": 0.5})
    with select_edges(path, entities(), provenance) as edges:
        yield edges


def size_of(path: Path) -> int:
    """Bytes of a file or of the files of a directory."""
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size


def copy_seconds(path: Path) -> float:
    """Seconds for copying the bytes to new files and forcing them to the disk, the better of two."""
    seconds = []
    for _ in range(REPEATS):
        files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        begin = time.perf_counter()
        for file in files:
            copy = path.parent / f"copy-{file.name}"
            with file.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 22)
                target.flush()
                os.fsync(target.fileno())
        seconds.append(time.perf_counter() - begin)
        for file in files:
            (path.parent / f"copy-{file.name}").unlink()
    return min(seconds)


def child(case: str, path: Path, directory: Path, memory: bool) -> dict[str, Any]:
    """One writer, in this process; with ``memory`` nothing that other programs on the machine would change."""
    format, name, options = CASES[case]
    out = directory / name
    begin = time.perf_counter()
    with edges_of(path) as edges:
        selected = time.perf_counter()
        before, seconds = peak_kib(), []
        for _ in range(1 if memory else REPEATS):
            start = time.perf_counter()
            counts = write(edges, format, out, overwrite=True, **options)
            seconds.append(time.perf_counter() - start)
        peak = peak_kib()
        alone = {"database_copy_seconds": database_copy_seconds(edges)} if case == "ladybug" and not memory else {}
    size = size_of(out)
    if memory:
        return {"case": case, "edges": counts["edges"], "bytes": size, "peak_mb": peak / 1024}
    return {
        "case": case,
        "edges": counts["edges"],
        "select_seconds": selected - begin,
        "seconds": min(seconds),
        "all_seconds": seconds,
        "edges_per_second": counts["edges"] / min(seconds),
        "copy_seconds": copy_seconds(out),
        "bytes": size,
        "peak_mb": peak / 1024,
        "peak_before_mb": before / 1024,
        **alone,
    }


def database_copy_seconds(edges: ScoredEdges) -> float:
    """Seconds of Ladybug's own COPY of the edges, which lie ready in Arrow files: the least that its file can take."""
    module = ladybug_file.load_module()
    with tempfile.TemporaryDirectory(prefix="kgrel-benchmark-") as directory:
        files = ladybug_file.stage(edges, Path(directory))
        begin = time.perf_counter()
        ladybug_file.build(module, Path(directory) / "database", files, edges, LadybugSettings())
        return time.perf_counter() - begin


def measure_files(edges: int, cases: list[str], memory: bool = False) -> list[dict[str, Any]]:
    """Each writer in a process of its own."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="kgrel-benchmark-") as directory:
        path = Path(directory) / "scored.parquet"
        write_list(path, edges)
        for number, case in enumerate(cases):
            place = Path(directory) / str(number)
            place.mkdir()
            command = [sys.executable, __file__, "--child", case, str(path), str(place), *["--memory"] * memory]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows.append(json.loads(printed.splitlines()[-1]))
            shutil.rmtree(place)
            print(f"{edges:,} {case}: {rows[-1]}", file=sys.stderr, flush=True)
    return rows


def measure_bolt(edges: int, repeats: int) -> dict[str, Any]:
    """The load of an export beside a bare loop of the driver with the same statements and rows, in turns."""
    bare, ours, again = [], [], []
    with tempfile.TemporaryDirectory(prefix="kgrel-benchmark-") as directory:
        path = Path(directory) / "scored.parquet"
        write_list(path, edges)
        for repeat in range(repeats):
            for turn in ("bare", "ours") if repeat % 2 == 0 else ("ours", "bare"):
                with database(Path(directory) / f"{turn}-{repeat}") as settings, edges_of(path) as source:
                    prepare(settings, source)
                    if turn == "bare":
                        bare.append(bare_loop(settings, source))
                        continue
                    begin = time.perf_counter()
                    done = load(source, settings, PASSWORD)
                    ours.append(time.perf_counter() - begin)
                    begin = time.perf_counter()
                    second = load(source, settings, PASSWORD)
                    again.append(time.perf_counter() - begin)
                    assert (done.relationships_created, second.relationships_created) == (edges, 0)
    return {
        "edges": edges,
        "bare_loop_seconds": min(bare),
        "load_seconds": min(ours),
        "load_again_seconds": min(again),
        "load_to_bare": min(ours) / min(bare),
        "all_bare_seconds": bare,
        "all_load_seconds": ours,
    }


def prepare(settings: BoltSettings, source: ScoredEdges) -> None:
    """Constraint and nodes, which both ways find there."""
    import neo4j

    with neo4j.GraphDatabase.driver(settings.uri, auth=(settings.user, PASSWORD)) as driver:
        driver.execute_query(
            "CREATE CONSTRAINT c IF NOT EXISTS FOR (n:NamedThing) REQUIRE n.id IS UNIQUE", database_="kg"
        )
        ids = [node.id for node in source.nodes()]
        for begin in range(0, len(ids), 5000):
            driver.execute_query(
                "UNWIND $ids AS id CREATE (:NamedThing {id: id})", {"ids": ids[begin : begin + 5000]}, database_="kg"
            )


def bare_loop(settings: BoltSettings, source: ScoredEdges) -> float:
    """Seconds of the driver alone: the rows are ready, nothing is checked."""
    import neo4j

    ready = [(merge_edges("NamedThing", rows.predicate), rows.edges) for rows in transactions(source, settings.batch)]
    with neo4j.GraphDatabase.driver(settings.uri, auth=(settings.user, PASSWORD)) as driver:
        begin = time.perf_counter()
        with driver.session(database="kg") as session:
            for cypher, rows in ready:
                session.execute_write(lambda tx, c=cypher, r=rows: tx.run(c, {"rows": r}).consume())
        return time.perf_counter() - begin


@contextmanager
def database(directory: Path) -> Iterator[BoltSettings]:
    """An empty ArcadeDB on loopback."""
    directory.mkdir()
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(str(probe.getsockname()[1]))
    log = directory / "server.log"
    with log.open("wb") as stream:
        command = [sys.executable, "-c", SERVER, str(directory), *ports, PASSWORD]
        process = subprocess.Popen(command, cwd=directory, stdout=stream, stderr=subprocess.STDOUT)
    try:
        while b"\nREADY" not in log.read_bytes():
            if process.poll() is not None:
                raise SystemExit(f"the server did not start: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.1)
        yield BoltSettings(uri=f"bolt://127.0.0.1:{ports[0]}", user="root", database="kg")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bolt", action="store_true", help="measure a load over Bolt instead of files")
    parser.add_argument("--memory", action="store_true", help="measure peak memory alone")
    parser.add_argument("--edges", type=int, action="append", help="number of edges; may be repeated")
    parser.add_argument("--case", action="append", choices=list(CASES), help="measure this writer; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer edges; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        case, path, directory = options.child
        print(json.dumps(child(case, Path(path), Path(directory), options.memory)))
        return
    from common import hardware, save, today
    from common import load as load_results

    usual = [100_000] if options.bolt else [100_000, 10_000_000] if options.memory else [100_000, 1_000_000]
    counts = options.edges or ([20_000] if options.quick else usual)
    result: dict[str, Any] = {"date": today(), "hardware": hardware()}
    cases = options.case or list(CASES)
    if options.bolt:
        result["bolt"] = [measure_bolt(count, 1 if options.quick else 2) for count in counts]
    else:
        key = "memory" if options.memory else "files"
        result[key] = [row for count in counts for row in measure_files(count, cases, options.memory)]
    if not options.quick:
        kept = load_results("export")
        for key in {"files", "memory"} & result.keys():
            new = {(row["case"], row["edges"]) for row in result[key]}
            old = [row for row in kept.get(key, []) if (row["case"], row["edges"]) not in new]
            result[key] = old + result[key]
        save("export", kept | result)
    print(json.dumps(result, allow_nan=False) if options.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
