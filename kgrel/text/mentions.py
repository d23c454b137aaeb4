"""A sentence with two marked entities: finding the marks, and the words that a model reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kgrel.data.entities import canonical_type
from kgrel.data.errors import KgrelError
from kgrel.text.tokens import SPECIAL_TOKENS, Span, align, replace_mentions, token_span, tokenize

MAX_TOKENS = 140
"""Longest context in tokens, its end included (the paper's limit)."""
ENT, END = SPECIAL_TOKENS[2:]

PROBLEMS = {
    "no_sentence": "the sentence is empty",
    "no_mark": "no entity is marked; two are needed",
    "one_mark": "only one entity is marked; two are needed",
    "many_marks": "more than two entities are marked; repeat the sentence, once for each pair, with two marks each",
    "bad_mark": "a mark has no type, or does not lie within its sentence (characters from 0, the end exclusive)",
    "overlap": "the two marks overlap",
    "too_far": f"the marked entities are too far apart for {MAX_TOKENS} tokens",
}
"""Why a sentence cannot be read: status → what is said of it."""

_DEFAULT_MARK = re.compile(r"@([A-Za-z][\w-]*)\$")


class Statement(NamedTuple):
    """A sentence and its two marked entities in the order of the text."""

    text: str
    first: Span
    """First character of the mention and the one after its last."""
    second: Span
    types: tuple[str, str]
    """Canonical types of the first and of the second."""


class Mark(NamedTuple):
    """A marked entity as the input gives it."""

    start: int
    end: int
    type: str


Read = Statement | str
"""A statement, or the status that says why there is none: a key of :data:`PROBLEMS`."""


def statement_of(text: str, marks: Sequence[Mark]) -> Read:
    """The statement that two marks make of a sentence."""
    if not text.strip():
        return "no_sentence"
    if len(marks) != 2:
        return ("no_mark", "one_mark")[len(marks)] if len(marks) < 2 else "many_marks"
    first, second = sorted(marks)
    if not all(0 <= mark.start < mark.end <= len(text) and mark.type for mark in marks):
        return "bad_mark"
    if second.start < first.end:
        return "overlap"
    types = canonical_type(first.type), canonical_type(second.type)
    return Statement(text, (first.start, first.end), (second.start, second.end), types)


def mark_finder(placeholders: Sequence[str]) -> Callable[[str], list[Mark]]:
    """A function that finds the placeholders of a text.

    Args:
        placeholders: each ``MARK=TYPE``; none = ``@TYPE$`` for any type.

    Raises:
        KgrelError: one of them is not ``MARK=TYPE``.
    """
    types: dict[str, str] = {}
    for entry in placeholders:
        mark, sign, name = entry.rpartition("=")
        if not (mark and sign and name.strip()):
            raise KgrelError(f"the placeholder {entry!r} is not MARK=TYPE, such as @PROTEIN$=GENE")
        types[mark] = name
    if not types:
        return lambda text: [Mark(*found.span(), found[1]) for found in _DEFAULT_MARK.finditer(text)]
    any_mark = re.compile("|".join(re.escape(mark) for mark in sorted(types, key=len, reverse=True)))
    return lambda text: [Mark(*found.span(), types[found[0]]) for found in any_mark.finditer(text)]


def context_words(statement: Statement, max_tokens: int = MAX_TOKENS) -> tuple[list[str], bool] | None:
    """The words of a statement, each mention ``<ENT>``, ``<END>`` last; a long sentence is cut around the mentions.

    Returns:
        The words and whether the sentence was cut; None if its mentions are too far apart.
    """
    text, first, second, _ = statement
    tokens = align(text, tokenize(text), (first, second))
    spans = token_span(tokens, first), token_span(tokens, second)
    return replace_mentions(tokens.words, *spans, ENT, END, max_tokens)


def said_of(status: str, further: Mapping[str, str] | None = None) -> str:
    """The sentence on a status."""
    return (PROBLEMS | dict(further or {}))[status]
