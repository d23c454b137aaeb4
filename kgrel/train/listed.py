"""Where listed pairs come from: a relations file, or the edges of a graph."""

from __future__ import annotations

from pathlib import Path

from kgrel.data.artifact import Kind, open_artifact
from kgrel.data.entities import Entity
from kgrel.data.files import sha256_of
from kgrel.data.relations import Relations, read_relations
from kgrel.graph.graph import Graph


def read_listed(path: str | Path) -> Relations:
    """The relations of a file; or of a GRAPH, whose directory is given, every edge with its relation as class.

    Raises:
        InputError: see :func:`kgrel.data.relations.read_relations`.
        ArtifactError: see :meth:`kgrel.graph.graph.Graph.open`.
    """
    return relations_of(Graph.open(path)) if Path(path).is_dir() else read_relations(path)


def relations_of(graph: Graph) -> Relations:
    """The edges of a graph as rows of a relations file; the line of an edge is its number from 1."""
    assert graph.artifact is not None
    table = graph.entities
    entities = [Entity(*key) for key in zip(table.types, table.ids, strict=True)]
    spelled = [f"{entity.type}::{entity.id}" for entity in entities]
    heads, tails = graph.ends.tolist()
    return Relations(
        str(graph.artifact.path),
        [type_.relation for type_ in graph.edge_types for _ in range(type_.size)],
        [entities[row] for row in heads],
        [entities[row] for row in tails],
        [spelled[row] for row in heads],
        [spelled[row] for row in tails],
        list(range(1, graph.edge_count + 1)),
    )


def hash_of_listed(path: str | Path) -> dict[str, str]:
    """Role → hash of what lists the pairs."""
    if Path(path).is_dir():
        return {"graph": open_artifact(path, Kind.GRAPH, verify=False).hash}
    return {"relations": sha256_of(Path(path))}
