"""The words around a mention, as a classifier of its type reads them: the name itself is hidden."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import ArtifactError
from kgrel.data.files import canonical_json, write_text
from kgrel.data.json_values import parse_json
from kgrel.text.tokens import Span, TokenizedText, align, token_span

PAD, UNKNOWN, SYMBOL, NUMBER = range(4)
SPECIAL_WORDS = ("<PAD>", "<UNKNOWN>", "<SYMBOL>", "<NUMBER>")
"""No word; a rare word; a rare one that looks like a symbol (a digit, or a capital behind its first letter); digits."""

Rows = npt.NDArray[np.int32]


def window(text: str, tokens: TokenizedText, span: Span, width: int) -> list[str]:
    """The words around a mention as they are spelled: ``2 × width`` of them, '' where the sentence is shorter.

    The first half are the words before the mention, the second half those behind it, last word first: both are read
    towards the mention, and both are filled up in front.

    Args:
        tokens: of ``text``.
        span: first character of the mention and the one after its last.
    """
    aligned = align(text, tokens, (span,))
    first, last = token_span(aligned, span)
    starts, ends = aligned.starts, aligned.ends
    before = [text[starts[i] : ends[i]] for i in range(max(0, first - width), first)]
    behind = [text[starts[i] : ends[i]] for i in range(min(len(starts), last + width) - 1, last - 1, -1)]
    return [""] * (width - len(before)) + before + [""] * (width - len(behind)) + behind


@dataclass(frozen=True)
class WindowWords:
    """The word table of windows; case is folded, but tells the shape of a rare word.

    Attributes:
        words: the word of each row, the special ones first.
    """

    words: list[str]

    def __post_init__(self) -> None:
        if tuple(self.words[: len(SPECIAL_WORDS)]) != SPECIAL_WORDS:
            raise ValueError(f"a word table of windows begins with {SPECIAL_WORDS}")
        object.__setattr__(self, "_rows", {word: row for row, word in enumerate(self.words)})

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def of_counts(cls, counts: Counter[str], size: int) -> WindowWords:
        """The most frequent words (ties: by code point).

        Args:
            counts: occurrences of each lower-cased word.
            size: most rows, the special words included.
        """
        kept = sorted((word for word in counts if word), key=lambda word: (-counts[word], word))
        return cls([*SPECIAL_WORDS, *kept[: size - len(SPECIAL_WORDS)]])

    def row(self, word: str) -> int:
        """Row of a word as it is spelled; '' is no word."""
        rows: dict[str, int] = self._rows  # type: ignore[attr-defined]
        found = rows.get(word.lower())
        if found is not None:
            return found
        if word.isdigit():
            return NUMBER
        if any(character.isdigit() or character.isupper() for character in word[1:]):
            return SYMBOL
        return UNKNOWN if word else PAD

    def write(self, path: Path) -> None:
        """Write as JSON: ``{"words": [...]}``."""
        write_text(path, canonical_json({"words": self.words}))

    @classmethod
    def read(cls, path: Path) -> WindowWords:
        """Read what :meth:`write` wrote.

        Raises:
            ArtifactError: the file is no such table.
        """
        try:
            return cls(list(map(str, parse_json(path.read_bytes())["words"])))
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path}: is no word table ({error}); train the classifier again") from None
