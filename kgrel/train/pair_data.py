"""Labelled entity pairs, split before anything is trained on them.

A pair is unordered and stored with the smaller entity row first. A pair without label is NO-RELATION. Positives
and NO-RELATION pairs are split separately; training negatives come from the training part alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.data.relations import ResolvedRelations
from kgrel.train.batches import Stream, rng_of
from kgrel.train.settings import PairSettings

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


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
    parts: npt.NDArray[np.int8]
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


def class_table(relations: ResolvedRelations, types: list[str], type_rows: Rows) -> ClassTable:
    """A class is possible for the types of pairs that the relations list it for."""
    allowed = np.zeros((len(types), len(types), len(relations.class_names)), dtype=np.bool_)
    first, second = type_rows[relations.heads], type_rows[relations.tails]
    allowed[first, second, relations.classes] = True
    allowed[second, first, relations.classes] = True
    return ClassTable(relations.class_names, types, allowed)


def assemble_pairs(
    entities: EntityTable,
    comentions: tuple[Rows, Rows, Rows],
    relations: ResolvedRelations,
    settings: PairSettings,
) -> PairData:
    """Label the pairs and split them.

    Args:
        comentions: heads, tails, counts of the co-mentioned pairs, each unordered pair once.
        relations: the listed pairs, each (pair, class) once.

    Raises:
        KgrelError: a part is left without positives or without NO-RELATION pairs.
    """
    types, type_rows = type_rows_of(entities)
    classes = class_table(relations, types, type_rows)
    size = len(entities)
    heads, tails, counts = comentions
    keys = np.minimum(heads, tails) * size + np.maximum(heads, tails)
    order = np.argsort(keys)
    keys, counts = keys[order], counts[order]
    listed = np.minimum(relations.heads, relations.tails) * size + np.maximum(relations.heads, relations.tails)
    if settings.pairs == "any":
        negatives = random_negatives(type_rows, classes, listed, relations, settings)
        universe = np.union1d(listed, negatives)
    else:
        universe = keys[classes.possible(type_rows, keys // size, keys % size).any(axis=1)]
    labels = np.zeros((len(universe), len(classes.names)), dtype=np.bool_)
    position = np.searchsorted(universe, listed).clip(max=max(0, len(universe) - 1))
    found = universe[position] == listed if len(universe) else np.zeros(len(listed), dtype=np.bool_)
    labels[position[found], relations.classes[found]] = True
    parts = split_parts(np.any(labels, axis=1), settings)
    contexts = lookup(keys, counts, universe)
    return PairData(classes, type_rows, universe // size, universe % size, labels, parts, contexts)


def lookup(keys: Rows, counts: Rows, wanted: Rows) -> Rows:
    """``counts`` of the sorted ``keys`` for each of ``wanted``; 0 where it is not among them."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    position = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[position] == wanted, counts[position], 0)


def split_parts(positive: Flags, settings: PairSettings) -> npt.NDArray[np.int8]:
    """Split positives and NO-RELATION pairs separately, at random, by unordered pair.

    Raises:
        KgrelError: a part is left without one of the two.
    """
    parts = np.full(len(positive), Part.TRAINING, dtype=np.int8)
    rng = rng_of(settings.seed, Stream.SPLIT)
    for value, name in ((True, "listed"), (False, "NO-RELATION")):
        rows = rng.permutation(np.flatnonzero(positive == value))
        validation, test = (
            round(settings.validation_share * len(rows)),
            round(settings.test_share * len(rows)),
        )
        if len(rows) - validation - test < 1 or validation < 1 or (settings.test_share > 0 and test < 1):
            raise KgrelError(
                f"only {len(rows)} {name} pairs are there, too few to split into training, validation and test: "
                "give more relations, a larger corpus, or --pairs any"
            )
        parts[rows[:validation]] = Part.VALIDATION
        parts[rows[validation : validation + test]] = Part.TEST
    return parts


def random_negatives(
    type_rows: Rows, classes: ClassTable, listed: Rows, relations: ResolvedRelations, settings: PairSettings
) -> Rows:
    """Keys of random unlisted pairs, as many for each pair of types as its share of the listed ones asks for.

    Without self-pairs and duplicates. Where fewer such pairs exist than were asked for, all of them.
    """
    rng, size = rng_of(settings.seed, Stream.NEGATIVES), len(type_rows)
    low, high = np.minimum(relations.heads, relations.tails), np.maximum(relations.heads, relations.tails)
    type_pairs = np.sort(np.stack([type_rows[low], type_rows[high]], axis=1), axis=1)
    found = []
    for (first, second), count in zip(*np.unique(type_pairs, axis=0, return_counts=True), strict=True):
        wanted = round(settings.negatives_per_positive * count)
        heads, tails = np.flatnonzero(type_rows == first), np.flatnonzero(type_rows == second)
        # Each unordered pair is at most two cells of heads × tails, and each self-pair one: so many distinct cells
        # hold as many unlisted pairs as wanted, if there are as many.
        enough = 2 * (wanted + int(count)) + len(heads)
        cells = rng.choice(len(heads) * len(tails), min(enough, len(heads) * len(tails)), replace=False)
        a, b = heads[cells // len(tails)], tails[cells % len(tails)]
        keys = np.unique(np.minimum(a, b)[a != b] * size + np.maximum(a, b)[a != b])
        keys = np.setdiff1d(keys, listed)
        found.append(rng.permutation(keys)[:wanted])
    return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
