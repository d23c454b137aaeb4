"""An edge table in any spelling is the simple graph of its nodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgrel.data.entities import EntityTable
from kgrel.data.errors import InputError
from kgrel.data.files import compression_of, without_compression
from kgrel.graph.build import import_graph
from kgrel.graph.settings import ImportSettings
from kgrel.score.graph import read_graph
from tests.compressing import compressed

ENTITIES = EntityTable(["GENE", "GENE", "DISEASE", "CHEMICAL"], ["1", "2", "DOID:1", "2"], list("abcd"), [[]] * 4)
EDGES = """source\tmetaedge\ttarget
Gene::1\tGiG\tGene::2
Gene::2\tGiG\tGene::1
Gene::1\tGpPW\tPathway::9
DOID:1\tDaG\tNCBIGene:2
Gene::1\tGiG\tGene::1
2\tGpPW\tPathway::9
\tGiG\tGene::2
"""
"""Both directions, a loop, a node that is no entity, an id of two types (no node), an empty id."""


@pytest.mark.parametrize("name", ["edges.sif", "edges.sif.gz", "edges.sif.zst", "edges.tsv"])
def test_each_two_joined_nodes_once_in_both_directions_without_loops(tmp_path: Path, name: str) -> None:
    (tmp_path / without_compression(name)).write_text(EDGES)
    if compression := compression_of(name):
        compressed(tmp_path / without_compression(name), compression)
    graph = read_graph(tmp_path / name, ENTITIES).toarray()
    expected = np.zeros((5, 5), dtype=int)
    for one, other in [(0, 1), (0, 4), (2, 1)]:
        expected[one, other] = expected[other, one] = 1
    assert graph.tolist() == expected.tolist()


def test_a_graph_of_other_nodes_and_a_table_without_edges_are_refused(tmp_path: Path) -> None:
    for content in ("source\ttarget\n5\t6\n", "source\ttarget\n"):
        (tmp_path / "edges.tsv").write_text(content)
        with pytest.raises(InputError, match=r"edges\.tsv: no node of this graph is among the entities"):
            read_graph(tmp_path / "edges.tsv", ENTITIES)
    (tmp_path / "edges.tsv").write_text("from\tto\n1\t2\n")
    with pytest.raises(InputError, match=r"edges\.tsv, line 1: no column 'source'"):
        read_graph(tmp_path / "edges.tsv", ENTITIES)


def test_a_graph_artifact_is_the_same_matrix_as_its_edges(tmp_path: Path) -> None:
    lines = EDGES.splitlines(keepends=True)[:6]
    typed = ["head\trelation\ttail\n", *lines[1:4], lines[4].replace("DOID:1", "Disease::DOID:1"), lines[5]]
    (tmp_path / "edges.tsv").write_text("".join(typed))
    import_graph([tmp_path / "edges.tsv"], tmp_path / "graph", ImportSettings("tsv"))
    from_file, from_artifact = (read_graph(tmp_path / name, ENTITIES).toarray() for name in ("edges.tsv", "graph"))
    assert from_artifact.tolist() == from_file.tolist()
    strangers = EntityTable(["CHEMICAL"], ["DB1"], [""], [[]])
    with pytest.raises(InputError, match=r"its nodes are 'DISEASE::DOID:1', 'GENE::1'.* artifact 'CHEMICAL::DB1'"):
        read_graph(tmp_path / "graph", strangers)
