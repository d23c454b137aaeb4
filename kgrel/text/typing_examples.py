"""Mentions whose type is known without anybody having labelled them, and those that gold files label.

Types come from names that entities of one type alone have, and from abbreviations that their document defines. That a
mention is *none* of the types is known of abbreviations that their document defines as something else, of names on the
stop list, and of words that are no names.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kgrel.text.disambiguation import Question
from kgrel.text.document_tagger import DocumentTagger, Meaning
from kgrel.text.documents import Document, Passage, split_sentences
from kgrel.text.lexicon import Lexicon
from kgrel.text.tagger import Mention

NONE = "NONE"
"""The label of what is of no type."""
_TOGETHER = 500
_WORD = re.compile(r"(?<![\w-])[a-z]{3,}(?![\w-])")
_SYMBOL = re.compile(r"(?<![\w-])[A-Za-z]\w{2,}(?![\w-])")
_PLAIN = 0.1
"""Share of the sentences that give a plain word as an example of none: such words are easily told."""
_HEADS = 3
"""A word that ends the names of so many entities may end those of others that the lexicon lacks."""


class Example(NamedTuple):
    """A mention and what it is."""

    text: str
    """The sentence."""
    start: int
    end: int
    label: str
    """A type, or :data:`NONE`."""


class Asked(NamedTuple):
    """A mention that the tagger would ask about, and the answer that a gold file gives."""

    question: Question
    label: str


class SelfLabeller:
    """Finds examples in documents that nobody has labelled.

    Args:
        tagger: one without a disambiguator, so that it tags no contested names.
        per_name: the n-th mention of a name is taken with probability min(1, per_name / n), so that a few frequent
            names do not stand for their type.
        seed: of that choice, and of the words that are no names.
    """

    def __init__(self, tagger: DocumentTagger, per_name: int, seed: int) -> None:
        self._tagger, self._lexicon, self._per_name = tagger, tagger.lexicon, per_name
        self._draw = random.Random(seed).random
        self._seen: Counter[str] = Counter()
        self._heads = head_words(tagger.lexicon)

    def examples(self, documents: Sequence[Document]) -> Iterator[Example]:
        """The examples of some documents."""
        texts = [[s.text for p in document.passages for s in split_sentences(p)] for document in documents]
        for sentences, found in zip(texts, self._tagger.tag_documents(texts), strict=True):
            meanings = self._tagger.definitions(sentences, found)
            for text, mentions in zip(sentences, found, strict=True):
                for example in self._of_sentence(text, mentions, meanings):
                    if self._is_taken(example.text[example.start : example.end]):
                        yield example

    def _of_sentence(self, text: str, mentions: list[Mention], meanings: dict[str, Meaning]) -> Iterator[Example]:
        terms = self._lexicon.terms
        for mention in mentions:
            name = text[mention.start : mention.end]
            if name in meanings or self._is_sure(name):
                yield Example(text, mention.start, mention.end, terms[mention.entity].type)
        taken = [(mention.start, mention.end) for mention in mentions]
        for short, (entity, long_form) in meanings.items():
            if entity is None and self._is_something_else(long_form):
                for start, end in self._tagger.occurrences(text, short):
                    if all(end <= first or last <= start for first, last in taken):
                        yield Example(text, start, end, NONE)
        for match in _SYMBOL.finditer(text):
            if self._lexicon.normaliser.fold(match[0]) in self._lexicon.stopped:
                yield Example(text, match.start(), match.end(), NONE)
        words = list(_WORD.finditer(text)) if self._draw() < _PLAIN else []
        if words:
            word = words[int(self._draw() * len(words))]
            if self._lexicon.normaliser.fold(word[0]) not in self._lexicon.names and all(
                word.end() <= first or last <= word.start() for first, last in taken
            ):
                yield Example(text, word.start(), word.end(), NONE)

    def _is_sure(self, name: str) -> bool:
        """Whether a name is no short symbol that other abbreviations share, but a word, a phrase, or has a number."""
        use = self._lexicon.names.get(self._lexicon.normaliser.fold(name))
        if use is None:
            return False
        return use.spellings is None or (len(name) > 3 and any(map(str.isdigit, name)))

    def _is_something_else(self, long_form: str) -> bool:
        """Whether a long form that names no entity of the lexicon names none outside it either, as far as one sees."""
        return long_form.lower().split()[-1].rstrip("s") not in self._heads

    def _is_taken(self, name: str) -> bool:
        self._seen[name] += 1
        return self._draw() * self._seen[name] < self._per_name


def head_words(lexicon: Lexicon) -> frozenset[str]:
    """The last words, without a plural s, of names of several words of at least ``_HEADS`` entities."""
    heads: Counter[str] = Counter()
    for term in lexicon.terms:
        names = (name.lower().split() for name in term.names + term.synonyms)
        heads.update({words[-1].rstrip("s") for words in names if len(words) > 1})
    return frozenset(word for word, count in heads.items() if count >= _HEADS)


def self_labelled(
    documents: Iterable[Document], tagger: DocumentTagger, per_name: int, seed: int
) -> Iterator[list[Example]]:
    """The examples of each block of documents."""
    labeller = SelfLabeller(tagger, per_name, seed)
    block: list[Document] = []
    for document in documents:
        block.append(document)
        if len(block) == _TOGETHER:
            yield list(labeller.examples(block))
            block = []
    if block:
        yield list(labeller.examples(block))


def gold_labelled(documents: Sequence[Document], tagger: DocumentTagger) -> Iterator[list[Asked]]:
    """For each document, the mentions that the tagger would ask about with the answers of its gold mentions.

    A name that overlaps a gold mention is of its type, whatever the ends; one that overlaps none is of no type if the
    documents annotate all types that it may have, else it is left out.
    """
    annotated = {given.type for document in documents for p in document.passages for given in p.given or ()}
    for document in documents:
        sentences = (sentence for passage in document.passages for sentence in split_sentences(passage))
        yield [asked for sentence in sentences for asked in _gold_of_sentence(sentence, tagger, annotated)]


def _gold_of_sentence(sentence: Passage, tagger: DocumentTagger, annotated: set[str]) -> Iterator[Asked]:
    for match in tagger.tagger.matches(sentence.text):
        question = tagger.tagger.question(sentence.text, match)
        types = {g.type for g in sentence.given or () if g.start < match.end and match.start < g.end}
        right = sorted(types & set(question.types)) or sorted(types)
        if match.doubt and (right or annotated.issuperset(question.types)):
            yield Asked(question, right[0] if right else NONE)
