"""Relation search: speed and recall against the raw FAISS call, building, and whether samples find more than points.

    python benchmarks/search.py --part build       # a million vectors, each build in its own process
    python benchmarks/search.py --part speed       # the indexes that build left in runs/
    python benchmarks/search.py --part codes       # how fast FAISS encodes vectors, by the dimensions of a code
    python benchmarks/search.py --part purity      # pairs of the real corpus, by the relation that they are listed with
    python benchmarks/search.py --part large       # ten million vectors as IVF-PQ; 7 GB of disk meanwhile

All but the last by default. They need a representation and a corpus of the real data: ``benchmarks/real_pairs.py``
makes them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from common import RELATIONS, WORK, Lines, hardware, load, save, today

from kgrel.metrics.bootstrap import interval
from kgrel.model.representation import Representation
from kgrel.search.build import build_index
from kgrel.search.fill import training_sample
from kgrel.search.index import Neighbours, Query, RelationIndex, Search, allowed_pairs
from kgrel.search.library import faiss_library, nearest
from kgrel.search.metric import prepared
from kgrel.search.queries import of_rows
from kgrel.search.settings import IndexSettings, SearchSettings
from kgrel.search.sources import PairSource, pairs_of_corpus
from kgrel.text.corpus import Corpus

FACTORIES = ("Flat", "IVF1024,SQfp16", "IVF1024,PQ75x8")
CODES = (60, 75)
LARGE = "IVF4096,PQ75x8"
TOP = 10
Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--representation", type=Path, default=WORK / "repr-default-seed0")
    parser.add_argument("--corpus", type=Path, default=WORK / "corpus")
    parser.add_argument("--part", choices=["build", "speed", "codes", "purity", "large"], action="append")
    parser.add_argument("--factory", choices=FACTORIES, action="append", help="build only this one, keep the others")
    parser.add_argument("--quick", action="store_true", help="a sixteenth of the pairs, and few queries; not kept")
    parser.add_argument("--child", nargs=2, metavar=("FACTORY", "PAIRS"), help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    return parser.parse_args()


def place_of(factory: str, pairs: int) -> Path:
    """Where the index of a factory stands."""
    return WORK / f"search-{factory.replace(',', '-')}-{pairs}"


def some_pairs(options: argparse.Namespace, representation: Representation, count: int) -> PairSource:
    """Co-mentioned pairs drawn evenly; where more are asked for than there are, any pairs of entities."""
    source, rng = (
        pairs_of_corpus(Corpus.open(options.corpus, verify=False), representation.entities),
        np.random.default_rng(0),
    )
    if count > len(source.heads):
        size = len(representation.entities)
        sides = rng.integers(size, size=(3 * count, 2))
        keys = np.unique(sides.min(axis=1) * size + sides.max(axis=1))
        keys = np.sort(rng.permutation(keys[keys // size != keys % size])[:count])
        return PairSource(keys // size, keys % size, {})
    rows = np.sort(rng.permutation(len(source.heads))[:count])
    return PairSource(source.heads[rows], source.tails[rows], source.parents)


class OwnMemory(threading.Thread):
    """Looks five times a second how much memory is the process's own: pages of mapped files, which the system takes
    back when it needs them, do not count."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb, self.before_mb = 0.0, self.now()

    @staticmethod
    def now() -> float:
        """Megabytes now."""
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

    def run(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, self.now())
            time.sleep(0.2)


def build_one(options: argparse.Namespace) -> None:
    """In a process of its own: build one index and print seconds and peak memory."""
    import resource

    factory, pairs = options.child[0], int(options.child[1])
    representation = Representation.open(options.representation, verify=False)
    source = some_pairs(options, representation, pairs)
    start = resource.getrusage(resource.RUSAGE_SELF)
    before, cpu_before = start.ru_maxrss / 1024, start.ru_utime + start.ru_stime
    memory = OwnMemory()
    memory.start()
    started = time.perf_counter()
    settings = IndexSettings(factory=factory)
    artifact = build_index(representation, source, place_of(factory, pairs), settings, overwrite=True, progress=Lines())
    found = {"seconds": time.perf_counter() - started, "mb_before": before}
    used = resource.getrusage(resource.RUSAGE_SELF)
    found |= {"peak_mb": used.ru_maxrss / 1024, "cpu_seconds": used.ru_utime + used.ru_stime - cpu_before}
    found |= {"own_peak_mb": memory.peak_mb, "own_mb_before": memory.before_mb}
    print(json.dumps(found | {"factory": factory, "pairs": pairs, **artifact.manifest.summary}))


def built(options: argparse.Namespace, factories: Sequence[str], pairs: int) -> list[dict[str, Any]]:
    """Each factory, one after another."""
    rows = []
    for factory in factories:
        command = [sys.executable, __file__, "--child", factory, str(pairs), "--corpus", str(options.corpus)]
        command += ["--representation", str(options.representation)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        rows.append(json.loads(printed.splitlines()[-1]))
    return rows


def seconds_of(functions: Sequence[Callable[[], Any]], repeats: int = 4) -> list[float]:
    """The best of some repeats of each, in turns: the machine's own rate drifts by a tenth within seconds."""
    found: list[list[float]] = [[] for _ in functions]
    for _ in range(repeats):
        for seconds, function in zip(found, functions, strict=True):
            started = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - started)
    return [min(seconds) for seconds in found]


