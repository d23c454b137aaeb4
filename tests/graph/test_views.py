"""The views hold the edges of the graph, and the one of PyG shares its memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.graph.views import to_hetero_data, to_networkx


@pytest.fixture(scope="module")
def graph(world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """The graph of the small world."""
    out = tmp_path_factory.mktemp("graph") / "graph"
    import_graph([world_files["nodes.tsv"], world_files["edges.sif"]], out)
    return Graph.open(out)


def test_networkx_holds_every_edge_under_its_relation(graph: Graph) -> None:
    view = to_networkx(graph)
    table = graph.entities
    names = [f"{type_}::{id_}" for type_, id_ in zip(table.types, table.ids, strict=True)]
    assert (view.number_of_nodes(), view.number_of_edges()) == (len(table), graph.edge_count)
    assert view.nodes[names[3]] == {"type": table.types[3], "id": table.ids[3], "name": table.names[3]}
    for type_ in graph.edge_types:
        head, tail = graph.ends[:, type_.begin]
        assert view.edges[names[head], names[tail], type_.relation] == {"relation": type_.relation}


def test_hetero_data_numbers_nodes_within_their_type_and_copies_no_edge(graph: Graph) -> None:
    data = to_hetero_data(graph)
    data.validate()
    assert data.num_nodes == len(graph.entities)
    assert set(data.edge_types) == {type_[:3] for type_ in graph.edge_types}
    for type_ in graph.edge_types:
        index = data[type_[:3]].edge_index.numpy()
        rows = np.stack([data[type_.head].node_rows.numpy()[index[0]], data[type_.tail].node_rows.numpy()[index[1]]])
        assert rows.tolist() == graph.ends[:, type_.edges].tolist()
        assert np.shares_memory(index, graph.local_ends)
