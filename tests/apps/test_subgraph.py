"""The same paths as text, GraphML and a picture; and what cannot be drawn is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from kgrel.apps.settings import SubgraphSettings
from kgrel.apps.subgraph import curve, find_subgraph
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from tests.cli.conftest import kgrel  # noqa: F401


@pytest.fixture
def place(tmp_path: Path) -> Path:
    nodes = [
        "Gene::1\tA\tGene",
        "Gene::2\t$B_2$\tGene",
        "Gene::3\tC\tGene",
        "Disease::4\tD\tDisease",
        "Gene::5\tE\tGene",
    ]
    edges = ["Gene::1\tGiG\tGene::2", "Gene::2\tGcG\tGene::1", "Disease::4\tDaG\tGene::2", "Gene::2\tGiG\tGene::3",
             "Disease::4\tDaG\tGene::3", "Gene::1\tGiG\tGene::3", "Disease::4\tDaG\tGene::1"]  # fmt: skip
    (tmp_path / "nodes.tsv").write_text("\n".join(["id\tname\tkind", *nodes]) + "\n")
    (tmp_path / "edges.sif").write_text("\n".join(["source\tmetaedge\ttarget", *edges]) + "\n")
    import_graph([tmp_path / "nodes.tsv", tmp_path / "edges.sif"], tmp_path / "graph")
    return tmp_path / "graph"


def test_the_network_holds_the_edges_of_all_steps_and_no_other(place: Path) -> None:
    found = find_subgraph(Graph.open(place), "A", "D", SubgraphSettings())
    network = found.network()
    assert {(h.split("::")[1], relation, t.split("::")[1]) for h, t, relation in network.edges(keys=True)} == {
        ("1", "GiG", "2"), ("2", "GcG", "1"), ("4", "DaG", "2"), ("2", "GiG", "3"), ("4", "DaG", "3"),
        ("1", "GiG", "3"),
    }  # fmt: skip
    out_of_first = {
        frozenset(ends[:2]): facts["share"] for *ends, facts in network.edges(data=True) if "GENE::1" in ends
    }
    assert sum(out_of_first.values()) == pytest.approx(1.0)
    assert len(found.lines()) == 4


def test_steps_go_to_the_right_or_along_a_curve_that_hides_no_node(place: Path) -> None:
    found = find_subgraph(Graph.open(place), "A", "D", SubgraphSettings())
    columns = {found.names[row]: column for row, column in found.columns.items()}
    assert columns == {"A": 0, "$B_2$": 2, "C": 2, "D": 3}  # each stands on the way from A to the other
    assert curve((0.0, 0.0), (1.0, 1.0))[10] == pytest.approx([0.5, 0.5])
    assert curve((0.0, 0.0), (2.0, 0.0))[10] == pytest.approx([1.0, 0.45])
    arc = curve((2.0, 0.0), (2.0, 1.0))
    assert (arc[0], arc[-1]) == (pytest.approx([2.0, 0.0]), pytest.approx([2.0, 1.0]))
    assert (arc[1:-1, 0] > 2.0).all()


def test_every_kind_of_file_is_written(kgrel: Any, place: Path, tmp_path: Path) -> None:  # noqa: F811
    shown = kgrel("export-subgraph", place, "A", "Disease::4", "--top", 2)
    lines = shown.out.decode().splitlines()
    assert lines[0].endswith("A –[GcG|GiG]– $B_2$ –[DaG]– D")
    for ending in ("txt", "graphml", "png", "svg"):
        out = tmp_path / f"paths.{ending}"
        summary = kgrel("export-subgraph", place, "A", "D", "--top", 2, "--out", out, "--json").json
        assert summary["paths"] == 2
        assert out.stat().st_size > 0
    assert (tmp_path / "paths.txt").read_text().splitlines() == lines
    read = nx.read_graphml(tmp_path / "paths.graphml")
    assert read.number_of_edges() == summary["edges"]
    assert read.nodes["GENE::2"]["name"] == "$B_2$"
    assert b"B_2" in (tmp_path / "paths.svg").read_bytes()
    assert (tmp_path / "paths.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["A", "A"], "are the same node"),
        (["A", "nobody"], "no entity 'nobody'"),
        (["A", "E"], "no path of two to 3 edges joins 'A' and 'E'"),
        (["A", "D", "--longest", 5], "longest must be 2 or 3 edges, not 5"),
        (["A", "D", "--out", "paths.gif"], "paths.gif: the ending must be one of .txt"),
        (["A", "D", "--json"], "give --out"),
    ],
)
def test_what_cannot_be_exported_is_refused(kgrel: Any, place: Path, arguments: Any, message: str) -> None:  # noqa: F811
    outcome = kgrel("export-subgraph", place, *arguments)
    assert outcome.code in (1, 2)
    assert message in outcome.err
