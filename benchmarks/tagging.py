"""How well and how fast text is tagged:  python benchmarks/tagging.py --typing TYPING [--quick] [--json]

Quality against BC5CDR and BioRED, each step of the tagger switched on in turn; speed in sentences a second of processor
time and of wall time on the real corpus, with one process and with two; the greatest memory. TYPING was trained by

    kgrel train-typing CORPUS/sentences.tsv.gz --lexicon … --gold bc5cdr-train.pubtator --gold biored-train.pubtator
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from common import DATA, WORK, hardware, save, today

from kgrel.data.progress import Silent
from kgrel.model.type_classifier import Typing
from kgrel.text.badlines import BadLines
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.gold import evaluate_tagging
from kgrel.text.lexicon import Lexicon, build_lexicon, read_lexicon
from kgrel.text.readers import read_documents
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.shards import Plan, extract_shard, make_shards

LEXICONS = [("GENE", "genes.tsv.gz"), ("DISEASE", "HumanDO.obo.gz"), ("CHEMICAL", "chemicals.tsv.gz")]
PLAIN = BuildCorpusSettings(hyphens=False, greek=False, plurals=False, abbreviations=False)
NORMAL = BuildCorpusSettings(abbreviations=False)
ALL = BuildCorpusSettings()
STEPS = {
    "plain match": (PLAIN, False),
    "+ disambiguation": (PLAIN, True),
    "+ normalisation": (NORMAL, True),
    "+ abbreviations": (ALL, True),
    "all but disambiguation": (ALL, False),
}
"""Settings, and whether the context decides doubtful names. Each step but the last has all before it; letter case is
folded in all."""


NO_TYPING = "all steps but disambiguation"
STARTED_SECONDS, TAGGED_SECONDS = 40, 5
STRETCH = 2_000
SHARDS = 60
CORPUS_SENTENCES = 1_082_294


def lexicon_of(settings: BuildCorpusSettings) -> Lexicon:
    """The three dictionaries."""
    bad = BadLines()
    terms = [t for kind, name in LEXICONS for t in read_lexicon(kind, DATA / "dictionaries" / name, settings, bad)]
    return build_lexicon(terms, settings)


def quality(lexicons: dict[str, Lexicon], typing: Typing, quick: bool) -> dict[str, Any]:
    """Step → file → type → figures."""
    names = ["biored-dev"] if quick else ["bc5cdr-dev", "biored-dev", "bc5cdr-train", "biored-train"]
    gold = [DATA / "pubtator" / f"{name}.pubtator" for name in names]
    found: dict[str, Any] = {}
    for step, (settings, with_typing) in STEPS.items():
        lexicon = lexicons["plain" if settings is PLAIN else "normal"]
        report = evaluate_tagging(gold, [], settings, typing if with_typing else None, lexicon)
        for part in report.values():
            for row in part["types"].values():
                del row["false"], row["missed"]
        found[step] = report
    return found


@contextmanager
def corpus_of(sentences: int) -> Iterator[Path]:
    """So many sentences of the real corpus as a plain file, in stretches from all over it."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "sentences.tsv"
        with gzip.open(DATA / "corpus" / "sentences.tsv.gz", "rb") as stream, path.open("wb") as out:
            out.write(next(stream))
            for _ in range(sentences // STRETCH):
                out.writelines(islice(stream, STRETCH))
                next(islice(stream, CORPUS_SENTENCES * STRETCH // sentences - STRETCH, None), None)
        yield path


def speed(lexicons: dict[str, Lexicon], typing: Typing, quick: bool) -> dict[str, Any]:
    """Sentences a second, tagged, tokenised and written."""
    sentences = 40_000 if quick else 240_000
    found: dict[str, Any] = {"sentences": sentences, "load_average": os.getloadavg()[0]}
    with corpus_of(sentences) as path:
        start = time.process_time()
        documents = list(read_documents(path, "tsv", BadLines()))
        found["reading"] = round(sentences / (time.process_time() - start))
        for name, (settings, disambiguator) in {
            "plain match": (PLAIN, None),
            NO_TYPING: (ALL, None),
            "all steps": (ALL, typing),
        }.items():
            tagger = DocumentTagger(lexicons["plain" if settings is PLAIN else "normal"], settings, disambiguator)
            start = time.process_time()
            extract_shard(tagger, settings, documents, path.parent / "shard")
            found[f"{name}, per second of processor time"] = round(sentences / (time.process_time() - start))
        del documents, tagger
        settings = BuildCorpusSettings(shard_sentences=sentences // SHARDS)
        for name, disambiguator in ((NO_TYPING, None), ("all steps", typing)):
            for processes in (1, 2):
                shards = path.parent / f"shards-{processes}-{name}"
                plan = Plan([path], shards, lexicons["normal"], settings, disambiguator)
                found[f"{name}, per second, {processes} processes"] = round(sentences / _seconds(plan, processes))
        found["two_against_one"] = round(two_against_one(lexicons["normal"], path), 3)
    own, others = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return found | {"greatest_memory_mib": round(own), "greatest_memory_of_a_worker_mib": round(others)}


def _seconds(plan: Plan, processes: int) -> float:
    """Wall time of all shards at the steady rate, that of the second half: before it, the last worker may not work."""
    marks: list[float] = []

    class Marks(Silent):
        def advance(self, units: int, note: str = "") -> None:
            marks.append(time.perf_counter())

    paths = make_shards(replace(plan, processes=processes), BadLines(), Marks())
    half = len(paths) // 2
    return (marks[-1] - marks[half - 1]) / (len(paths) - half) * len(paths)


def two_against_one(lexicon: Lexicon, path: Path) -> float:
    """The machine's own limit: how much two processes tag in a time that share nothing, against one alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context, _start_tagger, (lexicon, path)) as pool:
        together = sum(pool.map(_tagged_from, [time.time() + STARTED_SECONDS] * 2))
        return together / pool.submit(_tagged_from, time.time()).result()


def _start_tagger(lexicon: Lexicon, path: Path) -> None:
    global _tagger, _texts
    _tagger = DocumentTagger(lexicon, ALL)
    documents = islice(read_documents(path, "tsv", BadLines()), 20_000)
    _texts = [[passage.text for passage in document.passages] for document in documents]


def _tagged_from(begin: float) -> int:
    """Documents tagged in the seconds after a moment at which both processes are ready."""
    time.sleep(max(0.0, begin - time.time()))
    end, done = time.perf_counter() + TAGGED_SECONDS, 0
    while time.perf_counter() < end:
        place = done % (len(_texts) - 100)
        _tagger.tag_documents(_texts[place : place + 100])
        done += 100
    return done


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--typing", type=Path, default=WORK / "typing", help="TYPING artifact")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    typing = Typing.open(arguments.typing)
    assert typing.artifact is not None
    manifest = typing.artifact.manifest
    lexicons = {"plain": lexicon_of(PLAIN), "normal": lexicon_of(ALL)}
    names = {name: len(lexicon.names) for name, lexicon in lexicons.items()}
    result = {
        "date": today(),
        "names": names,
        "typing": {key: manifest.summary[key] for key in ("examples", "gold_examples", "steps", "tuned", "thresholds")},
        "quality": quality(lexicons, typing, arguments.quick),
        "speed": speed(lexicons, typing, arguments.quick),
        "hardware": hardware(),
    }
    if not arguments.quick:
        save("tagging", result)
    if arguments.json:
        print(json.dumps(result, ensure_ascii=False, allow_nan=False))


if __name__ == "__main__":
    main()
