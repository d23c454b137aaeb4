"""The edges of a graph label the same pairs as the relations table that they were made from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kgrel.data.errors import KgrelError
from kgrel.graph.build import import_graph
from kgrel.graph.settings import ImportSettings
from kgrel.text.corpus import Corpus
from kgrel.train.train_pairs import parents_of, prepare_pairs
from tests.conftest import TINY_PAIRS


@pytest.fixture
def graph(world_files: dict[str, Path], tmp_path: Path) -> Path:
    """The listed relations of the small world as a GRAPH, their metaedge being the relation."""
    rows = [line.split("\t") for line in world_files["relations.tsv"].read_text().splitlines()[1:]]
    lines = ["\t".join((source, edge, target, *class_.split("-"))) for class_, edge, source, _, target, _ in rows]
    (tmp_path / "triples.tsv").write_text("head\trelation\ttail\thead_type\ttail_type\n" + "\n".join(lines) + "\n")
    import_graph([tmp_path / "triples.tsv"], tmp_path / "graph", ImportSettings("tsv"))
    return tmp_path / "graph"


def test_a_graph_lists_the_pairs_of_its_edges(graph: Path, world_files: dict[str, Path], corpus_path: Path) -> None:
    corpus, settings = Corpus.open(corpus_path), dataclasses.replace(TINY_PAIRS, labels="types")
    of_file, of_graph = (prepare_pairs(corpus.entities, corpus, p, settings).relations for p in
                         (world_files["relations.tsv"], graph))  # fmt: skip
    assert of_graph.class_names == of_file.class_names
    for name in ("heads", "tails", "classes"):
        assert getattr(of_graph, name).tolist() == getattr(of_file, name).tolist()
    assert parents_of(corpus, graph, settings).keys() == {"corpus", "graph"}


def test_a_graph_and_a_corpus_without_a_common_identifier_show_five_of_each(tmp_path: Path, corpus_path: Path) -> None:
    lines = [f"X{n}\tr\tY{n}\tGENE\tGENE\n" for n in range(9)]
    (tmp_path / "triples.tsv").write_text("head\trelation\ttail\thead_type\ttail_type\n" + "".join(lines))
    import_graph([tmp_path / "triples.tsv"], tmp_path / "graph", ImportSettings("tsv"))
    corpus = Corpus.open(corpus_path)
    with pytest.raises(KgrelError, match=r"none of the 9 rows.*'GENE::X0'.*those of the artifact like") as refused:
        prepare_pairs(corpus.entities, corpus, tmp_path / "graph", TINY_PAIRS)
    theirs, ours = str(refused.value).split("those of the artifact")
    assert (theirs.count("'") // 2, ours.count("'") // 2) == (5, 5)
