"""Labelled entity pairs with their parts.

A pair is unordered and stored with the smaller entity row first. A pair without label is NO-RELATION. Which part it
belongs to is decided in :mod:`kgrel.train.splits`, before anything is trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from kgrel.data.entities import EntityTable
from kgrel.data.relations import ResolvedRelations

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Parts = npt.NDArray[np.int8]


class Part(IntEnum):
    """The part of the split that a pair belongs to."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2


@dataclass(frozen=True)
class ClassTable:
    """The positive classes and the types of pairs for which each is possible.

    Attributes:
        names: the C positive classes, sorted.
        types: the entity types, sorted.
        allowed: (T, T, C), symmetric.
    """

    names: list[str]
    types: list[str]
    allowed: Flags

    def possible(self, type_rows: Rows, heads: Rows, tails: Rows) -> Flags:
        """Which positive classes the types of each pair allow: (n, C)."""
        return self.allowed[type_rows[heads], type_rows[tails]]


@dataclass(frozen=True)
class PairData:
    """Pairs with labels, parts and text counts; n pairs, C positive classes.

    Attributes:
        heads, tails: entity rows (n,), head < tail.
        labels: (n, C); all false = NO-RELATION.
        parts: a :class:`Part` for each pair (n,).
        contexts: how many contexts mention the pair (n,).
    """

    classes: ClassTable
    type_rows: Rows
    heads: Rows
    tails: Rows
    labels: Flags
    parts: Parts
    contexts: Rows

    def __len__(self) -> int:
        return len(self.heads)

    @property
    def positive(self) -> Flags:
        """Which pairs have a label (n,)."""
        positive: Flags = np.any(self.labels, axis=1)
        return positive

    def rows(self, part: Part, positive: bool | None = None) -> Rows:
        """Rows of a part, of its positives or of its NO-RELATION pairs."""
        chosen = self.parts == part
        if positive is not None:
            chosen &= self.positive == positive
        return np.flatnonzero(chosen)

    def possible(self, rows: Rows) -> Flags:
        """Which positive classes are possible for these pairs (len(rows), C)."""
        return self.classes.possible(self.type_rows, self.heads[rows], self.tails[rows])

    def label_degrees(self) -> Rows:
        """Training labels of each entity and class: (entities, C)."""
        degrees = np.zeros((len(self.type_rows), len(self.classes.names)), dtype=np.int64)
        rows = self.rows(Part.TRAINING, positive=True)
        for side in (self.heads, self.tails):
            np.add.at(degrees, side[rows], self.labels[rows])
        return degrees

    def covered(self, rows: Rows) -> Flags:
        """Pairs of which both entities have a training label of a possible class (len(rows),)."""
        labelled = self.label_degrees() > 0
        both = labelled[self.heads[rows]] & labelled[self.tails[rows]]
        covered: Flags = np.any(both & self.possible(rows), axis=1)
        return covered


def type_rows_of(entities: EntityTable) -> tuple[list[str], Rows]:
    """The sorted types, and the type row of each entity."""
    types = sorted(set(entities.types))
    index = {name: row for row, name in enumerate(types)}
    return types, np.array([index[name] for name in entities.types], dtype=np.int64)


def rows_in(known: EntityTable, entities: EntityTable) -> Rows:
    """For each of ``entities`` its row in ``known``, −1 where it is not there."""
    rows = {key: row for row, key in enumerate(zip(known.types, known.ids, strict=True))}
    return np.array([rows.get(key, -1) for key in zip(entities.types, entities.ids, strict=True)], dtype=np.int64)


def class_table(relations: ResolvedRelations, types: list[str], type_rows: Rows) -> ClassTable:
    """A class is possible for the types of pairs that the relations list it for."""
    allowed = np.zeros((len(types), len(types), len(relations.class_names)), dtype=np.bool_)
    first, second = type_rows[relations.heads], type_rows[relations.tails]
    allowed[first, second, relations.classes] = True
    allowed[second, first, relations.classes] = True
    return ClassTable(relations.class_names, types, allowed)


def lookup(keys: Rows, counts: Rows, wanted: Rows) -> Rows:
    """``counts`` of the sorted ``keys`` for each of ``wanted``; 0 where it is not among them."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    position = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[position] == wanted, counts[position], 0)
