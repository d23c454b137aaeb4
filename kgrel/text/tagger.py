"""Finding the names of a lexicon in text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

import ahocorasick

from kgrel.text.disambiguation import Disambiguator, Question
from kgrel.text.folding import mark_words
from kgrel.text.lexicon import Lexicon, Use

_ANY_OF_THEM: frozenset[str] = frozenset()
"""Stands where each use of a name has spellings of its own."""


class Mention(NamedTuple):
    """An entity named at ``text[start:end]``."""

    start: int
    end: int
    entity: int
    """Position in :attr:`kgrel.text.lexicon.Lexicon.terms`."""


class Doubt(IntEnum):
    """Why a name may mean something else than the entity that it stands for in the lexicon."""

    NONE = 0
    SYMBOL = 1
    """It is short and looks like a symbol, as most abbreviations do."""
    CONTESTED = 2
    """Entities of several types have it, even where a type cannot answer because the name is ambiguous within it."""


class Match(NamedTuple):
    """A name found, with each entity that it may mean: one, or one of each of several types."""

    start: int
    end: int
    uses: tuple[Use, ...]
    doubt: Doubt
    """Whether the context is asked."""


class Tagger:
    """Tags text with an Aho-Corasick automaton over folded text.

    A match counts if neither neighbour is alphanumeric and, for case-bound names, the spelling is as listed.
    Among the matches that count, the leftmost wins, then the longest; mentions never overlap.

    Args:
        disambiguator: decides the doubtful names; without it, those of entities of several types are not tagged, and
            the others are.
    """

    def __init__(self, lexicon: Lexicon, disambiguator: Disambiguator | None = None) -> None:
        self.lexicon, self._disambiguator = lexicon, disambiguator
        self._fold, self._spelling = lexicon.normaliser.fold, lexicon.normaliser.spelling
        self.questions = 0
        """Mentions that the disambiguator was asked about so far."""
        self.unanswered = 0
        """Those that it left out."""
        self._automaton = ahocorasick.Automaton()
        for name, use in lexicon.names.items():
            doubt = Doubt.NONE if use.spellings is None else Doubt.SYMBOL
            self._automaton.add_word(mark_words(name), (len(name), use.spellings, (use,), doubt))
        for name, uses in lexicon.contested.items():
            self._automaton.add_word(mark_words(name), (len(name), _ANY_OF_THEM, uses, Doubt.CONTESTED))
        self._empty = not len(self._automaton)
        if not self._empty:
            self._automaton.make_automaton()

    def tag(self, text: str) -> list[Mention]:
        """The mentions in ``text``, in reading order."""
        return self.tag_all([text])[0]

    def tag_all(self, texts: Sequence[str]) -> list[list[Mention]]:
        """The mentions in each text; the disambiguator is asked once for all of them."""
        if self._empty:
            return [[] for _ in texts]
        found = [self.matches(text) for text in texts]
        if self._disambiguator is not None:
            return self._decided(self._disambiguator, texts, found)
        sure = [[match for match in row if match[3] < Doubt.CONTESTED] for row in found]
        return [leftmost_longest([Mention(start, end, uses[0].entity) for start, end, uses, _ in row]) for row in sure]

    def matches(self, text: str) -> list[Match]:
        """Every name in ``text`` that counts, overlapping ones too."""
        # The line end, which no name holds, is a neighbour for the last character and, as folded[-1], for the first.
        folded = mark_words(self._fold(text)) + "\n"
        found = []
        # iter_long would let a longest match that is no whole word hide a shorter one that is.
        for last, (length, spellings, uses, doubt) in self._automaton.iter(folded):
            if folded[last + 1].isalnum() or folded[last - length].isalnum():
                continue
            start, end = last + 1 - length, last + 1
            if spellings is not None:
                spelling = self._spelling(text[start:end])
                uses = tuple(use for use in uses if use.spellings is None or spelling in use.spellings)
                if not uses:
                    continue
            found.append(Match(start, end, uses, doubt))
        return found

    def meanings(self, name: str) -> list[int]:
        """The entities that a text may mean which is a name as a whole; the disambiguator is not asked."""
        whole = (match for match in self.matches(name) if match.start == 0 and match.end == len(name))
        return [use.entity for match in whole for use in match.uses] if not self._empty else []

    def question(self, text: str, match: Match) -> Question:
        """What the disambiguator is asked about a match."""
        terms = self.lexicon.terms
        types = tuple(sorted(terms[use.entity].type for use in match.uses))
        return Question(text, match.start, match.end, types, match.doubt == Doubt.CONTESTED)

    def _decided(
        self, disambiguator: Disambiguator, texts: Sequence[str], found: list[list[Match]]
    ) -> list[list[Mention]]:
        questions = [
            self.question(text, match)
            for text, matches in zip(texts, found, strict=True)
            for match in matches
            if match.doubt
        ]
        answers = iter(disambiguator.decide(questions) if questions else ())
        self.questions += len(questions)
        terms = self.lexicon.terms
        mentions = []
        for matches in found:
            chosen = []
            for start, end, uses, doubt in matches:
                if doubt:
                    answer = next(answers)
                    uses = tuple(use for use in uses if terms[use.entity].type == answer)
                    self.unanswered += not uses
                chosen += [Mention(start, end, use.entity) for use in uses]
            mentions.append(leftmost_longest(chosen))
        return mentions


def leftmost_longest(found: Iterable[Mention]) -> list[Mention]:
    """The mentions without those that overlap an earlier, or at the same place longer, one."""
    chosen, reached = [], 0
    for mention in sorted(found, key=lambda mention: (mention.start, -mention.end)):
        if mention.start >= reached:
            chosen.append(mention)
            reached = mention.end
    return chosen
