"""Paths are simple, of existing edges, never the edge itself, and drawn as often as their weights say."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from kgrel.graph.graph import Graph
from kgrel.graph.paths import draw_paths
from kgrel.graph.removal import without_pairs
from kgrel.graph.views import to_networkx
from kgrel.graph.walks import Walks
from tests.graph.conftest import graph_of


def drawn(graph: Graph, heads: np.ndarray, tails: np.ndarray, draws: int, longest: int = 3) -> list[list[tuple]]:
    """For each pair its paths as (nodes, words of the steps)."""
    walks = Walks(graph, 0.5)
    found: list[list[tuple]] = [[] for _ in heads]
    for paths in draw_paths(walks, heads, tails, draws, longest, np.random.default_rng(0)):
        for pair, nodes, steps in zip(paths.pairs, paths.nodes.tolist(), paths.steps.tolist(), strict=True):
            words = [walks.step_words[code] for code in steps if code >= 0]
            found[pair].append((tuple(node for node in nodes if node >= 0), tuple(words)))
    return found


def simple_paths(graph: Graph, head: int, tail: int, longest: int) -> dict[tuple[int, ...], float]:
    """Every simple path of 2 … longest edges with its weight, by networkx; parallel edges are one step."""
    copy, table = nx.Graph(to_networkx(graph)), graph.entities
    copy.remove_edges_from(list(nx.selfloop_edges(copy)))
    name = [f"{t}::{i}" for t, i in zip(table.types, table.ids, strict=True)]
    row = {n: r for r, n in enumerate(name)}
    matrix = Walks(graph, 0.5).weights.toarray()
    found = {}
    for path in nx.all_simple_paths(copy, name[head], name[tail], longest):
        if len(path) > 2:
            nodes = tuple(row[node] for node in path)
            found[nodes] = float(np.prod([matrix[a, b] for a, b in pairwise(nodes)]))
    return found


@pytest.mark.parametrize("longest", [2, 3])
def test_every_simple_path_is_drawn_and_nothing_else(random_graph: Graph, longest: int) -> None:
    rng = np.random.default_rng(1)
    heads, tails = rng.integers(0, len(random_graph.entities), (2, 40))
    heads, tails = heads[heads != tails], tails[heads != tails]
    for pair, found in enumerate(drawn(random_graph, heads, tails, 4000, longest)):
        weights = simple_paths(random_graph, int(heads[pair]), int(tails[pair]), longest)
        nodes = {path for path, _ in found}
        assert nodes <= weights.keys()
        likely = {path for path, weight in weights.items() if weight > 0.005 * sum(weights.values())}
        assert likely <= nodes
        assert len(found) == len(set(found))


def test_each_step_is_an_edge_in_its_direction(random_graph: Graph) -> None:
    edges = {
        (int(head), type_.relation, int(tail))
        for type_ in random_graph.edge_types
        for head, tail in random_graph.ends[:, type_.edges].T
    }
    heads, tails = np.arange(30), np.arange(1, 31)
    for found in drawn(random_graph, heads, tails, 50):
        for nodes, words in found:
            for (a, b), word in zip(pairwise(nodes), words, strict=True):
                assert ((a, word[:-1], b) if word.endswith(">") else (b, word[1:], a)) in edges


def test_paths_are_drawn_in_proportion_to_their_weights(random_graph: Graph) -> None:
    weights = simple_paths(random_graph, 0, 9, 3)
    walks, rng, counts, draws = Walks(random_graph, 0.5), np.random.default_rng(2), dict.fromkeys(weights, 0), 20_000
    pairs = np.zeros(draws, np.int64), np.full(draws, 9)
    for paths in draw_paths(walks, *pairs, 1, 3, rng):
        for nodes in paths.nodes.tolist():
            counts[tuple(node for node in nodes if node >= 0)] += 1
    expected = np.array(list(weights.values())) / sum(weights.values()) * draws
    observed = np.array(list(counts.values()))
    assert observed.sum() == draws
    assert np.abs(observed - expected).max() < 5 * np.sqrt(expected.max())
    assert ((observed - expected) ** 2 / expected).sum() < 1.5 * len(expected)  # about its degrees of freedom


def test_edges_between_a_pair_change_none_of_its_paths(random_graph: Graph) -> None:
    """So a training pair, joined, looks as a test pair does, whose edges have left the graph."""
    heads, tails = random_graph.ends
    proper = heads != tails
    for head, tail in random_graph.ends[:, proper].T[:25]:
        pair = np.array([head]), np.array([tail])
        less = without_pairs(random_graph, *pair)
        one, other = (simple_paths(graph, int(head), int(tail), 3) for graph in (random_graph, less))
        assert one.keys() == other.keys()
        ratios = np.array([one[path] / other[path] for path in one])
        np.testing.assert_allclose(ratios, ratios.mean(), rtol=1e-12)


def test_a_pair_that_only_its_own_edge_joins_has_no_path() -> None:
    graph = graph_of([("GENE:1", "a", "GENE:2"), ("GENE:2", "b", "GENE:1"), ("GENE:1", "a", "GENE:3")])
    found = drawn(graph, np.array([0, 1]), np.array([1, 2]), 20)
    assert found == [[], [((1, 0, 2), ("<a", "a>")), ((1, 0, 2), ("b>", "a>"))]]


def test_a_path_runs_from_the_head_to_the_tail_as_asked() -> None:
    graph = graph_of([("GENE:1", "a", "GENE:2"), ("GENE:2", "a", "GENE:3"), ("GENE:3", "a", "GENE:4")])
    nothing = np.zeros(0, np.int64)
    assert list(draw_paths(Walks(graph, 0.5), nothing, nothing, 3, 3, np.random.default_rng(0))) == []
    assert drawn(graph, np.array([0, 3, 0]), np.array([3, 0, 2]), 5) == [
        [((0, 1, 2, 3), ("a>", "a>", "a>"))],
        [((3, 2, 1, 0), ("<a", "<a", "<a"))],
        [((0, 1, 2), ("a>", "a>"))],
    ]
