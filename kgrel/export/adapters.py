"""Edges for other Python libraries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kgrel.data.errors import KgrelError
from kgrel.export.batch import EdgeSource

if TYPE_CHECKING:
    import networkx as nx
    from torch_geometric.data import HeteroData

BioCypherNode = tuple[str, str, dict[str, Any]]
BioCypherEdge = tuple[str, str, str, str, dict[str, Any]]


def label_of(category: str) -> str:
    """BioCypher's name of a Biolink term: ``biolink:GeneToGeneAssociation`` → ``gene to gene association``."""
    words = category.partition(":")[2] or category
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in words.replace("_", " "))
    return " ".join(spaced.lower().split())


def biocypher_nodes(source: EdgeSource) -> Iterator[BioCypherNode]:
    """The nodes as (id, label, properties), for ``BioCypher.write_nodes``."""
    for node in source.nodes():
        yield node.id, label_of(node.category[0]), {} if node.name is None else {"name": node.name}


def biocypher_edges(source: EdgeSource) -> Iterator[BioCypherEdge]:
    """The edges as (id, source, target, label, properties), for ``BioCypher.write_edges``; one at a time in memory.

    The label is the predicate, such as ``associated with``.
    """
    for batch in source.batches():
        for row in batch.rows():
            identifier, subject, predicate, object_ = (row.pop(n) for n in ("id", "subject", "predicate", "object"))
            yield identifier, subject, object_, label_of(predicate), row


def to_networkx(source: EdgeSource) -> nx.MultiDiGraph:
    """A directed multigraph: nodes by CURIE with ``category`` and ``name``, edges keyed by their id with all fields.

    Everything is held in memory; use ``top`` or ``per_head`` for long lists.
    """
    import networkx as nx

    graph = nx.MultiDiGraph()
    for node in source.nodes():
        graph.add_node(node.id, category=list(node.category), name=node.name)
    for identifier, subject, object_, row in _rows(source):
        graph.add_edge(subject, object_, key=identifier, **row)
    return graph


def _rows(source: EdgeSource) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for batch in source.batches():
        for row in batch.rows():
            yield row.pop("id"), row.pop("subject"), row.pop("object"), row


def to_hetero_data(source: EdgeSource) -> HeteroData:
    """A PyG ``HeteroData``: node types are categories, edge types (category, predicate, category), without prefixes.

    Each node store has ``num_nodes`` and the list ``node_id`` (n,); each edge store ``edge_index`` int64 (2, m),
    ``edge_score`` float32 (m,), NaN where an edge has none, and the list ``edge_id`` (m,).

    Raises:
        KgrelError: torch-geometric is not installed.
    """
    try:
        import torch
        from torch_geometric.data import HeteroData
    except ImportError:
        raise KgrelError("a HeteroData needs torch-geometric: pip install torch-geometric") from None
    places: dict[str, tuple[str, int]] = {}
    members: dict[str, list[str]] = {}
    for node in source.nodes():
        ids = members.setdefault(_plain(node.category[0]), [])
        places[node.id] = _plain(node.category[0]), len(ids)
        ids.append(node.id)
    stores: dict[tuple[str, str, str], list[tuple[int, int, float, str]]] = {}
    for identifier, subject, object_, row in _rows(source):
        (head_type, head), (tail_type, tail) = places[subject], places[object_]
        kind = head_type, _plain(row["predicate"]), tail_type
        stores.setdefault(kind, []).append((head, tail, row.get("kgrel_score", np.nan), identifier))
    data = HeteroData()
    for type_, ids in members.items():
        data[type_].num_nodes = len(ids)
        data[type_].node_id = ids
    for kind, edges in stores.items():
        heads, tails, scores, identifiers = zip(*edges, strict=True)
        data[kind].edge_index = torch.tensor([heads, tails], dtype=torch.int64)
        data[kind].edge_score = torch.tensor(scores, dtype=torch.float32)
        data[kind].edge_id = list(identifiers)
    return data


def _plain(term: str) -> str:
    return term.removeprefix("biolink:")
