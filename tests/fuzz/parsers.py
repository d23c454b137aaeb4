"""Coverage-guided search for input that a parser does not expect, with atheris (``pip install atheris``).

    python tests/fuzz/parsers.py pubtator -runs=100000
    python tests/fuzz/parsers.py all -runs=20000        one parser after the other

Further options are those of libFuzzer. Input that crashes is written to ``crash-…``: keep it in ``tests/fuzz/crashes``,
named ``PARSER-WHAT.ENDING``, where ``test_parsers.py`` tries it in every run of the tests.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.places import VALID

Parse = Callable[[Path], Iterable[Any]]


@dataclass(frozen=True)
class Parser:
    """A parser, the ending of its files, and the kind of :data:`tests.fuzz.places.VALID` files to begin with."""

    ending: str
    kind: str
    parse: Parse


def documents(path: Path) -> Iterable[Any]:
    from kgrel.text.badlines import BadLines
    from kgrel.text.readers import read_documents

    return read_documents(path, "auto", BadLines())


def lexicon(path: Path) -> Iterable[Any]:
    from kgrel.text.badlines import BadLines
    from kgrel.text.lexicon import read_lexicon
    from kgrel.text.settings import BuildCorpusSettings

    return read_lexicon("DISEASE", path, BuildCorpusSettings(), BadLines())


def table(path: Path) -> Iterable[Any]:
    from kgrel.data.tables import TableReader

    with TableReader(path) as reader:
        yield from reader


def edges(path: Path) -> Iterable[Any]:
    from kgrel.graph.readers import read_edges

    return read_edges(path, "hetionet")


def nodes(path: Path) -> Iterable[Any]:
    from kgrel.graph.readers import read_nodes

    return read_nodes(path, "hetionet")


def kgx(path: Path) -> Iterable[Any]:
    from kgrel.graph.readers import read_edges

    return read_edges(path, "kgx")


def marked(path: Path) -> Iterable[Any]:
    from kgrel.text.mention_readers import MentionReader

    return MentionReader(path).chunks()


def mapping(path: Path) -> Iterable[Any]:
    from kgrel.export.mapping import read_mapping

    return [read_mapping(path)]


PARSERS = {
    "sentences": Parser(".tsv", "sentences", documents),
    "jsonl": Parser(".jsonl", "sentences", documents),
    "pubtator": Parser(".pubtator", "sentences", documents),
    "bioc": Parser(".json", "sentences", documents),
    "text": Parser(".txt", "sentences", documents),
    "obo": Parser(".obo", "lexicon", lexicon),
    "lexicon": Parser(".tsv", "lexicon", lexicon),
    "csv": Parser(".csv", "pairs", table),
    "tsv": Parser(".tsv", "pairs", table),
    "objects": Parser(".jsonl", "pairs", table),
    "sif": Parser(".sif", "sif", edges),
    "nodes": Parser(".tsv", "nodes", nodes),
    "kgx": Parser(".jsonl", "kgx", kgx),
    "marked": Parser(".tsv", "labelled", marked),
    "relations-of-pubtator": Parser(".pubtator", "labelled", marked),
    "yaml": Parser(".yaml", "mapping", mapping),
    "toml": Parser(".toml", "mapping", mapping),
}


def try_input(parser: Parser, content: bytes, path: Path) -> str:
    """Parse a file with this content to its end; a stated failure is as good as none. What it says, or nothing."""
    from kgrel.data.errors import KgrelError

    path.write_bytes(content)
    try:
        for _ in parser.parse(path):
            pass
    except KgrelError as error:
        assert str(path) in str(error), error  # noqa: PT017 - no test function
        return str(error)
    return ""


def search(name: str, options: list[str]) -> None:
    """Search for input that one parser does not expect; does not return."""
    import atheris

    parser = PARSERS[name]
    with atheris.instrument_imports(include=["kgrel"]):
        import kgrel.export.mapping
        import kgrel.graph.readers
        import kgrel.text.lexicon
        import kgrel.text.mention_readers
        import kgrel.text.readers  # noqa: F401
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as directory:
        seeds = Path(directory) / "seeds"
        seeds.mkdir()
        (seeds / "good").write_bytes(VALID[parser.kind][parser.ending][:4000])
        path = Path(directory) / f"given{parser.ending}"
        atheris.Setup([sys.argv[0], str(seeds), "-timeout=20", "-rss_limit_mb=4096", *options],
                      lambda content: try_input(parser, content, path))  # fmt: skip
        atheris.Fuzz()


def main() -> None:
    name, *options = sys.argv[1:] or ["help"]
    if name == "all":
        for one in PARSERS:
            print(f"== {one}", flush=True)
            subprocess.run([sys.executable, __file__, one, *options], check=True)
    elif name in PARSERS:
        search(name, options)
    else:
        sys.exit(f"usage: parsers.py all|{'|'.join(PARSERS)} [-runs=N] [options of libFuzzer]")


if __name__ == "__main__":
    main()
