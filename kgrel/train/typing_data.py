"""Labelled windows from which the classifier of types learns: self-labelled ones, and those of gold files."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import InputError
from kgrel.data.progress import Progress
from kgrel.text.badlines import BadLines
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.documents import Document
from kgrel.text.extract import WordNumbers
from kgrel.text.readers import read_documents
from kgrel.text.tokens import tokenize
from kgrel.text.typing_examples import NONE, Example, gold_labelled, self_labelled
from kgrel.text.windows import WindowWords, window
from kgrel.train.typing_settings import TypingSettings

Windows = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """Mentions with their answers.

    Attributes:
        windows: word rows (n, 2 × width).
        labels: class numbers (n,), 0 for NONE.
        held_out: (n,), whether a mention is kept from training.
        types: the types that each mention may have by its name; empty for self-labelled ones, which have all.
        contested: (n,), whether entities of several types have the name; empty for self-labelled ones.
    """

    windows: Windows
    labels: Numbers
    held_out: Flags
    types: tuple[tuple[str, ...], ...] = ()
    contested: Flags = field(default_factory=lambda: np.empty(0, np.bool_))


@dataclass(frozen=True)
class TypingData:
    """What is trained on."""

    words: WindowWords
    classes: list[str]
    """NONE first, then the types of the lexicons."""
    own: Labelled
    """Self-labelled mentions."""
    gold: Labelled
    """Mentions of gold files; may be empty."""


@dataclass
class Sampled:
    """At most ``size`` items of a stream, each of them with the same probability (Vitter's algorithm R)."""

    size: int
    seen: int = 0

    def place(self, draw: float) -> int | None:
        """Where the next item goes, replacing what is there; None if it is not kept. ``draw`` is in [0, 1)."""
        self.seen += 1
        if self.seen <= self.size:
            return self.seen - 1
        place = int(draw * self.seen)
        return place if place < self.size else None


class Collector:
    """Keeps a sample of the examples of each class, their words with provisional numbers."""

    def __init__(self, classes: Sequence[str], settings: TypingSettings) -> None:
        self._settings, self._draw = settings, random.Random(settings.seed).random
        self._numbers = WordNumbers()
        self._kept: dict[str, list[tuple[Windows, bool]]] = {label: [] for label in classes}
        self._sampled = {label: Sampled(settings.examples) for label in classes}

    def add(self, examples: Iterable[Example]) -> None:
        """Take in some examples."""
        last, tokens = "", tokenize("")
        for text, start, end, label in examples:
            place = self._sampled[label].place(self._draw())
            if place is None:
                continue
            if text is not last:
                last, tokens = text, tokenize(text)
            spelled = window(text, tokens, (start, end), self._settings.width)
            row = np.array([self._numbers[word] for word in spelled], np.int32), self._is_held_out(text)
            kept = self._kept[label]
            if place < len(kept):
                kept[place] = row
            else:
                kept.append(row)

    def _is_held_out(self, text: str) -> bool:
        """All mentions of a sentence fall on one side, wherever it stands."""
        return zlib.crc32(text.encode()) < self._settings.validation_share * 2**32

    def finish(self) -> tuple[WindowWords, Labelled]:
        """The word table of what was kept, and the examples in its rows."""
        rows = [row for kept in self._kept.values() for row, _ in kept]
        provisional = np.stack(rows) if rows else np.empty((0, 2 * self._settings.width), np.int32)
        spelled = ["", "", "", "", *self._numbers]
        occurrences = np.bincount(provisional.ravel(), minlength=len(spelled))
        counts: Counter[str] = Counter()
        for word, count in zip(spelled, occurrences.tolist(), strict=True):
            counts[word.lower()] += count
        words = WindowWords.of_counts(+counts, self._settings.vocabulary_size)
        row_of = np.array([words.row(word) for word in spelled], np.int32)
        labels = np.repeat(np.arange(len(self._kept)), [len(kept) for kept in self._kept.values()])
        held_out = np.array([held for kept in self._kept.values() for _, held in kept], np.bool_)
        return words, Labelled(row_of[provisional], labels, held_out)


def collect(
    inputs: Sequence[Path],
    gold: Sequence[Path],
    tagger: DocumentTagger,
    settings: TypingSettings,
    bad: BadLines,
    progress: Progress,
) -> TypingData:
    """Read the documents, and label what can be.

    Raises:
        InputError: a file cannot be read, or the documents hold no example of one of the types, or of none.
    """
    types = sorted({term.type for term in tagger.lexicon.terms})
    classes = [NONE, *types]
    collector = Collector(classes, settings)
    progress.start("finding examples", None)
    for examples in self_labelled(_sampled(inputs, settings, bad), tagger, settings.per_name, settings.seed):
        collector.add(examples)
        progress.advance(len(examples))
    words, own = collector.finish()
    for place, label in enumerate(classes):
        sides = own.held_out[own.labels == place]
        if sides.all() or not sides.any():
            files = ", ".join(map(str, inputs))
            message = f"too few mentions of {label} to train and validate on; give more sentences, or more names"
            raise InputError(files, message + bad.told)
    return TypingData(words, classes, own, _gold(gold, tagger, settings, bad, words, classes))


def _sampled(inputs: Sequence[Path], settings: TypingSettings, bad: BadLines) -> Iterator[Document]:
    draw = random.Random(settings.seed).random
    for path in inputs:
        for document in read_documents(path, "auto", bad):
            if settings.sample == 1 or draw() < settings.sample:
                yield document


def _gold(
    paths: Sequence[Path],
    tagger: DocumentTagger,
    settings: TypingSettings,
    bad: BadLines,
    words: WindowWords,
    classes: list[str],
) -> Labelled:
    """The mentions of gold files; whole documents are held out."""
    windows: list[list[int]] = []
    labels: list[int] = []
    held_out: list[bool] = []
    types: list[tuple[str, ...]] = []
    contested: list[bool] = []
    for path in paths:
        documents = list(read_documents(path, "auto", bad))
        for document, asked in zip(documents, gold_labelled(documents, tagger), strict=True):
            held = zlib.crc32(document.doc_id.encode()) < settings.validation_share * 2**32
            for question, label in asked:
                span = question.start, question.end
                spelled = window(question.text, tokenize(question.text), span, settings.width)
                windows.append([words.row(word) for word in spelled])
                labels.append(classes.index(label) if label in classes else 0)
                held_out.append(held)
                types.append(question.types)
                contested.append(question.contested)
    found = np.array(windows, np.int32).reshape(-1, 2 * settings.width)
    sides, rivals = np.array(held_out, np.bool_), np.array(contested, np.bool_)
    return Labelled(found, np.array(labels, np.int64), sides, tuple(types), rivals)