def speeds(pairs: int, queries: int) -> list[dict[str, Any]]:
    """Queries a second of our search and of the FAISS call that it makes, and recall@10 of both against exact.

    The samples of a pair are near each other, so that ten pairs take more than ten vectors: like is compared with like
    where the raw call gets as many neighbours as our first one. ``times_raw_ten`` is beside ten neighbours a vector.
    """
    settings = SearchSettings(top=TOP)
    exact_index = RelationIndex.open(place_of("Flat", pairs), verify=False)
    chosen = np.random.default_rng(1).permutation(pairs)[:queries]
    asked = [
        of_rows(exact_index, int(exact_index.pairs.heads[row]), int(exact_index.pairs.tails[row]), settings)
        for row in chosen
    ]
    exact = exact_index.search(asked, settings)
    rows = []
    for factory in FACTORIES:
        index = RelationIndex.open(place_of(factory, pairs), verify=False)
        vectors = np.concatenate([prepared(query.vectors, index.settings.metric) for query in asked])
        count = Search(index, settings, allowed_pairs(index, settings, None)).first_count

        def raw(index: RelationIndex = index, vectors: Any = vectors, count: int = count) -> Any:
            return nearest(index.faiss, vectors, count, index.settings.probes)

        def short(index: RelationIndex = index, vectors: Any = vectors) -> Any:
            return nearest(index.faiss, vectors, TOP, index.settings.probes)

        def ours(index: RelationIndex = index) -> list[Neighbours]:
            return index.search(asked, settings)

        raw_seconds, short_seconds, our_seconds = seconds_of([raw, short, ours])
        rows.append(
            {
                "factory": factory,
                "queries": queries,
                "vectors_a_query": len(vectors) // queries,
                "raw_queries_per_second": queries / raw_seconds,
                "queries_per_second": queries / our_seconds,
                "times_raw": our_seconds / raw_seconds,
                "raw_neighbours": count,
                "times_raw_ten": our_seconds / short_seconds,
                "raw_recall_at_10": recall(exact, raw_pairs(index, asked, raw()[1])),
                "recall_at_10": recall(exact, [found.pairs for found in ours()]),
            }
        )
    return rows


