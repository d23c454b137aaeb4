"""What every reader yields: documents of passages, with or without mentions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice, pairwise
from pathlib import Path
from typing import NamedTuple

from syntok import segmenter

from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.sentences import Sentence

UNKNOWN_DOCUMENT = "PMC"
"""A document identifier that says nothing: each of its sentences is a document of its own."""
LONGEST_RUN = 2_000
"""Sentences of one document that are kept together at most, so that memory stays bounded."""


class Given(NamedTuple):
    """A mention that the input brings."""

    start: int
    """First character in the text of its passage."""
    end: int
    """Character after the last."""
    type: str
    """Canonical type."""
    id: str
    """Identifier, not empty."""


class Passage(NamedTuple):
    """A piece of text."""

    text: str
    is_sentence: bool
    """Otherwise it may hold several sentences."""
    given: tuple[Given, ...] | None = None
    """Its mentions in reading order; None if it is to be tagged."""


class Document(NamedTuple):
    """Passages that belong together: an abbreviation defined in one holds in all."""

    doc_id: str
    passages: tuple[Passage, ...]


class Block(NamedTuple):
    """Documents column by column, as they go to another process: some large lists travel faster than many tuples."""

    doc_ids: list[str]
    sizes: list[int]
    """Passages of each document."""
    texts: list[str]
    """Of all passages; so are the next two."""
    are_sentences: list[bool]
    given: list[tuple[Given, ...] | None]

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Block:
        """Take documents apart."""
        passages = [passage for document in documents for passage in document.passages]
        texts, are_sentences, given = map(list, zip(*passages, strict=True)) if passages else ([], [], [])
        return cls([d.doc_id for d in documents], [len(d.passages) for d in documents], texts, are_sentences, given)

    def documents(self) -> list[Document]:
        """Put them together again."""
        passages = map(Passage._make, zip(self.texts, self.are_sentences, self.given, strict=True))
        sizes = zip(self.doc_ids, self.sizes, strict=True)
        return [Document(doc_id, tuple(islice(passages, size))) for doc_id, size in sizes]


def documents_of(sentences: Iterable[tuple[Sentence, tuple[Given, ...] | None]]) -> Iterator[Document]:
    """Gather sentences that follow each other and have the same known document, at most ``LONGEST_RUN`` of them."""
    for doc_id, run in groupby(sentences, key=lambda pair: pair[0].doc_id):
        most = 1 if doc_id in ("", UNKNOWN_DOCUMENT) else LONGEST_RUN
        passages = []
        for sentence, given in run:
            passages.append(Passage(sentence.text, True, given))
            if len(passages) == most:
                yield Document(doc_id, tuple(passages))
                passages = []
        if passages:
            yield Document(doc_id, tuple(passages))


def split_sentences(passage: Passage) -> list[Passage]:
    """The sentences of a passage with their mentions; a mention across the end of a sentence holds it together."""
    if passage.is_sentence or not passage.text.strip():
        return [passage]
    text, given = passage.text, passage.given
    begins = [sentence[0].offset for paragraph in segmenter.analyze(text) for sentence in paragraph]
    inside = [begin for begin in begins[1:] if not any(g.start < begin < g.end for g in given or ())]
    sentences = []
    for begin, end in pairwise([0, *inside, len(text)]):
        start = begin + len(text[begin:end]) - len(text[begin:end].lstrip())
        end = begin + len(text[begin:end].rstrip())
        own = None
        if given is not None:
            # A mention may hold the blanks around a sentence, which the sentence loses.
            kept = [(max(g.start, start), min(g.end, end), g) for g in given if begin <= g.start < max(end, begin + 1)]
            own = tuple(Given(first - start, last - start, g.type, g.id) for first, last, g in kept if first < last)
        sentences.append(Passage(text[start:end], True, own))
    return sentences


def check_given(path: Path, line: int, text: str, given: Given, spelled: str | None, bad: BadLines) -> bool:
    """Whether a mention lies in its text and, if the input spells it out, reads as spelled; else it is a bad line.

    Raises:
        InputError: it does not, under ``strict``.
    """
    if not 0 <= given.start < given.end <= len(text):
        problem = f"the mention {given.start}-{given.end} is not within its text of {len(text)} characters"
    elif spelled is not None and text[given.start : given.end] != spelled:
        problem = f"the text at {given.start}-{given.end} is {text[given.start : given.end]!r}, not {spelled!r}"
        if text.encode()[given.start : given.end] == spelled.encode():
            problem += "; the offsets count bytes, but characters are needed"
    else:
        return True
    bad.add(InputError(path, problem, line), line)
    return False
