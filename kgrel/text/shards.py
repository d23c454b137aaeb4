"""Shards of a corpus in the making: blocks of documents, each worked on by one process, kept until all are there."""

from __future__ import annotations

import gc
import itertools
import json
import multiprocessing
import random
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import remove_tree, sync, write_text
from kgrel.data.progress import Progress
from kgrel.text.badlines import BadLines
from kgrel.text.contexts import CONTEXT_SCHEMA, SENTENCE_SCHEMA, RowWriter
from kgrel.text.disambiguation import Disambiguator
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.documents import Block, Document, Passage
from kgrel.text.extract import Extractor, GivenEntity
from kgrel.text.lexicon import Lexicon
from kgrel.text.readers import read_documents
from kgrel.text.settings import BuildCorpusSettings

CONTEXTS = "contexts.arrow"
SENTENCES = "sentences.arrow"
STATE = "state.json"
"""Written last: a shard that has it is complete."""
_CHARACTERS_A_SENTENCE = 150
_TOGETHER = 500
"""Documents given to the extractor at once."""


@dataclass(frozen=True)
class Shard:
    """A complete shard.

    Attributes:
        path: its directory.
        counts: the whole numbers of :class:`~kgrel.text.extract.Tally`.
        words: the word of each provisional number, in order, behind the special tokens.
        word_counts: occurrences of each in the kept sentences.
        names: folded name, provisional entity and number of mentions.
        given: the entities behind those of the lexicon.
    """

    path: Path
    counts: dict[str, int]
    words: list[str]
    word_counts: list[int]
    names: list[tuple[str, int, int]]
    given: list[GivenEntity]

    @classmethod
    def read(cls, path: Path) -> Shard:
        """Read what :func:`extract_shard` wrote."""
        state = json.loads((path / STATE).read_bytes())
        state["names"] = [(name, entity, count) for name, entity, count in state["names"]]
        state["given"] = [(kind, identifier, name) for kind, identifier, name in state["given"]]
        return cls(path, **state)


@dataclass(frozen=True)
class Plan:
    """What all shards share.

    Attributes:
        inputs: the files, in order.
        directory: holds one directory a shard; a shard that is complete is not made again.
        lexicon: the names to tag.
        processes: number of worker processes; with 1 the work is done in this one.
    """

    inputs: Sequence[Path]
    directory: Path
    lexicon: Lexicon
    settings: BuildCorpusSettings
    disambiguator: Disambiguator | None = None
    processes: int = 1


