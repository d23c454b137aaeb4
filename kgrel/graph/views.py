"""A graph as networkx and as PyG see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx
    from torch_geometric.data import HeteroData

    from kgrel.graph.graph import Graph


def to_networkx(graph: Graph) -> networkx.MultiDiGraph:
    """The graph as a ``networkx.MultiDiGraph``: a copy, since networkx holds Python objects.

    A node is ``TYPE::id`` with ``type``, ``id`` and ``name``, an edge has its relation as key and as ``relation``; so
    edges of several relations between two nodes stay apart.
    """
    import networkx

    copy = networkx.MultiDiGraph()
    table = graph.entities
    names = [f"{type_}::{id_}" for type_, id_ in zip(table.types, table.ids, strict=True)]
    copy.add_nodes_from(
        (node, {"type": type_, "id": id_, "name": name})
        for node, type_, id_, name in zip(names, table.types, table.ids, table.names, strict=True)
    )
    for type_ in graph.edge_types:
        heads, tails = graph.ends[:, type_.edges].tolist()
        relation = type_.relation
        copy.add_edges_from(
            (names[head], names[tail], relation, {"relation": relation})
            for head, tail in zip(heads, tails, strict=True)
        )
    return copy


def to_hetero_data(graph: Graph) -> HeteroData:
    """The graph as a PyG ``HeteroData``; every ``edge_index`` is a view of :attr:`~kgrel.graph.graph.Graph.local_ends`.

    A node type has ``num_nodes`` and ``node_rows``, the row of each node in ``graph.entities`` (n,); an edge type
    (head type, relation, tail type) has ``edge_index`` (2, e), the ends numbered within their types.
    """
    import torch
    from torch_geometric.data import HeteroData

    data: Any = HeteroData()
    for type_, rows in graph.node_types.items():
        data[type_].num_nodes = len(rows)
        data[type_].node_rows = torch.arange(rows.start, rows.stop)
    ends = torch.from_numpy(graph.local_ends)
    for edge_type in graph.edge_types:
        data[edge_type.head, edge_type.relation, edge_type.tail].edge_index = ends[:, edge_type.edges]
    view: HeteroData = data
    return view
