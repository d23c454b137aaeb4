"""The best paths are those that an exhaustive search weighs most."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from kgrel.graph.best_paths import best_paths, line_of
from kgrel.graph.graph import Graph
from kgrel.graph.removal import without_pairs
from kgrel.graph.views import to_networkx
from kgrel.graph.walks import Walks
from tests.graph.conftest import graph_of


@pytest.mark.parametrize("longest", [2, 3])
def test_they_are_the_heaviest_of_all_simple_paths(random_graph: Graph, longest: int) -> None:
    walks, table = Walks(random_graph, 0.4), random_graph.entities
    copy, matrix = nx.Graph(to_networkx(random_graph)), walks.weights.toarray()
    names = [f"{kind}::{id_}" for kind, id_ in zip(table.types, table.ids, strict=True)]
    row = {name: number for number, name in enumerate(names)}
    for head, tail in ((0, 9), (3, 35), (20, 21)):
        weights = {}
        for path in nx.all_simple_paths(copy, names[head], names[tail], longest):
            nodes = tuple(row[name] for name in path)
            if len(nodes) > 2:
                weights[nodes] = float(np.prod([matrix[pair] for pair in pairwise(nodes)]))
        found = best_paths(walks, head, tail, 7, longest)
        assert [path.weight for path in found] == pytest.approx(sorted(weights.values(), reverse=True)[:7])
        assert all(weights[path.nodes] == pytest.approx(path.weight) for path in found)
        everything = best_paths(walks, head, tail, 10**6, longest)
        assert {path.nodes for path in everything} == weights.keys()
        assert sum(path.share for path in everything) == pytest.approx(1.0)


def test_edges_between_the_two_change_nothing_but_a_common_factor(random_graph: Graph) -> None:
    head, tail = next((int(h), int(t)) for h, t in random_graph.ends.T if h != t)
    less = without_pairs(random_graph, np.array([head]), np.array([tail]))
    one, other = (best_paths(Walks(graph, 0.5), head, tail, 1000) for graph in (random_graph, less))
    assert {p.nodes: pytest.approx(p.share) for p in one} == {p.nodes: p.share for p in other}


def test_a_line_names_all_kinds_of_each_step() -> None:
    graph = graph_of([("GENE:1", "GiG", "GENE:2"), ("GENE:2", "GcG", "GENE:1"), ("DISEASE:3", "DaG", "GENE:2")])
    walks = Walks(graph, 0.5)
    (path,) = best_paths(walks, 1, 0, 5)
    assert line_of(walks, path, graph.entities.ids) == "1 –[GcG|GiG]– 2 –[DaG]– 3"
    assert best_paths(walks, 1, 2, 5) == []
