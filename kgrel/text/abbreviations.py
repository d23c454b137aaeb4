"""Abbreviations that a document defines, by the rule of Schwartz and Hearst.

Source: A. S. Schwartz and M. A. Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical
text", Pacific Symposium on Biocomputing 2003, pp. 451-462.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kgrel.text.folding import fold

_BRACKETS = re.compile(r"\(([^()]{2,120})\)")
_STOP = re.compile(r"[,;:] | or |=")
_MOST_CHARACTERS = 10


class Definition(NamedTuple):
    """An abbreviation and what it stands for, in one text."""

    short: str
    long_start: int
    """First character of the long form."""
    long_end: int
    """Character after its last."""


def find_definitions(text: str) -> Iterator[Definition]:
    """The abbreviations that a text defines: ``long form (SF)`` and ``SF (long form)``.

    A short form has 2 to 10 characters in at most two words, begins with a letter or digit and holds a letter. Its
    long form has at most min(|SF| + 5, 2 |SF|) words; every letter and digit of the short form stands in it in order,
    the first at the beginning of a word.

    Examples:
        >>> text = "amyotrophic lateral sclerosis (ALS)"
        >>> [(d.short, text[d.long_start:d.long_end]) for d in find_definitions(text)]
        [('ALS', 'amyotrophic lateral sclerosis')]
    """
    if "(" not in text:
        return
    for match in _BRACKETS.finditer(text):
        before = text[: match.start()].rstrip()
        inner = _STOP.split(match[1], maxsplit=1)[0].strip()
        if is_short_form(inner):
            begin = _begin_of_window(before, inner)
            start = _long_form(inner, before[begin:])
            if start is not None:
                yield Definition(inner, begin + start, len(before))
        elif before:
            short = before.split()[-1].strip("\"',;:[")
            start = _long_form(short, inner) if is_short_form(short) else None
            if start == 0:
                begin = match.start(1) + match[1].index(inner)
                yield Definition(short, begin, begin + len(inner))


def is_short_form(text: str) -> bool:
    """Whether a text may be an abbreviation; a word in lower case is none."""
    return (
        2 <= len(text) <= _MOST_CHARACTERS
        and text[0].isalnum()
        and any(character.isupper() for character in text)
        and len(text.split()) <= 2
    )


def _begin_of_window(before: str, short: str) -> int:
    """Where the words begin among which the long form is sought."""
    begin = len(before)
    for _ in range(min(len(short) + 5, 2 * len(short))):
        gap = before.rfind(" ", 0, begin)
        if gap < 0:
            return 0
        begin = gap
    return begin + 1


def _long_form(short: str, window: str) -> int | None:
    """Where the shortest long form begins that ends with the window, or None."""
    place, letters, low = len(window), fold(short), fold(window)
    for index in range(len(short) - 1, -1, -1):
        if not letters[index].isalnum():
            continue
        place = low.rfind(letters[index], 0, place)
        while index == 0 and place > 0 and low[place - 1].isalnum():
            place = low.rfind(letters[0], 0, place)
        if place < 0:
            return None
    start = window.rfind(" ", 0, place + 1) + 1
    long_form = window[start:]
    too_short = len(long_form) <= len(short) or short in long_form.split()
    return None if too_short else start
