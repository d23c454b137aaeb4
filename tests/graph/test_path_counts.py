"""Path counts: those of an enumeration by hand, and blind to the edges between the two ends."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from kgrel.graph import path_counts
from kgrel.graph.graph import Graph
from kgrel.graph.path_counts import Metapath, PathCounts
from kgrel.graph.removal import without_pairs
from tests.graph.conftest import graph_of

DAMPING = 0.4


def pairs_of(graph: Graph, start: str, end: str) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of two types."""
    both = np.array(list(product(graph.node_types[start], graph.node_types[end])))
    heads, tails = both[both[:, 0] != both[:, 1]].T
    return heads, tails


def enumerated(graph: Graph, metapath: Metapath, head: int, tail: int) -> float:
    """Σ over paths of Π (d d)^-w, walking node by node in the graph without the edges between the two."""
    graph = without_pairs(graph, np.array([head]), np.array([tail]))
    steps = {step.key: step for step in PathCounts(graph, DAMPING, 3).steps}
    matrices, begins = [], []
    for step in metapath.steps:
        if step.key not in steps:  # its only edges joined the two
            return 0.0
        edges = steps[step.key].edges.toarray()
        one, other = (np.maximum(edges.sum(axis), 1.0) ** -DAMPING for axis in (1, 0))
        matrices.append(edges * one[:, None] * other)
        begins.append(graph.node_types[step.end].start)

    def walk(path: list[int], rest: list[np.ndarray]) -> float:
        step, local = len(path) - 1, path[-1] - graph.node_types[metapath.steps[len(path) - 1].start].start
        total = 0.0
        for place in np.flatnonzero(rest[0][local]).tolist():
            node = place + begins[step]
            if node in path or (node == tail) != (len(rest) == 1):
                continue
            total += rest[0][local, place] * (walk([*path, node], rest[1:]) if len(rest) > 1 else 1.0)
        return total

    return walk([head], matrices)


@pytest.mark.parametrize(("start", "end"), [("DISEASE", "GENE"), ("GENE", "GENE"), ("DISEASE", "DISEASE")])
def test_counts_are_those_of_an_enumeration_without_the_pairs_own_edges(
    random_graph: Graph, start: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_counts, "HEADS", 3)
    counts = PathCounts(random_graph, DAMPING, 3)
    heads, tails = pairs_of(random_graph, start, end)
    found, metapaths = counts.counts(start, end, heads, tails), counts.metapaths(start, end)
    assert (found > 0).any(axis=0).mean() > 0.8
    for row in range(0, len(heads), max(1, len(heads) // 25)):
        by_hand = [enumerated(random_graph, metapath, heads[row], tails[row]) for metapath in metapaths]
        np.testing.assert_allclose(found[row], by_hand, rtol=1e-9, atol=1e-12)


def test_a_pair_does_not_depend_on_its_company(random_graph: Graph) -> None:
    counts = PathCounts(random_graph, DAMPING, 3)
    heads, tails = pairs_of(random_graph, "DISEASE", "GENE")
    whole, some = counts.counts("DISEASE", "GENE", heads, tails), np.array([70, 3, 41])
    np.testing.assert_allclose(counts.counts("DISEASE", "GENE", heads[some], tails[some]), whole[some], rtol=1e-12)


def test_metapaths_are_named_and_symmetric_relations_have_no_direction() -> None:
    graph = graph_of([("DISEASE:1", "DaG", "GENE:1"), ("GENE:1", "GiG", "GENE:2"), ("GENE:1", "Gr>G", "GENE:3")])
    names = [metapath.name for metapath in PathCounts(graph, 0.5, 2).metapaths("DISEASE", "GENE")]
    assert names == ["DaG> (GENE) <Gr>G", "DaG> (GENE) GiG", "DaG> (GENE) Gr>G>"]
    assert PathCounts(graph, 0.5, 3).metapaths("DISEASE", "PATHWAY") == []
