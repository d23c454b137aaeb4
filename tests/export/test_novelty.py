"""With a graph, what it joins is known, and nodes have its names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.export.novelty import JoinedPairs, refuse_strangers
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from tests.export.conftest import ENTITIES
from tests.export.read_back import read_jsonl

Kgrel = Callable[..., Any]
GRAPH_NODES = "id\tname\tkind\n1\tABC\tGene\n7\tDEF\tGene\nDOID:2\tCrohn's\tDisease\nDOID:3\tX\tDisease\nP\t\tPathway\n"
GRAPH_EDGES = "source\tmetaedge\ttarget\nGene::7\tGiG\tGene::1\nGene::7\tGpPW\tPathway::P\nDOID:3\tDaG\tGene::1\n"


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A graph that joins the genes of the scored list, 1 with DOID:3, and a node that is no entity."""
    (tmp_path / "gn.tsv").write_text(GRAPH_NODES)
    (tmp_path / "ge.sif").write_text(GRAPH_EDGES)
    import_graph([tmp_path / "gn.tsv", tmp_path / "ge.sif"], tmp_path / "graph")
    return tmp_path / "graph"


def test_joined_are_the_two_ends_of_an_edge_in_either_order(graph: Path) -> None:
    pairs = JoinedPairs(Graph.open(graph), ENTITIES)
    first, second = (np.array(rows) for rows in ((2, 3, 0, 1, 2), (3, 2, 2, 2, 1)))
    assert pairs.of(first, second).tolist() == [True, True, False, True, True]
    strangers = EntityTable(["GENE"], ["9"], [""], [[]])
    with pytest.raises(KgrelError, match=r"shares no identifier.*'DISEASE::DOID:2'.*'GENE::9': use the same"):
        refuse_strangers(Graph.open(graph), strangers)


def test_a_graph_gives_nodes_and_names_and_decides_what_is_novel(
    scored: Path, graph: Path, kgrel: Kgrel, tmp_path: Path
) -> None:
    words = [scored, "--graph", graph, "--model-version", "1", "--primary-knowledge-source", "infores:lab"]
    summary = kgrel("export", "kgx", *words, "--out", tmp_path / "all", "--json").json
    nodes, edges = read_jsonl(tmp_path / "all")
    assert (summary["edges"], summary["known"]) == (3, 0)
    assert {node["name"] for node in nodes.values()} == {"ABC", "DEF", "Crohn's"}
    known = {(edge["subject"], edge["object"]): edge["kgrel_known_edge"] for edge in edges.values()}
    # 1 – DOID:2 is new; 7 – DOID:2 is in the list's known_relation; 1 – 7 is an edge of the graph.
    assert known == {
        ("NCBIGene:1", "DOID:2"): False,
        ("NCBIGene:7", "DOID:2"): True,
        ("NCBIGene:1", "NCBIGene:7"): True,
    }
    novel = kgrel("export", "kgx", *words, "--novel-only", "--out", tmp_path / "novel", "--json").json
    assert (novel["edges"], novel["known"], novel["repeated"]) == (1, 2, 1)
    renamed = tmp_path / "names.tsv"
    renamed.write_text("id\ttype\tname\n1\tGENE\tmine\n7\tGENE\t\nDOID:2\tDISEASE\t\n")
    kgrel("export", "kgx", *words, "--nodes", renamed, "--out", tmp_path / "named")
    assert {n["name"] for n in read_jsonl(tmp_path / "named")[0].values()} == {"mine", "DEF", "Crohn's"}
