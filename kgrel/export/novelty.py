"""Which pairs a knowledge graph joins already."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kgrel.data.entities import Entity, EntityTable
from kgrel.data.errors import KgrelError
from kgrel.graph.graph import Graph

Rows = npt.NDArray[np.int64]


class JoinedPairs:
    """Pairs of entities that an edge of a graph joins, of any relation and in either direction.

    Memory is 8 bytes for each such pair.

    Args:
        entities: the nodes of the export; those of the graph are looked up among them.
    """

    def __init__(self, graph: Graph, entities: EntityTable) -> None:
        self._size = len(entities)
        ends = rows_of(graph, entities)[graph.ends]
        self._keys = np.unique(self._key(*ends[:, (ends >= 0).all(axis=0)]))

    def _key(self, first: Rows, second: Rows) -> Rows:
        """One number for each unordered pair."""
        keys: Rows = np.minimum(first, second) * self._size + np.maximum(first, second)
        return keys

    def of(self, heads: Rows, tails: Rows) -> npt.NDArray[np.bool_]:
        """Whether an edge joins the two of each pair (n,)."""
        found: npt.NDArray[np.bool_] = np.isin(self._key(heads, tails), self._keys, kind="sort")
        return found


def rows_of(graph: Graph, entities: EntityTable) -> Rows:
    """The row of each node of a graph among some entities, -1 where it is none of them."""
    keys = zip(graph.entities.types, graph.entities.ids, strict=True)
    return np.array([entities.find(Entity(*key))[0] for key in keys], np.int64)


def refuse_strangers(graph: Graph, entities: EntityTable) -> None:
    """Refuse a graph that has nothing to do with the nodes of the export.

    Raises:
        KgrelError: the two have no identifier in common.
    """
    if (rows_of(graph, entities) < 0).all():
        raise KgrelError(
            f"the graph shares no identifier with the nodes of the export; its nodes are {graph.entities.examples()}, "
            f"those of the export {entities.examples()}: use the same ones"
        )
