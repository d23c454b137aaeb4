"""Dictionary tagging: whole words, longest match, leftmost first."""

from __future__ import annotations

from typing import NamedTuple

import ahocorasick

from kgrel.text.folding import fold
from kgrel.text.lexicon import Lexicon


class Mention(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) name the entity at a position of :attr:`Lexicon.terms`."""

    start: int
    end: int
    entity: int


class Tagger:
    """Finds the names of a lexicon in text with an Aho-Corasick automaton over folded text.

    A match counts if neither neighbour is alphanumeric and, for case-bound names, the spelling is as listed.
    Among the matches that count, the leftmost wins, then the longest; mentions never overlap.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._automaton = ahocorasick.Automaton()
        for name, use in lexicon.names.items():
            self._automaton.add_word(name, (len(name), use))
        self._empty = not lexicon.names
        if not self._empty:
            self._automaton.make_automaton()

    def tag(self, text: str) -> list[Mention]:
        """The mentions in ``text``, in reading order."""
        if self._empty:
            return []
        # The blank at the end is a neighbour for the last character and, as folded[-1], for the first.
        folded = fold(text) + " "
        found = []
        # iter_long would let a longest match that is no whole word hide a shorter one that is.
        for last, (length, (entity, spellings)) in self._automaton.iter(folded):
            end = last + 1
            if folded[end : end + 1].isalnum():
                continue
            start = end - length
            if folded[start - 1].isalnum() or (spellings is not None and text[start:end] not in spellings):
                continue
            found.append(Mention(start, end, entity))
        return _leftmost_longest(found) if len(found) > 1 else found


def _leftmost_longest(found: list[Mention]) -> list[Mention]:
    found.sort(key=lambda mention: (mention.start, -mention.end))
    chosen, reached = [], 0
    for mention in found:
        if mention.start >= reached:
            chosen.append(mention)
            reached = mention.end
    return chosen
