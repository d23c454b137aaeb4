"""Graphs: import of Hetionet, paths as contexts, and what they are worth beside text.

    python benchmarks/graph.py import
    python benchmarks/graph.py paths
    python benchmarks/graph.py table --models text=PAIRS paths=PAIRS both=PAIRS ComplEx=BASELINE

Import and paths run in a process of their own. The machine's own limit beside the import is reading the same two files
through gzip; beside drawing paths, the sparse product of the weights of steps with as many columns as pairs have ends.
The models of the table must have the same pairs and the same split.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, RELATIONS, hardware, load, peak_kib, save, seconds_in_all, today
from metaedges import by_metaedge

from kgrel.data.entities import EntityTable
from kgrel.data.settings import to_json
from kgrel.metrics.bootstrap import average_precision_statistic, paired_difference
from kgrel.metrics.classification import auroc, average_precision, best
from kgrel.metrics.ranks import KINDS
from kgrel.train.pair_data import Part, rows_in

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


def measure_table(
    models: list[str], graph: Path | None, reference: str | None, ranked: int, unranked: list[str], quick: bool
) -> dict[str, Any]:
    """How well every model tells listed from other pairs that all hold out, by class.

    Args:
        graph: GRAPH; with it also on the pairs of which both entities are in it.
        reference: name of the model whose average precision minus that of each other one is told with its interval.
        ranked: listed pairs whose other end is ranked among all entities of its type; 0 = none.
        unranked: names of the models for which that would take too long.

    Raises:
        SystemExit: a model has other pairs.
    """
    from kgrel.graph.graph import Graph
    from kgrel.score.opening import open_scorer

    part, found, asked = Part.VALIDATION if quick else Part.TEST, {}, {}
    nodes = None if graph is None else Graph.open(graph).entities
    for name, path in (model.split("=", 1) for model in models):
        model: Any = open_scorer(path)
        asked[name] = scored_by_class(model, part, nodes)
        if asked[name].keys != next(iter(asked.values())).keys:
            raise SystemExit(f"{name}: has other {part.name.lower()} pairs than {next(iter(asked))}")
        summary = model.artifact.manifest.summary
        shown = {"leakage": summary["leakage"], "joined": joined_pairs(summary, part)}
        if "held_out" in summary:
            shown["held_out"] = summary["held_out"]
        found[name] = asked[name].figures() | shown | {"seconds": seconds_in_all(model.artifact.path)}
        if ranked and name not in unranked:
            found[name]["mrr"] = reciprocal_ranks(model, part, ranked)
    differences = {
        name: differences_of(asked[reference], other, 50 if quick else 1000)
        for name, other in asked.items()
        if reference is not None and name != reference
    }
    found_of = {"part": part.name.lower(), "models": found, "ranked": ranked}
    return found_of | {"reference": reference, "differences": differences}


def reciprocal_ranks(model: Any, part: Part, edges: int) -> dict[str, dict[str, float]]:
    """Filtered mean reciprocal rank of both ends of so many listed pairs, by how ties are ranked and by class."""
    from kgrel.evaluate.pair_ranking import evaluate_ranking
    from kgrel.evaluate.settings import RankingSettings

    chosen: Any = part.name.lower()
    report = evaluate_ranking(model, RankingSettings(part=chosen, edges=edges))
    by_class = {"all": report} | report["by_relation"]
    return {ties: {name: one[ties]["mrr"] for name, one in by_class.items()} for ties in KINDS}


@dataclass(frozen=True)
class Asked:
    """What a model answers about the pairs of a part, in the order of their keys.

    Attributes:
        keys: each pair by types and identifiers.
        ends: an entity number for each end (n, 2).
        by_class: which rows are asked, whether they are listed, and their scores; under ``all`` whether they are listed
            under any class, and the best score of all; under ``all in the graph`` those of which both ends are nodes.
    """

    keys: list[tuple[str, str, str, str]]
    ends: np.ndarray
    by_class: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    by_metaedge: dict[str, dict[str, Any]]

    def figures(self) -> dict[str, Any]:
        """Average precision and AUROC of each class."""
        measures = {"average_precision": average_precision, "auroc": auroc}
        return {"by_metaedge": self.by_metaedge} | {
            key: {name: measure(listed, scores) for name, (_, listed, scores) in self.by_class.items()}
            for key, measure in measures.items()
        }


def scored_by_class(model: Any, part: Part, nodes: EntityTable | None) -> Asked:
    """Score the pairs of a part."""
    data, table, rows = model.data, model.entities, model.data.rows(part)
    names = list(zip(table.types, table.ids, strict=True))
    keys = [
        (*names[a], *names[b]) if names[a] <= names[b] else (*names[b], *names[a])
        for a, b in zip(data.heads[rows].tolist(), data.tails[rows].tolist(), strict=True)
    ]
    order = sorted(range(len(rows)), key=keys.__getitem__)
    keys, rows = [keys[place] for place in order], rows[order]
    numbers = {key: number for number, key in enumerate(sorted({end for key in keys for end in (key[:2], key[2:])}))}
    scores, _ = model.predict(data.heads[rows], data.tails[rows])
    possible, labels = data.possible(rows), data.labels[rows]
    related, top = labels.any(axis=1), best(scores, possible)[1]
    inside = {"all": np.ones(len(rows), np.bool_)}
    if nodes is not None:
        known = rows_in(nodes, table) >= 0
        inside["all in the graph"] = known[data.heads[rows]] & known[data.tails[rows]]
    by_class = {name: (of, related[of], top[of]) for name, of in inside.items()}
    for column, name in enumerate(model.classes):
        of = possible[:, column]
        if labels[of, column].any():
            by_class[name] = of, labels[of, column], scores[of, column]
    ends = np.array([[numbers[key[:2]], numbers[key[2:]]] for key in keys])
    return Asked(keys, ends, by_class, by_metaedge(model, rows, scores, RELATIONS))


def differences_of(reference: Asked, other: Asked, draws: int) -> dict[str, Any]:
    """Average precision of the reference minus that of the other, by class, with its entity-clustered interval."""
    found = {}
    for name in reference.by_class.keys() & other.by_class.keys():
        (rows, listed, first), (_, _, second) = reference.by_class[name], other.by_class[name]
        statistics = (average_precision_statistic(listed, scores) for scores in (first, second))
        found[name] = asdict(paired_difference(*statistics, *reference.ends[rows].T, draws=draws))
    return found


def joined_pairs(summary: dict[str, Any], part: Part) -> int | None:
    """Edges or pairs of held-out pairs that are left in the graph that a model saw; None where it saw none."""
    for of_graph in ("graph_encoder", "held_out"):
        if of_graph in summary:
            return int(summary[of_graph]["edges_left"])
    left = summary["leakage"][part.name.lower()].get("pairs_joined_in_the_graph")
    return None if left is None else int(left)


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["import", "paths", "table"], help="which measurement")
    parser.add_argument("--quick", action="store_true", help="fewer edges or pairs, once; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    parser.add_argument("--pairs", type=int, default=200_000, help="pairs to draw paths for, half of them joined")
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME=ARTIFACT", help="rows of the table")
    parser.add_argument("--graph", type=Path, help="GRAPH: the table also tells of pairs with both entities in it")
    parser.add_argument("--reference", metavar="NAME", help="row that the others of the table are compared with")
    parser.add_argument("--ranked", type=int, default=0, help="table: listed pairs whose ends are ranked as well")
    parser.add_argument("--unranked", nargs="+", default=[], metavar="NAME", help="rows for which that takes too long")
    parser.add_argument("--name", default="warm", help="table: what it is called; one of that name is replaced")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child and options.what == "import":
        print(json.dumps(child(*map(Path, options.child))))
        return
    if options.child:
        print(json.dumps(paths_child(Path(options.child[0]), int(options.child[1]))))
        return
    if options.what == "table" and not options.models:
        parser.error("table needs --models")
    measured = {
        "import": lambda: measure_import(options.quick),
        "paths": lambda: measure_paths(options.quick, options.pairs),
        "table": lambda: measure_table(
            options.models, options.graph, options.reference, options.ranked, options.unranked, options.quick
        ),
    }[options.what]()
    result = {"date": today(), "hardware": hardware()} | measured
    kept = load("graph")
    if options.what == "table":
        kept["tables"] = kept.get("tables", {}) | {options.name: result}
    else:
        kept[options.what] = result
    if not options.quick:
        save("graph", kept)
    print(json.dumps(result, allow_nan=False) if options.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