def encoding(pairs: int) -> list[dict[str, Any]]:
    """Vectors a second that FAISS turns into codes of a byte for each few dimensions, on the vectors of an index.

    It has code of its own for 1, 2, 4, 8 and 12 dimensions; others are several times slower.
    """
    faiss = faiss_library()
    index = RelationIndex.open(place_of("Flat", pairs), verify=False)
    vectors = training_sample(index.vectors, IndexSettings(train_vectors=20_000))
    rows = []
    for codes in CODES:
        quantizer = faiss.ProductQuantizer(index.layout.width, codes, 8)
        quantizer.cp.niter = 1  # the rate does not depend on how good the centroids are
        quantizer.train(vectors)
        (seconds,) = seconds_of([lambda quantizer=quantizer: quantizer.compute_codes(vectors)])
        rows.append({"codes": codes, "dimensions": index.layout.width // codes, "rate": len(vectors) / seconds})
    return rows


def raw_pairs(index: RelationIndex, asked: list[Query], ids: Rows) -> list[Rows]:
    """The first ten other pairs of each query, merged from FAISS's lists by rank."""
    per_pair, found = index.layout.orders * index.layout.vectors_per_order, []
    for number, query in enumerate(asked):
        lists = ids[number * len(query.vectors) : (number + 1) * len(query.vectors)]
        own = index.pairs.find(query.head, query.tail)
        merged = [p for p in dict.fromkeys((lists.T.ravel() // per_pair).tolist()) if p not in (own, -1)]
        found.append(np.array(merged[:TOP], dtype=np.int64))
    return found


def recall(exact: list[Neighbours], found: list[Rows]) -> float:
    """Share of the exact ten pairs that were found."""
    return float(
        np.mean([len(set(a.pairs.tolist()) & set(b.tolist())) / TOP for a, b in zip(exact, found, strict=True)])
    )


def purities(options: argparse.Namespace, pairs: int, queries: int) -> dict[str, Any]:
    """Share of the ten nearest pairs that are listed with a relation of the pair that was asked.

    Asked are listed pairs. Neighbours that share an entity with the pair asked are left out: sharing a drug makes
    relations alike without any text.
    """
    representation = Representation.open(options.representation, verify=False)
    source = some_pairs(options, representation, pairs)
    found: dict[str, Any] = {}
    variants = {
        "8 samples, best match": (IndexSettings(), SearchSettings(top=200)),
        "8 samples, mean": (IndexSettings(), SearchSettings(top=200, distance="mean", candidates=400)),
        "8 samples, sliced Wasserstein": (
            IndexSettings(), SearchSettings(top=200, distance="sliced-wasserstein", candidates=400)
        ),
        "mean of 8 samples": (IndexSettings(vectors="mean"), SearchSettings(top=200)),
        "one sample": (IndexSettings(samples=1), SearchSettings(top=200)),
    }  # fmt: skip
    reference: Values | None = None
    for name, (settings, search) in variants.items():
        out = WORK / f"search-purity-{settings.vectors}-{settings.samples}-{pairs}"
        if not out.exists():
            wanted = IndexSettings(
                samples=settings.samples,
                vectors=settings.vectors,
                factory="Flat",
                recall_queries=0,
                relation_column="metaedge",
            )
            build_index(representation, source, out, wanted, relations=RELATIONS, progress=Lines())
        index = RelationIndex.open(out, verify=False)
        asked, purity, chance = purity_of(index, search, queries)
        heads, tails = np.array([q.head for q in asked]), np.array([q.tail for q in asked])
        of_mean = interval(lambda weights, values=purity: weighted(values, weights), heads, tails, 500)
        row: dict[str, Any] = {"purity_at_10": of_mean.estimate, "interval": [of_mean.low, of_mean.high]}
        row["chance"] = float(chance.mean())
        if name == "mean of 8 samples":
            reference = purity
        row["values"] = purity
        found[name] = row
        Lines().say(f"{name}: {of_mean.estimate:.4f}")
    assert reference is not None
    for row in found.values():
        gain = row.pop("values") - reference
        if gain.any():
            of_gain = interval(lambda weights, values=gain: weighted(values, weights), heads, tails, 500)
            row["minus_mean_of_samples"] = [of_gain.estimate, of_gain.low, of_gain.high]
    listed = sum(name is not None for name in index.pairs.relations)
    return {"pairs": pairs, "listed": listed, "queries": len(asked), "variants": found}


def weighted(values: Values, weights: Values) -> float | None:
    """Mean under weights; None where all are zero."""
    return float((values * weights).sum() / weights.sum()) if weights.any() else None


def purity_of(index: RelationIndex, settings: SearchSettings, queries: int) -> tuple[list[Query], Values, Values]:
    """For each of some listed pairs: share of ten neighbours with a relation of its own, and the share of all pairs of
    its types."""
    table = index.pairs
    names = [set(text.split("|")) if text else set() for text in table.relations]
    listed = np.flatnonzero([bool(some) for some in names])
    chosen = np.sort(np.random.default_rng(2).permutation(listed)[:queries])
    asked = [of_rows(index, int(table.heads[row]), int(table.tails[row]), settings) for row in chosen]
    types = np.array(index.entities.types)
    kinds = np.sort(np.stack([types[table.heads], types[table.tails]]), axis=0)
    purity, chance = [], []
    for row, found in zip(chosen.tolist(), index.search(asked, settings), strict=True):
        apart = [
            p
            for p in found.pairs.tolist()
            if not {table.heads[p], table.tails[p]} & {table.heads[row], table.tails[row]}
        ]
        purity.append(np.mean([bool(names[p] & names[row]) for p in apart[:TOP]] or [0.0]))
        alike = np.flatnonzero((kinds == kinds[:, row : row + 1]).all(axis=0))
        chance.append(np.mean([bool(names[p] & names[row]) for p in alike.tolist()]))
    return asked, np.array(purity, np.float64), np.array(chance, np.float64)


def main() -> None:
    """Measure and keep."""
    options = arguments()
    WORK.mkdir(exist_ok=True)
    if options.child:
        build_one(options)
        return
    parts = options.part or ["build", "speed", "codes", "purity"]
    shrink = 16 if options.quick else 1
    pairs = 62_500 // shrink  # × 2 orders × 8 samples = a million vectors
    result: dict[str, Any] = {}
    facts = {"date": today(), "hardware": hardware() | {"omp_threads": os.environ.get("OMP_NUM_THREADS", "default")}}
    if "build" in parts or (options.quick and "speed" in parts):
        kept = (
            {} if options.quick else {row["factory"]: row for row in load("search").get("build", {}).get("builds", [])}
        )
        kept |= {row["factory"]: row for row in built(options, options.factory or FACTORIES, pairs)}
        result["build"] = facts | {"builds": [kept[factory] for factory in FACTORIES if factory in kept]}
    if "speed" in parts:
        result["speed"] = facts | {"pairs": pairs, "speed": speeds(pairs, 16 if options.quick else 64)}
    if "codes" in parts:
        result["codes"] = facts | {"rates": encoding(pairs)}
    if "purity" in parts:
        result["purity"] = facts | purities(options, 20_000 // shrink, 50 if options.quick else 400)
    if "large" in parts:
        count = 625_000 // shrink
        result["large"] = facts | {"builds": built(options, [LARGE], count)}
        shutil.rmtree(place_of(LARGE, count))
    if not options.quick:
        save("search", load("search") | result)
    if options.json:
        print(json.dumps(result, allow_nan=False))
    else:
        print(json.dumps(result, indent=1, allow_nan=False))


if __name__ == "__main__":
    main()
