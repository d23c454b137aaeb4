"""The folds of GAD and EU-ADR as they are published, or dealt anew with identical sentences together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import sha256_of
from kgrel.evaluate.mention_settings import CrossValidationSettings
from kgrel.text.mention_readers import MentionReader
from kgrel.text.settings import MentionFormat
from kgrel.train.mention_data import LabelledSentences, find_classes, read_labelled

Rows = npt.NDArray[np.int64]
PLAIN = MentionFormat(format="plain")
FILES = ("train.tsv", "test.tsv")
DEAL_SEED = 0
"""Of the folds dealt anew: the same folds for every model and seed."""


@dataclass(frozen=True)
class Fold:
    """Sentences to train on and sentences to test on, and where the latter stand among all test sentences."""

    train: LabelledSentences
    test: LabelledSentences
    places: Rows


@dataclass(frozen=True)
class Folds:
    """A cross-validation's sentences.

    Attributes:
        classes: that of no relation first.
        labels: class number of each test sentence, the folds one after another (n,).
        groups: a number for each, the same for identical sentences (n,).
        hashes: SHA-256 of each file.
        shared: test sentences of each fold that stand among its training sentences as well.
    """

    folds: list[Fold]
    classes: list[str]
    labels: Rows
    groups: Rows
    hashes: dict[str, str]
    shared: list[int]


def read_folds(directory: str | Path, settings: CrossValidationSettings, negative: str = "") -> Folds:
    """Read ``1/train.tsv``, ``1/test.tsv``, ``2/train.tsv``, …

    Raises:
        KgrelError: a fold is missing, a file cannot be read, or a fold holds one class only.
    """
    directory = Path(directory)
    numbers = range(1, settings.folds + 1)
    missing = [f"{n}/{name}" for n in numbers for name in FILES if not (directory / str(n) / name).is_file()]
    if missing:
        raise InputError(directory, f"{', '.join(missing[:4])} missing; {settings.folds} folds are asked for")
    paths = {f"{n}/{name}": directory / str(n) / name for n in numbers for name in FILES}
    parts = {name: read_labelled(MentionReader(path, PLAIN)) for name, path in paths.items()}
    for name, part in parts.items():
        if len(set(part.labels)) < 2:
            raise InputError(paths[name], f"every sentence has the label {part.labels[0]!r}; a fold needs two labels")
    pool = joined([parts[f"{n}/test.tsv"] for n in numbers])
    classes = find_classes([label for part in parts.values() for label in part.labels], negative, directory)
    labels, groups = np.array([classes.index(label) for label in pool.labels], np.int64), pool.groups()
    if settings.protocol == "grouped":
        dealt = deal(groups, labels, settings.folds)
        sides = [(np.flatnonzero(dealt != n), np.flatnonzero(dealt == n)) for n in range(settings.folds)]
        folds = [Fold(pool.chosen(train.tolist()), pool.chosen(test.tolist()), test) for train, test in sides]
    else:
        sizes = np.cumsum([0, *(len(parts[f"{n}/test.tsv"]) for n in numbers)])
        folds = [
            Fold(parts[f"{n}/train.tsv"], parts[f"{n}/test.tsv"], np.arange(sizes[n - 1], sizes[n])) for n in numbers
        ]
    hashes = {name: sha256_of(path) for name, path in paths.items()}
    return Folds(folds, classes, labels, groups, hashes, [shared_sentences(fold) for fold in folds])


def joined(parts: list[LabelledSentences]) -> LabelledSentences:
    """Several lists of sentences as one."""
    whole = LabelledSentences()
    for part in parts:
        whole.statements += part.statements
        whole.contexts += part.contexts
        whole.labels += part.labels
        whole.cut += part.cut
    return whole


def deal(groups: Rows, labels: Rows, folds: int) -> Rows:
    """A fold for each sentence (n,): groups stay whole, each label is spread evenly.

    Raises:
        KgrelError: a label has fewer groups than there are folds.
    """
    rng, found = np.random.default_rng(DEAL_SEED), np.empty(len(groups), np.int64)
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    of_group, start = np.empty(len(first), np.int64), 0
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels[first] == label))
        if len(own) < folds:
            raise KgrelError(f"{len(own)} distinct sentences of one label cannot be dealt to {folds} folds")
        of_group[own] = (start + np.arange(len(own))) % folds
        start += len(own)
    found[:] = of_group[inverse]
    return found


def shared_sentences(fold: Fold) -> int:
    """Test sentences that stand among the training sentences as well."""
    seen = {" ".join(statement.text.split()).lower() for statement in fold.train.statements}
    return sum(" ".join(statement.text.split()).lower() in seen for statement in fold.test.statements)
