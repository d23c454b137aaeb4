"""How much is too much: seconds and memory of long lists, large graphs, many entities and names, long identifiers.

    python benchmarks/limits.py [--quick] [--json] [--sizes "rows of a list=1000000,64000000"]

Each size is measured in a process of its own; what it needs before it begins, the libraries, is told beside it. Seconds
are those of the processor, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import WORK, hardware, peak_kib, save, today

NAME = "limits"
SO_FAR = WORK / "limits.jsonl"
"""What a run that was cut off has measured: the next one goes on behind it."""


def write_list(path: Path, rows: int) -> None:
    """A list of candidates with a note in each row."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write("source,target,note\n")
        for start in range(0, rows, 100_000):
            lines = (f"GENE::{n},DISEASE::{n % 997},note {n}\n" for n in range(start, min(rows, start + 100_000)))
            stream.write("".join(lines))


def measure_list(size: int, directory: Path) -> dict[str, Any]:
    """A list that is read and written again, as every verb with a list does."""
    from kgrel.data.tables import TableReader, write_table

    write_list(directory / "list.csv", size)
    begin = time.process_time()
    with TableReader(directory / "list.csv") as reader, write_table(directory / "out.csv", reader.schema) as writer:
        for table in reader:
            writer.write(table)
    seconds = time.process_time() - begin
    assert filecmp.cmp(directory / "list.csv", directory / "out.csv", shallow=False)
    return {"seconds": seconds}


def measure_graph(size: int, directory: Path) -> dict[str, Any]:
    """A graph of so many random edges of ten types between a twentieth as many nodes, imported and opened."""
    from kgrel.graph.build import import_graph
    from kgrel.graph.graph import Graph

    nodes, rng = size // 20, np.random.default_rng(0)
    with (directory / "nodes.tsv").open("w") as stream:
        stream.write("id\tname\tkind\n")
        stream.writelines(f"Gene::{n}\tname {n}\tGene\n" for n in range(nodes))
    with (directory / "edges.sif").open("w") as stream:
        stream.write("source\tmetaedge\ttarget\n")
        for _ in range(0, size, 100_000):
            ends = rng.integers(0, nodes, (100_000, 2)).tolist()
            stream.writelines(f"Gene::{a}\tG{a % 10}G\tGene::{b}\n" for a, b in ends)
    begin = time.process_time()
    import_graph([directory / "nodes.tsv", directory / "edges.sif"], directory / "graph")
    seconds = time.process_time() - begin
    return {"seconds": seconds, "edges": Graph.open(directory / "graph").edge_count}


def measure_entities(size: int, directory: Path) -> dict[str, Any]:
    """A table of so many entities, written, read, and each found by its identifier."""
    from kgrel.data.entities import EntityTable

    identifiers = [str(n) for n in range(size)]
    table = EntityTable(["GENE"] * size, identifiers, [f"name {n}" for n in range(size)], [[] for _ in range(size)])
    begin = time.process_time()
    table.write(directory / "entities.parquet")
    read = EntityTable.read(directory / "entities.parquet")
    assert read == table
    return {"seconds": time.process_time() - begin}


def measure_words(size: int, directory: Path) -> dict[str, Any]:
    """A corpus with so many distinct words, eight new ones in each sentence, built with a table of all of them."""
    from kgrel.text.build import build_corpus
    from kgrel.text.corpus import Corpus
    from kgrel.text.settings import BuildCorpusSettings

    for kind, name in (("GENE", "kevrul"), ("DISEASE", "plastumosis")):
        (directory / f"{kind}.tsv").write_text(f"id\tname\tsynonyms\n{kind}:1\t{name}\t\n")
    with (directory / "text.tsv").open("w") as stream:
        stream.write("doc_id\tsentence_id\ttext\n")
        for start in range(0, size, 8):
            words = " ".join(f"word{n}" for n in range(start, min(size, start + 8)))
            stream.write(f"{start}\t0\tkevrul binds plastumosis {words}\n")
    settings = BuildCorpusSettings(vocabulary_size=size + 10, min_count=1)
    lexicons = [(kind, directory / f"{kind}.tsv") for kind in ("GENE", "DISEASE")]
    begin = time.process_time()
    build_corpus([directory / "text.tsv"], lexicons, directory / "corpus", settings)
    seconds = time.process_time() - begin
    return {"seconds": seconds, "words": len(Corpus.open(directory / "corpus").vocabulary)}


def measure_names(size: int, directory: Path) -> dict[str, Any]:
    """A tagger of so many names of two words, made and used on one sentence."""
    from kgrel.text.badlines import BadLines
    from kgrel.text.document_tagger import DocumentTagger
    from kgrel.text.lexicon import build_lexicon, read_lexicon
    from kgrel.text.settings import BuildCorpusSettings

    with (directory / "names.tsv").open("w") as stream:
        stream.write("id\tname\tsynonyms\n")
        stream.writelines(f"X:{n}\tfactor {n:09d}\t\n" for n in range(size))
    settings = BuildCorpusSettings()
    begin = time.process_time()
    terms = read_lexicon("DISEASE", directory / "names.tsv", settings, BadLines())
    DocumentTagger(build_lexicon(terms, settings), settings)
    return {"seconds": time.process_time() - begin, "names": len(terms)}


