"""Surroundings: the neighbours of every step, no more than asked for, and none across a barred pair."""

from __future__ import annotations

import numpy as np

from kgrel.graph.graph import Graph
from kgrel.graph.neighbours import Neighbours, Surroundings
from kgrel.graph.removal import pair_keys


def seen(around: Surroundings, hop: int = -1) -> set[tuple[int, int, int]]:
    """(receiver, step, sender) of a hop, by rows of nodes."""
    layers = [around.nodes]
    for one in around.hops:
        layers.append(layers[-1][one.own])
    hop %= len(around.hops)
    one = around.hops[hop]
    columns = layers[hop + 1][one.targets], one.steps, layers[hop][one.sources]
    return set(zip(*(column.tolist() for column in columns), strict=True))


def edges_around(graph: Graph, nodes: np.ndarray) -> set[tuple[int, int, int]]:
    """All edges at some nodes, by hand."""
    found = set()
    for number, type_ in enumerate(graph.edge_types):
        for head, tail in graph.ends[:, type_.edges].T.tolist():
            if head != tail:
                found |= {(head, 2 * number, tail), (tail, 2 * number + 1, head)}
    return {edge for edge in found if edge[0] in nodes}


def test_all_neighbours_of_two_hops(random_graph: Graph) -> None:
    nodes = np.array([5, 0, 17])
    around = Neighbours(random_graph).around(nodes, (0, 0), np.random.default_rng(0))
    assert np.array_equal(around.nodes[around.hops[0].own][around.hops[1].own], nodes)
    assert seen(around) == edges_around(random_graph, nodes)
    second = around.nodes[around.hops[0].own]
    assert seen(around, 0) == edges_around(random_graph, second)


def test_a_choice_is_of_the_neighbours_and_no_larger_than_asked_for(random_graph: Graph) -> None:
    nodes = np.arange(len(random_graph.entities))
    around = Neighbours(random_graph).around(nodes, (3,), np.random.default_rng(0))
    chosen, hop = seen(around), around.hops[0]
    assert chosen < edges_around(random_graph, nodes)
    assert np.bincount(hop.targets * 1000 + hop.steps).max() == 3
    whole = seen(Neighbours(random_graph).around(nodes, (0,), np.random.default_rng(0)))
    few = {edge for edge in whole if sum(other[:2] == edge[:2] for other in whole) <= 3}
    assert few <= chosen


def test_no_edge_of_a_barred_pair_is_looked_at_in_any_hop(random_graph: Graph) -> None:
    heads, tails = random_graph.ends[:, :10]
    barred = pair_keys(random_graph, heads, tails)
    around = Neighbours(random_graph).around(np.unique(heads), (0, 0), np.random.default_rng(0), barred)
    size = len(random_graph.entities)
    for hop in (0, 1):
        ends = np.array([(edge[0], edge[2]) for edge in seen(around, hop)])
        assert len(ends)
        assert not np.isin(ends.min(axis=1) * size + ends.max(axis=1), barred).any()