def make_shards(plan: Plan, bad: BadLines, progress: Progress) -> list[Path]:
    """Make the shards that are not there yet, and return all of them in the order of the input.

    At most two blocks of documents a process wait in memory.

    Raises:
        InputError: an input cannot be used.
        KgrelError: a worker process died; the complete shards stay.
    """
    paths: list[Path] = []
    if plan.processes == 1:
        with _uncollected():
            tagger = DocumentTagger(plan.lexicon, plan.settings, plan.disambiguator)
        with _frozen():
            for documents in _blocks(plan, bad):
                paths.append(_path(plan, len(paths)))
                done = _is_done(paths[-1]) or extract_shard(tagger, plan.settings, documents, paths[-1])
                progress.advance(_sentences(documents) if done else 0, f"{len(paths):,} shards")
        return paths
    # Serialised once: each worker would have it done anew, and would begin that much later than the one before.
    start = (bytes(ForkingPickler.dumps((plan.lexicon, plan.settings, plan.disambiguator))),)
    waiting: deque[tuple[Future[bool] | None, int]] = deque()
    # Spawned, not forked: the caller may have threads, whose locks a fork would copy locked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(plan.processes, context, _start_worker, start) as pool, _frozen():
        try:
            for documents in _blocks(plan, bad):
                paths.append(_path(plan, len(paths)))
                future = None if _is_done(paths[-1]) else pool.submit(_work, Block.of(documents), paths[-1])
                waiting.append((future, _sentences(documents)))
                if len(waiting) > 2 * plan.processes:
                    _finish(waiting, progress)
            while waiting:
                _finish(waiting, progress)
        except BrokenProcessPool:
            raise KgrelError(
                "a worker process died, as a rule for want of memory; the complete shards are kept: repeat the command "
                "to go on, with fewer processes if need be"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return paths


def _finish(waiting: deque[tuple[Future[bool] | None, int]], progress: Progress) -> None:
    future, sentences = waiting.popleft()
    if future is not None:
        future.result()
    progress.advance(sentences)


def _path(plan: Plan, number: int) -> Path:
    return plan.directory / f"shard-{number:06d}"


def _is_done(path: Path) -> bool:
    return (path / STATE).is_file()


_worker: tuple[DocumentTagger, BuildCorpusSettings] | None = None


def _start_worker(serialised: bytes) -> None:
    global _worker
    with _uncollected():
        lexicon, settings, disambiguator = ForkingPickler.loads(serialised)
        _worker = DocumentTagger(lexicon, settings, disambiguator), settings
    gc.freeze()


def _work(block: Block, path: Path) -> bool:
    assert _worker is not None
    return extract_shard(*_worker, block.documents(), path)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make what stays, without a collection that walks through it again and again while it grows."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _frozen() -> Iterator[None]:
    """Spare the garbage collector what is there now, the names above all, as long as text is tagged."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _blocks(plan: Plan, bad: BadLines) -> Iterator[list[Document]]:
    """The documents of all inputs in blocks of about ``shard_sentences`` sentences."""
    block: list[Document] = []
    size = 0
    for document in _documents(plan, bad):
        block.append(document)
        size += sum(map(_size, document.passages))
        if size >= plan.settings.shard_sentences:
            yield block
            block, size = [], 0
    if block:
        yield block


def _size(passage: Passage) -> int:
    return 1 if passage.is_sentence else 1 + len(passage.text) // _CHARACTERS_A_SENTENCE


def _sentences(documents: Sequence[Document]) -> int:
    return sum(_size(passage) for document in documents for passage in document.passages)


def _documents(plan: Plan, bad: BadLines) -> Iterator[Document]:
    """The sampled documents of all inputs."""
    settings = plan.settings
    draw = random.Random(settings.seed).random
    for path in plan.inputs:
        for document in read_documents(path, settings.format, bad):
            if settings.sample < 1 and draw() >= settings.sample:
                continue
            if not plan.lexicon.terms and not (settings.given_mentions and _brings_mentions(document)):
                raise InputError(
                    path, f"the document {document.doc_id} needs tagging, so at least one lexicon is needed"
                )
            yield document


def _brings_mentions(document: Document) -> bool:
    return all(passage.given is not None for passage in document.passages)


def extract_shard(
    tagger: DocumentTagger, settings: BuildCorpusSettings, documents: Sequence[Document], path: Path
) -> bool:
    """Tag and pair a block of documents, and write the shard; True when it is done."""
    with suppress(FileNotFoundError):
        remove_tree(path)
    path.mkdir(parents=True)
    with (
        RowWriter(path / SENTENCES, SENTENCE_SCHEMA) as sentences,
        RowWriter(path / CONTEXTS, CONTEXT_SCHEMA) as contexts,
    ):
        extractor = Extractor(tagger, settings, sentences, contexts)
        remaining = iter(documents)
        while some := list(itertools.islice(remaining, _TOGETHER)):
            extractor.add(some)
    for name in (SENTENCES, CONTEXTS):
        sync(path / name)
    write_text(path / STATE, json.dumps(_state(extractor), ensure_ascii=False))
    return True


def _state(extractor: Extractor) -> dict[str, Any]:
    tally, words = extractor.tally, list(extractor.numbers)
    return {
        "counts": {name: value for name, value in vars(tally).items() if isinstance(value, int)},
        "words": words,
        "word_counts": [tally.word_counts[word] for word in words],
        "names": [[name, entity, count] for (name, entity), count in tally.name_counts.items()],
        "given": [list(entity) for entity in extractor.given],
    }
