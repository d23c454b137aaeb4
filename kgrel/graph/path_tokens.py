"""Paths as token sequences and as lines for people.

    <graph> <ENT> DaG> (GENE) <GiG <ENT> <END>        a path x –DaG→ gene ←GiG– y
    <graph> <ENT> <ENT> <END>                         no path

``(GENE)`` is the type of an inner node, with ``node_ids`` followed by ``GENE::10144``. None of these words can be
one of a text, whose words are in lower case and end at punctuation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.graph.graph import Ints
from kgrel.graph.paths import NONE, Paths
from kgrel.graph.walks import Walks

SOURCE = "<graph>"
"""The word that every path begins with: it tells the two kinds of context apart."""
NO_PATH = "(no path)"
Rows = npt.NDArray[np.int32]


class PathTokens:
    """The words of the paths of a graph.

    Args:
        first: number of the first of :attr:`words`, behind the special tokens.
        mention, end: numbers of <ENT> and <END>.
    """

    def __init__(self, walks: Walks, node_ids: bool, *, first: int, mention: int, end: int) -> None:
        table = walks.graph.entities
        kinds, kind_of = np.unique(np.array(table.types), return_inverse=True)
        self._steps = walks.step_words
        identifiers = [f"{kind}::{id_}" for kind, id_ in zip(table.types, table.ids, strict=True)] if node_ids else []
        self.words = [SOURCE, *self._steps, *(f"({kind})" for kind in kinds), *identifiers]
        """All words that a path may hold, each once."""
        self._first, self._mention, self._end = first, mention, end
        self._kind = first + 1 + len(self._steps) + kind_of
        self._node = first + 1 + len(self._steps) + len(kinds) + np.arange(len(table)) if node_ids else None
        self._names = [name or id_ for name, id_ in zip(table.names, table.ids, strict=True)]

    def tokens(self, paths: Paths) -> pa.ListArray:
        """The sequence of each path (n,)."""
        return self._lists([
            self._constant(paths, self._first), self._constant(paths, self._mention), self._edge(paths.steps[:, 0]),
            *self._inner(paths.nodes[:, 1]), self._edge(paths.steps[:, 1]), *self._inner(paths.nodes[:, 2]),
            self._edge(paths.steps[:, 2]), self._constant(paths, self._mention), self._constant(paths, self._end),
        ])  # fmt: skip

    def no_path(self, pairs: int) -> pa.ListArray:
        """The sequence of pairs without path (n,)."""
        words = (self._first, self._mention, self._mention, self._end)
        return self._lists([np.full(pairs, word, np.int64) for word in words])

    def texts(self, paths: Paths) -> pa.Array:
        """``AKT1 GiG> GSK3B <DaG asthma`` of each path (n,)."""
        names, steps = self._name_array, pa.array(self._steps, pa.string())
        nodes = [names.take(pa.array(column, mask=column == NONE)) for column in paths.nodes.T]
        edges = [steps.take(pa.array(column, mask=column == NONE)) for column in paths.steps.T]
        parts = [nodes[0], edges[0], nodes[1], edges[1], nodes[2], edges[2], nodes[3]]
        return pc.binary_join_element_wise(*parts, " ", null_handling="skip")

    @cached_property
    def _name_array(self) -> pa.Array:
        return pa.array(self._names, pa.string())

    @cached_property
    def name_lengths(self) -> Rows:
        """Characters of the name of each node (N,)."""
        return np.array([len(name) for name in self._names], np.int32)

    def _constant(self, paths: Paths, word: int) -> Ints:
        return np.full(len(paths), word, np.int64)

    def _edge(self, codes: Ints) -> Ints:
        return np.where(codes == NONE, NONE, self._first + 1 + codes)

    def _inner(self, rows: Ints) -> list[Ints]:
        words = [self._kind] if self._node is None else [self._kind, self._node]
        return [np.where(rows == NONE, NONE, word[rows]) for word in words]

    def _lists(self, columns: Sequence[Ints]) -> pa.ListArray:
        """Each row of the columns as a list, without :data:`NONE`."""
        table = np.stack(columns, axis=1)
        there = table != NONE
        offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(table[there].astype(np.int32)))
