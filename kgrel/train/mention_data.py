"""Labelled sentences in the rows of a model: encoded, classes found, split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import InputError, KgrelError
from kgrel.text.mention_readers import NO_RELATION, MentionReader
from kgrel.text.mentions import Statement, context_words, said_of
from kgrel.text.tokens import UNK
from kgrel.train.batches import Stream, rng_of
from kgrel.train.mention_settings import MentionSettings

NEGATIVES = (NO_RELATION, "0", "no", "none", "false", "negative")
"""Labels that mean no relation, where none is named; case ignored."""

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass
class LabelledSentences:
    """Statements with their contexts and labels, all of them usable."""

    statements: list[Statement] = field(default_factory=list)
    contexts: list[list[str]] = field(default_factory=list)
    """The words of each, see :func:`kgrel.text.mentions.context_words`."""
    labels: list[str] = field(default_factory=list)
    cut: int = 0
    """Sentences that were cut around their mentions."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows that were skipped, by status."""

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, rows: Iterable[int]) -> LabelledSentences:
        """Some of them."""
        rows = list(rows)
        statements, contexts = [self.statements[row] for row in rows], [self.contexts[row] for row in rows]
        return LabelledSentences(statements, contexts, [self.labels[row] for row in rows])

    @property
    def types(self) -> list[tuple[str, str]]:
        """The types of each, in the order of the text."""
        return [statement.types for statement in self.statements]

    def groups(self) -> Rows:
        """A number for each sentence, the same for those that differ in case and blanks at most: (n,)."""
        texts = [" ".join(statement.text.split()).lower() for statement in self.statements]
        return np.unique(texts, return_inverse=True)[1].astype(np.int64)


def read_labelled(reader: MentionReader, skip: bool = False) -> LabelledSentences:
    """All labelled sentences of an input.

    Args:
        skip: leave out and count rows that cannot be read; otherwise the first is an error.

    Raises:
        InputError: there is no column of labels, a row cannot be read (with its line), or no row is left.
    """
    found = LabelledSentences()
    for lines, _, read, labels in reader.chunks():
        if labels is None:
            raise InputError(reader.path, "has no column of labels; name it label, or pass --label")
        for line, statement, label in zip(lines.tolist(), read, labels, strict=True):
            words = None if isinstance(statement, str) else context_words(statement)
            if isinstance(statement, str) or words is None or not (label or "").strip():
                status = statement if isinstance(statement, str) else "too_far" if words is None else "no_label"
                if not skip:
                    message = said_of(status, {"no_label": "the label is empty"})
                    raise InputError(reader.path, f"{message}; mend it, or pass --on-bad skip", line)
                found.left_out[status] += 1
                continue
            found.statements.append(statement)
            found.contexts.append(words[0])
            found.labels.append((label or "").strip())
            found.cut += words[1]
    if not len(found):
        raise InputError(reader.path, "holds no labelled sentence that can be read")
    return found


def find_classes(labels: Sequence[str], negative: str, path: str | Path) -> list[str]:
    """The classes, that of no relation first; it stands there even if no sentence has it.

    Raises:
        InputError: fewer than two labels, or ``negative`` is not among them.
    """
    distinct = sorted(set(labels))
    if len(distinct) < 2:
        raise InputError(path, f"every sentence has the label {distinct[0]!r}; two labels or more are needed")
    if negative and negative not in distinct:
        raise InputError(path, f"no sentence has the label {negative!r}; the labels are {', '.join(distinct)}")
    by_name = {label.lower(): label for label in distinct}
    found = negative or next((by_name[name.lower()] for name in NEGATIVES if name.lower() in by_name), NO_RELATION)
    return [found, *(label for label in distinct if label != found)]


class Encoded:
    """Contexts as rows of a model's tables.

    Args:
        contexts: the words of each.
        types: the two types of each.
        words: row of each word; others are ``UNK``.
        kinds: row of each type.

    Attributes:
        x, y: type rows (n,), −1 for a type that has none.
        lengths: tokens of each (n,).
    """

    def __init__(
        self,
        contexts: Sequence[Sequence[str]],
        types: Sequence[tuple[str, str]],
        words: dict[str, int],
        kinds: dict[str, int],
    ) -> None:
        self.tokens = [np.array([words.get(word, UNK) for word in context], np.int64) for context in contexts]
        rows = np.array([[kinds.get(kind, -1) for kind in pair] for pair in types], np.int64).reshape(-1, 2)
        self.x, self.y = rows[:, 0], rows[:, 1]
        self.lengths = np.array([len(tokens) for tokens in self.tokens], np.int32)

    def __len__(self) -> int:
        return len(self.tokens)

    def gather(self, rows: Rows, length: int = 0) -> Rows:
        """The tokens of some contexts, padded with 0 to the longest of them or to ``length``: (B, T)."""
        padded = np.zeros((len(rows), length or int(self.lengths[rows].max())), np.int64)
        for place, row in enumerate(rows.tolist()):
            padded[place, : self.lengths[row]] = self.tokens[row]
        return padded


def hold_out(groups: Rows, labels: Rows, settings: MentionSettings) -> Flags:
    """Which sentences validate: a share of each label's sentences, identical sentences on one side; (n,).

    Raises:
        KgrelError: too few sentences to have two labels on either side.
    """
    rng, held = rng_of(settings.seed, Stream.SPLIT), np.zeros(len(groups), np.bool_)
    _, first = np.unique(groups, return_index=True)
    for label in np.unique(labels):
        own = groups[first[labels[first] == label]]
        count = max(1, round(settings.validation_share * len(own))) if len(own) > 1 else 0
        held |= np.isin(groups, rng.permutation(own)[:count])
    if any(len(np.unique(labels[side])) < 2 for side in (held, ~held)):
        raise KgrelError(
            f"{len(groups)} sentences are too few to hold some of two labels out for validation; give more of each"
        )
    return held
