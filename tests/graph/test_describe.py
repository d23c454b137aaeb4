"""The description counts what the graph holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import kgrel

__all__ = ["kgrel"]
Kgrel = Callable[..., Any]
EDGES = """head\trelation\ttail\thead_type\ttail_type
1\tGiG\t2\tGene\tGene
2\tGiG\t1\tGene\tGene
1\tGiG\t3\tGene\tGene
1\tGpPW\t1\tGene\tPath\x1bway
4\tGiG\t4\tGene\tGene
"""


@pytest.fixture
def graph(tmp_path: Path, kgrel: Kgrel) -> Path:
    (tmp_path / "triples.tsv").write_text(EDGES)
    summary = kgrel("import-graph", tmp_path / "triples.tsv", "--format", "tsv", "--out", tmp_path / "g", "--json").json
    assert (summary["nodes"], summary["edges"], summary["self_loop"], summary["shared_ids"]) == (5, 5, 1, 1)
    return tmp_path / "g"


def test_nodes_edges_degrees_and_components_are_counted(graph: Path, kgrel: Kgrel) -> None:
    found = kgrel("describe-graph", graph, "--plots", graph.with_name("x.png"), "--json").json
    assert found["components"] == {"number": 2, "nodes_of_the_largest": 4}
    genes = found["edges_by_type"]["GENE -GiG-> GENE"]
    assert genes == {"edges": 4, "heads": 3, "tails": 4, "in_both_directions": 3}  # a loop is its own other direction
    assert found["nodes_by_type"]["GENE"]["degree"]["most"] == 4
    assert found["hubs"][0] == ["1 (GENE 1)", 4]
    assert found["isolated_nodes"] == 0
    assert graph.with_name("x.png").read_bytes().startswith(b"\x89PNG")


def test_the_text_has_a_histogram_for_each_type_and_no_control_characters(graph: Path, kgrel: Kgrel) -> None:
    shown = kgrel("describe-graph", graph).out.decode()
    assert "edges of a node: GENE" in shown
    assert "edges of a node: PATH\ufffdWAY" in shown
    assert "\x1b" not in shown
