"""Case that is changed but keeps the length, so that offsets into the folded text are offsets into the text."""

from __future__ import annotations


def fold(text: str) -> str:
    """Lower-case ``text`` character by character; ``len(fold(text)) == len(text)``.

    A character whose lower case is longer (``İ``) stays as it is, and the two lower-case sigmas are one,
    since which of them ``str.lower`` chooses depends on the neighbours.
    """
    low = text.lower()
    if len(low) != len(text):
        low = "".join(lower if len(lower := character.lower()) == 1 else character for character in text)
    return low.replace("ς", "σ")


def mark_words(folded: str) -> str:
    """Capitalise every letter that no letter precedes; the length stays.

    Names and text marked alike match only where a word begins, so that an automaton over marked names finds ``art`` in
    ``state of the art`` but not in ``heart``, and seldom leaves its root.
    """
    marked = folded.title()
    if len(marked) == len(folded):
        return marked
    odd = {character for character in set(folded) if len(character.title()) != 1 or len(character.lower()) != 1}
    blanked = "".join(" " if character in odd else character for character in folded).title()
    return "".join(old if old in odd else new for old, new in zip(folded, blanked, strict=True))
