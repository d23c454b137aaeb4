"""The GRAPH artifact: typed nodes, typed edges, both sorted by type.

``nodes.parquet`` has type, id and name of each node, ``properties.parquet`` what else the nodes file said of it,
``edges.parquet`` the rows of head and tail, ``graph.json`` the edge types with the stretch of edges of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.data.artifact import Artifact, Kind, open_artifact, opens_artifact, read_json
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError
from kgrel.data.files import canonical_json, write_text

NODES, PROPERTIES, EDGES, GRAPH = "nodes.parquet", "properties.parquet", "edges.parquet", "graph.json"
Ints = npt.NDArray[np.int64]


class EdgeType(NamedTuple):
    """Edges of one relation between two types, and where they stand."""

    head: str
    """Type of the heads."""
    relation: str
    tail: str
    """Type of the tails."""
    begin: int
    """First edge; ``end`` is behind the last."""
    end: int

    @property
    def edges(self) -> slice:
        """The stretch of its edges."""
        return slice(self.begin, self.end)

    @property
    def size(self) -> int:
        """Number of its edges."""
        return self.end - self.begin


@dataclass(frozen=True)
class Graph:
    """A typed, directed multigraph.

    Attributes:
        entities: the nodes, sorted by type.
        ends: row of head and of tail of each edge (2, E), sorted by edge type, head, tail.
        edge_types: sorted; their stretches are all edges.
        artifact: what it was opened from, if anything.
    """

    entities: EntityTable
    ends: Ints
    edge_types: list[EdgeType]
    artifact: Artifact | None = None

    @property
    def edge_count(self) -> int:
        """E."""
        return int(self.ends.shape[1])

    @cached_property
    def node_types(self) -> dict[str, range]:
        """Type → rows of its nodes."""
        names, begins = np.unique(np.array(self.entities.types), return_index=True)
        ends = [*begins[1:].tolist(), len(self.entities)]
        return {str(name): range(b, e) for name, b, e in zip(names, begins.tolist(), ends, strict=True)}

    @cached_property
    def local_ends(self) -> Ints:
        """Like ``ends``, but each end numbered within its type (2, E)."""
        local = self.ends.copy()
        for type_ in self.edge_types:
            for side, name in enumerate((type_.head, type_.tail)):
                local[side, type_.edges] -= self.node_types[name].start
        return local

    @cached_property
    def degrees(self) -> Ints:
        """Edges at each node, in either direction; a loop counts twice (N,)."""
        counts: Ints = np.bincount(self.ends.reshape(-1), minlength=len(self.entities))
        return counts

    def properties(self) -> pa.Table:
        """What the nodes file says of each node beside type, identifier and name (N,); every column text."""
        if self.artifact is None:
            return pa.table({})
        return pq.read_table(self.artifact.file(PROPERTIES))

    def write(self, directory: Path, properties: pa.Table | None = None) -> None:
        """Write nodes, edges and edge types; ``properties`` too where given."""
        self.entities.write(directory / NODES)
        if properties is not None:
            pq.write_table(properties, directory / PROPERTIES)
        head, tail = self.ends
        pq.write_table(pa.table({"head": pa.array(head), "tail": pa.array(tail)}), directory / EDGES)
        types = {"edge_types": [list(type_) for type_ in self.edge_types]}
        write_text(directory / GRAPH, canonical_json(types))

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path) -> Graph:
        """Open a GRAPH artifact.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or its files do not fit together.
        """
        return cls.read(open_artifact(path, Kind.GRAPH))

    @classmethod
    def read(cls, artifact: Artifact) -> Graph:
        """Read what :meth:`write` wrote into an artifact of any kind.

        Raises:
            ArtifactError: its files do not fit together.
        """
        entities = EntityTable.read(artifact.file(NODES))
        edges = pq.read_table(artifact.file(EDGES))
        ends = np.empty((2, edges.num_rows), np.int64)
        for side, name in enumerate(("head", "tail")):
            ends[side] = edges.column(name).to_numpy()
        graph = cls(entities, ends, _edge_types(read_json(artifact, GRAPH), artifact.path), artifact)
        inside = ends.size == 0 or (ends.min() >= 0 and ends.max() < len(entities))
        if not inside or sum(type_.size for type_ in graph.edge_types) != graph.edge_count:
            raise ArtifactError(f"{artifact.path}: nodes, edges and {GRAPH} do not fit together; import it again")
        return graph


def _edge_types(values: dict[str, Any], path: Path) -> list[EdgeType]:
    try:
        return [EdgeType(str(h), str(r), str(t), int(b), int(e)) for h, r, t, b, e in values["edge_types"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path}: {GRAPH} is damaged ({error!r}); import the graph again") from None
