"""Tagging whole documents: names, and the abbreviations that the document defines for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kgrel.text.abbreviations import Definition, find_definitions
from kgrel.text.disambiguation import Disambiguator
from kgrel.text.lexicon import Lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tagger import Mention, Tagger
from kgrel.text.terms import Term

_WORDS = re.compile(r"[^\W\d_]{4,}")


class Meaning(NamedTuple):
    """What an abbreviation means in a document."""

    entity: int | None
    """None: no entity of the lexicon."""
    long_form: str


class DocumentTagger:
    """Tags the sentences of a document together.

    An abbreviation that one of them defines means, in all of them and in the case defined, the entity of what it stands
    for. Where that is no name of the lexicon, but the abbreviation is one, it keeps that meaning if half of the words
    of the long form stand in names of that entity; else it means nothing. A longer name that holds the abbreviation
    stays. Of two definitions of one abbreviation the first counts.

    Args:
        disambiguator: decides the doubtful names, see :class:`~kgrel.text.tagger.Tagger`.
    """

    def __init__(
        self, lexicon: Lexicon, settings: BuildCorpusSettings, disambiguator: Disambiguator | None = None
    ) -> None:
        self.lexicon = lexicon
        self.tagger = Tagger(lexicon, disambiguator)
        self._abbreviations, self._plurals = settings.abbreviations, settings.plurals
        self._given_by_definition = 0

    def tally(self) -> tuple[int, int, int]:
        """Mentions whose type was asked for, those left undecided, and those by a definition, all so far."""
        return self.tagger.questions, self.tagger.unanswered, self._given_by_definition

    def tag_documents(self, documents: Sequence[Sequence[str]]) -> list[list[list[Mention]]]:
        """The mentions of each sentence of each document, in reading order."""
        rows = iter(self.tagger.tag_all([text for texts in documents for text in texts]))
        found = [[next(rows) for _ in texts] for texts in documents]
        if not self._abbreviations:
            return found
        return [self._expand(texts, mentions) for texts, mentions in zip(documents, found, strict=True)]

    def definitions(self, texts: Sequence[str], found: list[list[Mention]]) -> dict[str, Meaning]:
        """What the sentences of a document define, by abbreviation.

        Args:
            found: the mentions of each sentence.
        """
        meanings: dict[str, Meaning] = {}
        for text, mentions in zip(texts, found, strict=True):
            for definition in find_definitions(text):
                if definition.short not in meanings:
                    long_form = text[definition.long_start : definition.long_end]
                    meanings[definition.short] = Meaning(self._meaning(definition, long_form, mentions), long_form)
        return meanings

    def _expand(self, texts: Sequence[str], found: list[list[Mention]]) -> list[list[Mention]]:
        meanings = self.definitions(texts, found)
        if not meanings:
            return found
        return [self._replace(text, mentions, meanings) for text, mentions in zip(texts, found, strict=True)]

    def _meaning(self, definition: Definition, long_form: str, mentions: list[Mention]) -> int | None:
        named = _mention_of(definition, mentions)
        if named is not None:
            return named.entity
        possible = self.tagger.meanings(definition.short)
        return next((entity for entity in possible if _resembles(long_form, self.lexicon.terms[entity])), None)

    def _replace(self, text: str, mentions: list[Mention], meanings: dict[str, Meaning]) -> list[Mention]:
        for short, (entity, _) in meanings.items():
            if short not in text:
                continue
            for start, end in self.occurrences(text, short):
                over = [m for m in mentions if m.start < end and start < m.end]
                if any(m.start <= start and end <= m.end and m.end - m.start > end - start for m in over):
                    continue
                mentions = [m for m in mentions if m not in over]
                if entity is not None:
                    mentions.append(Mention(start, end, entity))
                    self._given_by_definition += 1
        return sorted(mentions)

    def occurrences(self, text: str, short: str) -> Iterator[tuple[int, int]]:
        """Where an abbreviation stands in a text, with its plural: first character, and the one after the last."""
        start = text.find(short)
        while start >= 0:
            end = start + len(short)
            if self._plurals and text[end : end + 1] == "s":
                end += 1
            if not (text[end : end + 1].isalnum() or (start and text[start - 1].isalnum())):
                yield start, end
            start = text.find(short, end)


def _mention_of(definition: Definition, mentions: list[Mention]) -> Mention | None:
    """The mention that is the long form, or holds it up to its end."""
    for mention in mentions:
        if mention.start <= definition.long_start and mention.end == definition.long_end:
            return mention
    return None


def _resembles(long_form: str, term: Term) -> bool:
    """Whether at least half of the words of a long form stand in names of the term."""
    known = set(_WORDS.findall(" ".join(term.names + term.synonyms).lower()))
    words = set(_WORDS.findall(long_form.lower()))
    return bool(words) and 2 * len(words & known) >= len(words)
