"""Proposals are those of a naive double loop: typed, novel, each unordered pair once."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.score import propose
from kgrel.score.graph import adjacency, read_graph
from kgrel.score.propose import Proposed, propose_pairs, schema_of, short_paths
from kgrel.score.settings import ProposeSettings
from kgrel.train.pair_model import PairModel

TYPES = ["GENE", "DISEASE", "GENE", "GENE", "DISEASE", "CHEMICAL", "GENE", "DISEASE"]
SIZE = len(TYPES)
Pair = tuple[int, int]
pairs = st.lists(st.sampled_from(list(itertools.combinations(range(SIZE), 2))), max_size=20, unique=True)
edges = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=40)


def model_of(listed: list[Pair], mentioned: list[Pair]) -> Any:
    """What proposing looks at of a model, with 1, 2 … contexts of the mentioned pairs."""
    ids = [str(row) for row in range(SIZE)]

    def sides(chosen: list[Pair]) -> list[np.ndarray]:
        return [np.array([pair[side] for pair in chosen], dtype=np.int64) for side in (0, 1)]

    return SimpleNamespace(
        entities=EntityTable(TYPES, ids, ids, [[] for _ in ids]),
        relations=(*sides(listed), np.zeros(len(listed), dtype=np.int64)),
        comentions=(*sides(mentioned), np.arange(1, len(mentioned) + 1)),
        possible=lambda heads, tails: np.array([[TYPES[heads[0]] != "CHEMICAL"]]),
    )


def simple_paths(graph: np.ndarray, start: int, end: int, most: int) -> int:
    """Counted by walking."""

    def walk(path: list[int]) -> int:
        if path[-1] == end:
            return 1
        if len(path) > most:
            return 0
        return sum(walk([*path, node]) for node in np.flatnonzero(graph[path[-1]]).tolist() if node not in path)

    return walk([start])


def naive(model: Any, types: Pair, by: str, graph: np.ndarray, include_known: bool) -> list[tuple[int, int, int]]:
    """Two nested loops over the entities."""
    listed = set(zip(*map(np.ndarray.tolist, model.relations[:2]), strict=True))
    contexts = {(h, t): n for h, t, n in zip(*map(np.ndarray.tolist, model.comentions), strict=True)}
    seen, found = set(), []
    for head, tail in itertools.product(range(SIZE), repeat=2):
        key = (min(head, tail), max(head, tail))
        if (TYPES[head], TYPES[tail]) != types or head == tail or key in seen:
            continue
        seen.add(key)
        count = {
            "all": 1,
            "co-mentioned": contexts.get(key, 0),
            "neighbours": int((graph[head] * graph[tail]).sum()),
            "paths": simple_paths(graph, head, tail, 3),
        }[by]
        if count and (include_known or key not in listed):
            found.append((head, tail, count))
    return found


def rows_of(tables: list[pa.Table], by: str) -> list[tuple[int, int, int]]:
    rows = [row for table in tables for row in table.to_pylist()]
    for row in rows:
        assert row["source"].startswith(row["source_type"] + "::")
        assert row["target"].startswith(row["target_type"] + "::")
    reason = propose.COUNTED.get(by)
    ends = [[int(row[side].split("::")[1]) for side in ("source", "target")] for row in rows]
    return [(head, tail, row[reason] if reason else 1) for (head, tail), row in zip(ends, rows, strict=True)]


@pytest.mark.parametrize("by", ["all", "co-mentioned", "neighbours", "paths"])
@given(
    listed=pairs, mentioned=pairs, joined=edges, known=st.booleans(), limit=st.integers(0, 6), block=st.integers(1, 40)
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_proposals_are_those_of_a_double_loop(
    by: Any, listed: list[Pair], mentioned: list[Pair], joined: list[Pair], known: bool, limit: int, block: int
) -> None:
    model = model_of(listed, mentioned)
    first, second = (np.array([edge[side] for edge in joined], dtype=np.int64) for side in (0, 1))
    graph = adjacency(first, second, 11)
    given_graph = graph if by in ("neighbours", "paths") else None
    settings = ProposeSettings(by, known, limit)
    before, propose.BLOCK_CELLS = propose.BLOCK_CELLS, block
    try:
        for types in itertools.product(("GENE", "DISEASE"), repeat=2):
            expected = naive(model, types, by, graph.toarray(), known)
            found = Proposed()
            tables = list(propose_pairs(model, types, settings, given_graph, found=found))
            assert all(table.schema == schema_of(by) for table in tables)
            assert rows_of(tables, by) == (expected[:limit] if limit else expected)
            assert found.proposed == sum(table.num_rows for table in tables)
            assert found.stopped or found.proposed == len(expected) == found.pairs - found.known
            assert not found.stopped or found.proposed == limit
    finally:
        propose.BLOCK_CELLS = before


@given(joined=edges)
def test_short_paths_are_simple_paths_in_both_directions(joined: list[Pair]) -> None:
    first, second = (np.array([edge[side] for edge in joined], dtype=np.int64) for side in (0, 1))
    graph, nodes = adjacency(first, second, 11), np.arange(11)
    counts = short_paths(graph, nodes, nodes)
    for head, tail in itertools.combinations(range(11), 2):
        assert counts[head, tail] == counts[tail, head] == simple_paths(graph.toarray(), head, tail, 3)


def test_tables_come_one_block_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propose, "BLOCK_CELLS", SIZE)
    found = Proposed()
    tables = propose_pairs(model_of([], []), ("GENE", "DISEASE"), found=found)
    for source in (1, 2, 3, 4):
        assert next(tables).num_rows == 3
        assert found.sources == source
    assert next(tables, None) is None


def test_the_graph_of_the_world_gives_pairs_that_the_model_can_score(
    pair_model: PairModel, world_files: dict[str, Any]
) -> None:
    graph = read_graph(world_files["edges.sif"], pair_model.entities)
    (table,) = propose_pairs(pair_model, ("GENE", "DISEASE"), ProposeSettings("paths"), graph)
    ends = [[row_of(pair_model, text) for text in table[side].to_pylist()] for side in ("source", "target")]
    heads, tails = np.array(ends)
    assert len(heads) > 100
    assert pair_model.possible(heads, tails).any(axis=1).all()
    assert pair_model.known(heads, tails) == [None] * len(heads)
    assert len(set(zip(*ends, strict=True))) == len(heads)


def row_of(model: PairModel, text: str) -> int:
    type_, _, id_ = text.partition("::")
    return model.entities.ids.index(id_, model.entities.types.index(type_))


@pytest.mark.parametrize(
    ("types", "settings", "message"),
    [
        (("GENES", "DISEASE"), ProposeSettings(), "no entity of type 'GENES' .did you mean 'GENE'"),
        (("CHEMICAL", "GENE"), ProposeSettings(), "no class of the artifact relates CHEMICAL and GENE"),
        (("GENE", "DISEASE"), ProposeSettings("paths"), "--by paths needs a graph; pass --graph"),
        (("GENE", "DISEASE"), ProposeSettings(max_pairs=-1), "--max-pairs must be 0 or more, not -1"),
    ],
)
def test_what_cannot_be_proposed_is_said(types: tuple[str, str], settings: ProposeSettings, message: str) -> None:
    with pytest.raises(KgrelError, match=message):
        propose_pairs(model_of([], []), types, settings)


def test_a_graph_that_nothing_looks_at_is_refused() -> None:
    graph = adjacency(np.array([0]), np.array([1]), SIZE)
    with pytest.raises(KgrelError, match="--by all looks at no graph"):
        propose_pairs(model_of([], []), ("GENE", "DISEASE"), ProposeSettings(), graph)
