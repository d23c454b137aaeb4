"""Held-out pairs leave no edge behind, and nothing else leaves."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.graph.graph import Graph
from kgrel.graph.removal import edges_between, joined, removal_report, without_pairs
from tests.graph.conftest import graph_of

NODES = [f"{kind}:{n}" for kind in ("GENE", "DISEASE") for n in range(4)]
TRIPLES = st.lists(
    st.tuples(st.sampled_from(NODES), st.sampled_from(["a", "b"]), st.sampled_from(NODES)), min_size=1, max_size=40
)
PAIRS = st.lists(st.tuples(st.integers(-1, 7), st.integers(-1, 7)), max_size=8)


def triples_of(graph: Graph) -> set[tuple[int, str, int]]:
    """The edges as rows with their relation."""
    return {
        (int(head), type_.relation, int(tail))
        for type_ in graph.edge_types
        for head, tail in graph.ends[:, type_.edges].T
    }


@settings(max_examples=60)
@given(TRIPLES, PAIRS)
def test_exactly_the_edges_between_the_pairs_leave(lines: list[tuple[str, str, str]], pairs: list[tuple[int, int]]):
    graph = graph_of(lines)
    size = len(graph.entities)
    heads, tails = np.array([(a, b) for a, b in pairs if max(a, b) < size], np.int64).reshape(-1, 2).T
    held_out = {frozenset(pair) for pair in zip(heads.tolist(), tails.tolist(), strict=True)}
    left = without_pairs(graph, heads, tails)
    assert triples_of(left) == {line for line in triples_of(graph) if frozenset((line[0], line[2])) not in held_out}
    assert not edges_between(left, heads, tails).any()
    assert not joined(left, tails, heads).any()
    assert left.entities is graph.entities
    assert [t.begin for t in left.edge_types] + [left.edge_count] == [0, *(t.end for t in left.edge_types)]
    for type_ in left.edge_types:
        assert {left.entities.types[row] for row in left.ends[0, type_.edges]} == {type_.head}
        assert {left.entities.types[row] for row in left.ends[1, type_.edges]} == {type_.tail}


def test_the_report_counts_parallel_and_reversed_edges():
    graph = graph_of(
        [("GENE:1", "a", "GENE:2"), ("GENE:2", "b", "GENE:1"), ("GENE:1", "a", "GENE:3"), ("GENE:4", "a", "GENE:3")]
    )
    report = removal_report(graph, np.array([1, 0, 0, -1]), np.array([0, 2, 3, 2]))
    assert report == {
        "pairs": 4, "pairs_outside": 1, "pairs_joined": 2, "pairs_joined_by_several": 1, "edges": 3,
        "edges_by_type": {"a": 2, "b": 1}, "edges_left": 0,
    }  # fmt: skip
