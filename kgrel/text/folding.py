"""Lower case that keeps the length, so that offsets into the folded text are offsets into the text."""

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