def measure_identifier(size: int, directory: Path) -> dict[str, Any]:
    """A list with one identifier of so many characters, in each text format, without and with a quote in the file."""
    from kgrel.data.errors import KgrelError
    from kgrel.data.tables import TableReader, write_table

    begin, came_back = time.process_time(), {}
    for ending, quote in (("csv", ""), ("csv", '"'), ("tsv", ""), ("jsonl", "")):
        kind, name = f"{ending}{' quoted' * bool(quote)}", "x" * size + quote
        try:
            path = directory / f"list.{ending}"
            import pyarrow as pa

            table = pa.table({"source": [name, "b"], "target": ["c", "d"]})
            with write_table(path, table) as writer:
                writer.write(table)
            with TableReader(path) as reader:
                came_back[kind] = pa.concat_tables(list(reader)).to_pydict() == table.to_pydict()
        except KgrelError:
            came_back[kind] = False
    return {"seconds": time.process_time() - begin, "came_back": came_back}


MEASURES: dict[str, tuple[Callable[[int, Path], dict[str, Any]], list[int], list[int]]] = {
    "rows of a list": (measure_list, [1_000_000, 4_000_000, 16_000_000], [100_000, 200_000]),
    "edges of a graph": (measure_graph, [1_000_000, 4_000_000, 16_000_000], [100_000, 200_000]),
    "entities": (measure_entities, [500_000, 2_000_000, 8_000_000], [10_000, 20_000]),
    "words of a vocabulary": (measure_words, [100_000, 400_000, 1_600_000], [1_000, 2_000]),
    "names of a lexicon": (measure_names, [100_000, 400_000, 1_600_000], [5_000, 10_000]),
    "characters of an identifier": (
        measure_identifier, [131_072, 131_073, 60_000_000, 70_000_000], [100_000, 1_000_000],
    ),
}  # fmt: skip
"""What is counted → how it is measured, at which sizes, and at which quick ones."""


def sizes_of(text: str) -> tuple[str, list[int]]:
    """``NAME=N,N`` of the option ``--sizes``."""
    name, _, sizes = text.partition("=")
    if name not in MEASURES:
        raise argparse.ArgumentTypeError(f"{name!r} is not measured; choose one of {', '.join(MEASURES)}")
    try:
        return name, [int(size) for size in sizes.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{sizes!r} is no list of whole numbers parted by commas") from None


def measured(name: str, size: int) -> dict[str, Any]:
    """One size, measured now or by the run that was cut off."""
    for line in SO_FAR.read_text().splitlines() if SO_FAR.exists() else ():
        known: dict[str, Any] = json.loads(line)
        if (known["name"], known["run"]["size"]) == (name, size):
            return known["run"]  # type: ignore[no-any-return]
    run = elsewhere(name, size)
    SO_FAR.parent.mkdir(exist_ok=True)
    with SO_FAR.open("a") as stream:
        stream.write(json.dumps({"name": name, "run": run}) + "\n")
    return run


def elsewhere(name: str, size: int) -> dict[str, Any]:
    """One size in a process of its own: processor seconds, and megabytes at most and before."""
    command = [sys.executable, __file__, "--only", name, "--size", str(size)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def in_this_process(name: str, size: int) -> dict[str, Any]:
    """Measure one size here."""
    import kgrel.data.tables  # noqa: F401 - the libraries, before

    before = peak_kib()
    with tempfile.TemporaryDirectory(prefix="kgrel-limits-") as directory:
        found = MEASURES[name][0](size, Path(directory))
    return {"size": size, **found, "peak_mb": round(peak_kib() / 1024), "before_mb": round(before / 1024)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--sizes", type=sizes_of, action="append", default=[], metavar="NAME=N,N",
                        help="other sizes of one measure; may stand several times")  # fmt: skip
    parser.add_argument("--only", choices=list(MEASURES), help="one measure of one --size, in this process")
    parser.add_argument("--size", type=int)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(in_this_process(given.only, given.size)))
        return
    runs: dict[str, list[dict[str, Any]]] = {}
    chosen = {name: quick if given.quick else sizes for name, (_, sizes, quick) in MEASURES.items()}
    for name, sizes in (chosen | dict(given.sizes)).items():
        for size in sizes:
            runs.setdefault(name, []).append(measured(name, size))
            print(name, runs[name][-1], file=sys.stderr, flush=True)
    result = {"date": today(), "hardware": hardware(), "quick": given.quick, "measures": runs}
    if not given.quick:
        save(NAME, result)
    SO_FAR.unlink(missing_ok=True)
    if given.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
