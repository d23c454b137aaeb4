"""Words of a text, the context of a pair of mentions, and the vocabulary."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from tokenizers.pre_tokenizers import BertPreTokenizer

from kgrel.data.errors import ArtifactError
from kgrel.data.files import canonical_json, write_text
from kgrel.data.json_values import parse_json

PAD, UNK, ENT, END = range(4)
SPECIAL_TOKENS = ("<PAD>", "<UNK>", "<ENT>", "<END>")

T = TypeVar("T")
Span = tuple[int, int]

_split_words = BertPreTokenizer().pre_tokenize_str


@dataclass(frozen=True)
class TokenizedText:
    """The words of a text.

    Attributes:
        words: lower-cased words and single punctuation marks.
        starts: first character of each.
        ends: character after the last of each.
    """

    words: list[str]
    starts: list[int]
    ends: list[int]


def tokenize(text: str) -> TokenizedText:
    """Split at white space and punctuation, as BERT does."""
    split = _split_words(text)
    words = [word.lower() for word, _ in split]
    return TokenizedText(words, [start for _, (start, _) in split], [end for _, (_, end) in split])


def align(text: str, tokens: TokenizedText, spans: Iterable[Span]) -> TokenizedText:
    """Split the tokens within which a span begins or ends, so that each span is a whole run of tokens.

    It is rare: a ``±`` ends a mention but is no punctuation for BERT, so ``IL-2±TNF`` holds ``2±tnf``.

    Returns:
        ``tokens`` itself if there is nothing to split.
    """
    cuts = {place for span in spans for place in span if _is_within_a_token(tokens, place)}
    if not cuts:
        return tokens
    pieces = []
    for start, end in zip(tokens.starts, tokens.ends, strict=True):
        inner = sorted(cut for cut in cuts if start < cut < end)
        pieces += list(zip([start, *inner], [*inner, end], strict=True))
    words = [text[start:end].lower() for start, end in pieces]
    return TokenizedText(words, [start for start, _ in pieces], [end for _, end in pieces])


def _is_within_a_token(tokens: TokenizedText, place: int) -> bool:
    before = bisect_left(tokens.starts, place)
    return before > 0 and tokens.ends[before - 1] > place


def token_span(tokens: TokenizedText, span: Span) -> Span:
    """The tokens (first, last + 1) that lie in a character span, to which they are aligned."""
    return bisect_left(tokens.starts, span[0]), bisect_left(tokens.starts, span[1])


def replace_mentions(
    items: Sequence[T], first: Span, second: Span, mention: T, end: T, max_tokens: int
) -> tuple[list[T], bool] | None:
    """The context of two mentions: each replaced by one item, an end item added, cut to a window if too long.

    Args:
        items: the sentence, one item a token.
        first: token span (start, end) of the mention that comes first; ``second`` of the other.
        mention: what stands for each mention.
        end: what stands at the end, also of a context that was cut.
        max_tokens: longest context, the end included. The window is centred on the two mentions as far as the
            sentence allows.

    Returns:
        The context and whether it was cut; None if the mentions are too far apart for ``max_tokens``.
    """
    middle = items[first[1] : second[0]]
    spare = max_tokens - len(middle) - 3
    if spare < 0:
        return None
    before, after = first[0], len(items) - second[1]
    left = min(before, max(spare // 2, spare - after))
    right = min(after, spare - left)
    left_items, right_items = items[first[0] - left : first[0]], items[second[1] : second[1] + right]
    context = [*left_items, mention, *middle, mention, *right_items, end]
    return context, left + right < before + after


@dataclass(frozen=True)
class Vocabulary:
    """The word table: row of each word, most frequent first after the special tokens.

    Attributes:
        words: the word of each row.
        counts: int64 [V]. For words, occurrences in the kept sentences, each sentence once; for ``<UNK>``,
            those of all words left out; for ``<ENT>`` and ``<END>``, occurrences in the contexts; for
            ``<PAD>``, 0.
    """

    words: list[str]
    counts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if tuple(self.words[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
            raise ValueError(f"a vocabulary begins with {SPECIAL_TOKENS}")
        object.__setattr__(self, "_rows", {word: row for row, word in enumerate(self.words)})

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def of_counts(cls, counts: dict[str, int], size: int, min_count: int, contexts: int) -> Vocabulary:
        """The most frequent words (ties: by code point) that occur at least ``min_count`` times.

        Args:
            counts: occurrences of each word.
            size: most rows, the special tokens included.
            contexts: number of contexts.
        """
        kept = sorted((word for word in counts if counts[word] >= min_count), key=lambda w: (-counts[w], w))
        kept = kept[: size - len(SPECIAL_TOKENS)]
        unknown = sum(counts.values()) - sum(counts[word] for word in kept)
        special = [0, unknown, 2 * contexts, contexts]
        return cls([*SPECIAL_TOKENS, *kept], np.array(special + [counts[word] for word in kept], np.int64))

    def row(self, word: str) -> int:
        """Row of a lower-cased word, ``UNK`` if it has none."""
        rows: dict[str, int] = self._rows  # type: ignore[attr-defined]
        return rows.get(word, UNK)

    def encode_context(self, text: str, first: Span, second: Span, max_tokens: int = 140) -> list[int] | None:
        """Token rows of a sentence as the context of two mentions, as :mod:`kgrel.text.build` makes them.

        Args:
            text: the sentence.
            first: character span (start, end) of the mention that comes first; ``second`` of the other.
            max_tokens: longest context, ``<END>`` included.

        Returns:
            int token rows with two ``ENT`` and a final ``END``; None if the mentions are too far apart.
        """
        tokens = align(text, tokenize(text), (first, second))
        spans = token_span(tokens, first), token_span(tokens, second)
        context = replace_mentions([self.row(word) for word in tokens.words], *spans, ENT, END, max_tokens)
        return context[0] if context is not None else None

    def write(self, path: Path) -> None:
        """Write as JSON: ``{"words": [...], "counts": [...]}``."""
        write_text(path, canonical_json({"words": self.words, "counts": self.counts.tolist()}))

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Read what :meth:`write` wrote.

        Raises:
            ArtifactError: the file is no vocabulary.
        """
        try:
            values = parse_json(path.read_bytes())
            words, counts = list(map(str, values["words"])), np.array(values["counts"], np.int64)
            if len(words) != len(counts):
                raise ValueError(f"{len(words)} words but {len(counts)} counts")
            return cls(words, counts)
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path}: is no vocabulary ({error}); build the corpus again") from None
