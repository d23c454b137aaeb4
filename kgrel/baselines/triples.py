"""Edges of a graph as triples of numbers, and the questions that they answer: (h, r, ?) and (?, r, t)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Triples:
    """n edges of a graph, by row numbers (n,) each."""

    heads: Rows
    relations: Rows
    tails: Rows

    def __len__(self) -> int:
        return len(self.heads)

    def taken(self, rows: Rows | Flags) -> Triples:
        """Some of the edges."""
        return Triples(self.heads[rows], self.relations[rows], self.tails[rows])

    def ends(self, tails: bool) -> tuple[Rows, Rows]:
        """The known end of each edge, and the answer, where the tail or the head is asked for."""
        return (self.heads, self.tails) if tails else (self.tails, self.heads)


def joined(parts: list[Triples]) -> Triples:
    """The edges of all parts, in order."""
    columns = zip(*((part.heads, part.relations, part.tails) for part in parts), strict=True)
    return Triples(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class Questions:
    """The distinct questions that triples answer, each with all its answers.

    Attributes:
        known, relations: (q,).
        tails: bool (q,), true where the tail is asked for.
        starts: (q + 1,): the answers to question i are ``answers[starts[i]:starts[i + 1]]``.
    """

    known: Rows
    relations: Rows
    tails: Flags
    starts: Rows
    answers: Rows

    @classmethod
    def of(cls, triples: Triples) -> Questions:
        """The questions of both sides, tails first, by relation and known entity."""
        known = np.concatenate([triples.heads, triples.tails])
        answers = np.concatenate([triples.tails, triples.heads])
        relations = np.concatenate([triples.relations, triples.relations])
        tails = np.repeat([True, False], len(triples))
        order = np.lexsort((answers, known, relations, ~tails))
        columns = known[order], relations[order], tails[order]
        change = np.any([column[1:] != column[:-1] for column in columns], axis=0)
        firsts = np.flatnonzero(np.concatenate([np.ones(min(1, len(known)), np.bool_), change]))
        known, relations, tails = (column[firsts] for column in columns)
        return cls(known, relations, tails.astype(np.bool_), np.append(firsts, len(order)), answers[order])

    def __len__(self) -> int:
        return len(self.known)

    def find(self, known: Rows, relation: int, tails: bool) -> Rows:
        """The number of each question (b,), which must be there, where all ask for one side of one relation."""
        group = relation if tails else relation + self._span
        first, last = np.searchsorted(self._groups, group, "left"), np.searchsorted(self._groups, group, "right")
        found: Rows = first + np.searchsorted(self.known[first:last], known)
        return found

    @cached_property
    def _span(self) -> int:
        return int(self.relations.max()) + 1

    @cached_property
    def _groups(self) -> Rows:
        """The side and relation of each question as one number, rising."""
        return np.where(self.tails, self.relations, self.relations + self._span)

    def answers_of(self, rows: Rows) -> tuple[Rows, Rows]:
        """For each answer to some of the questions its place in ``rows``, and the answer: (a,) each."""
        counts = self.starts[rows + 1] - self.starts[rows]
        places = np.repeat(np.arange(len(rows)), counts)
        offsets = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
        return places, self.answers[self.starts[rows][places] + offsets]


@dataclass(frozen=True)
class AnswerTypes:
    """Which entities can answer which question.

    Attributes:
        entities: type row of each entity (entities,).
        allowed: bool (relations, 2, types): types of the heads [0] and tails [1] that a relation has.
    """

    entities: Rows
    allowed: Flags

    @classmethod
    def of(cls, triples: Triples, entities: Rows, relations: int) -> AnswerTypes:
        """Read off the triples."""
        allowed = np.zeros((relations, 2, int(entities.max()) + 1), dtype=np.bool_)
        allowed[triples.relations, 0, entities[triples.heads]] = True
        allowed[triples.relations, 1, entities[triples.tails]] = True
        return cls(entities, allowed)

    def possible(self, relations: Rows, tails: Flags, columns: Rows | None = None) -> Flags:
        """Whether each entity (of ``columns``) has a type that answers each question: (b, entities)."""
        kinds = self.entities if columns is None else self.entities[columns]
        return self.allowed[relations, tails.astype(np.int64)][:, kinds]
