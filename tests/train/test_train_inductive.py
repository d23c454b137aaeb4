"""Predicted embeddings: learned from surroundings and names, blind to what is hidden, refused where they do not fit."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Silent
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.graph.settings import ImportSettings
from kgrel.score.inductive import InductiveScorer
from kgrel.train.graph_settings import InductiveSettings
from kgrel.train.inductive import Inductive
from kgrel.train.loop import LoopSettings, train
from kgrel.train.pair_data import Part
from kgrel.train.train_inductive import InductiveTask, LearnedEmbeddings, read_embeddings, train_inductive
from tests.graph.conftest import graph_of

BLOCKS, EACH = 4, 20
SMALL = InductiveSettings(
    width=16, batch_size=12, steps=60, near=4, far=2, dropout=0.0, validation_share=0.2, test_share=0.2
)


def blocks() -> tuple[Graph, LearnedEmbeddings]:
    """Genes in blocks: those of one block are joined, are named alike, and have nearly the same embedding."""
    rng = np.random.default_rng(0)
    triples = {
        (f"GENE:{b}-{i}", "GiG", f"GENE:{b}-{j}")
        for b in range(BLOCKS) for i in range(EACH) for j in rng.choice(EACH, 4).tolist() if i != j
    }  # fmt: skip
    graph = graph_of(sorted(triples))
    block = np.array([int(id_.split("-")[0]) for id_ in graph.entities.ids])
    families = np.array(["kinase", "receptor", "channel", "ligase"])
    names = [f"{families[b]} {n}" for n, b in enumerate(block.tolist())]
    table = EntityTable(graph.entities.types, graph.entities.ids, names, graph.entities.alternatives)
    graph = Graph(table, graph.ends, graph.edge_types)
    vectors = torch.from_numpy(rng.normal(size=(BLOCKS, 12))[block] + 0.1 * rng.normal(size=(len(block), 12)))
    return graph, LearnedEmbeddings(table, vectors.float(), SimpleNamespace())  # type: ignore[arg-type]


@pytest.mark.parametrize("sees", ["both", "graph", "name"])
def test_what_surroundings_or_names_tell_is_learned(sees: Any) -> None:
    graph, learned = blocks()
    task = InductiveTask(learned, graph, InductiveSettings(**{**vars(SMALL), "sees": sees, "learning_rate": 1e-2}))
    train(task, LoopSettings(steps=120, learning_rate=1e-2, validate_every=120), None, Silent(), "inductive")
    test = np.flatnonzero(task.parts == Part.TEST)
    found = task.figures(task.predict(test, task.held_out), test)["all"]
    assert found["cosine"] > 0.8 > 0.6 > found["cosine_of_the_mean_of_its_type"]


def test_hidden_embeddings_are_not_seen() -> None:
    graph, learned = blocks()
    task = InductiveTask(learned, graph, SMALL)
    test = np.flatnonzero(task.parts == Part.TEST)
    before, open_ = task.predict(test, task.held_out), task.predict(test, np.zeros(len(task.rows), np.bool_))
    task.table[torch.from_numpy(task.rows[task.held_out])] = torch.randn(int(task.held_out.sum()), 12)
    assert torch.equal(task.predict(test, task.held_out), before)
    assert not torch.allclose(open_, before)


def test_a_prediction_does_not_depend_on_its_company() -> None:
    graph, learned = blocks()
    task, nodes = InductiveTask(learned, graph, SMALL), np.array([3, 40, 41])
    hidden = np.zeros(len(task.rows), np.bool_)
    hidden[nodes] = True
    torch.testing.assert_close(task.predict(nodes[1:2], hidden), task.predict(nodes, hidden)[1:2])


@pytest.fixture(scope="module")
def graph(world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """The world's graph, with a gene that no sentence names, joined as another one is."""
    place = tmp_path_factory.mktemp("inductive")
    nodes, edges = world_files["nodes.tsv"].read_text(), world_files["edges.sif"].read_text()
    twin = next(line.split("\t")[2] for line in edges.splitlines() if "\tDaG\t" in line)
    further = "".join(
        line.replace(twin, "Gene::999999") + "\n" for line in edges.splitlines() if twin in line.split("\t")
    )
    (place / "nodes.tsv").write_text(nodes + "Gene::999999\tunheard of\tGene\n")
    (place / "edges.sif").write_text(edges + further)
    import_graph([place / "nodes.tsv", place / "edges.sif"], place / "graph")
    return Graph.open(place / "graph")


@pytest.fixture(scope="module")
def trained(graph: Graph, representation_path: Path) -> Inductive:
    settings = InductiveSettings(width=8, batch_size=32, steps=20, validate_every=10, checkpoint_every=5)
    out = graph.artifact.path.with_name("inductive")
    train_inductive(read_embeddings(representation_path), graph, out, settings)
    return Inductive.open(out)


def test_nodes_without_a_learned_embedding_get_one(trained: Inductive, graph: Graph, representation_path: Path) -> None:
    learned = read_embeddings(representation_path)
    known = set(zip(learned.entities.types, learned.entities.ids, strict=True))
    wanted = {
        key for key in zip(graph.entities.types, graph.entities.ids, strict=True)
        if key not in known and key[0] in learned.entities.types
    }  # fmt: skip
    assert set(zip(trained.entities.types, trained.entities.ids, strict=True)) == wanted
    assert ("GENE", "999999") in wanted
    torch.testing.assert_close(trained.predicted.norm(dim=1), torch.ones(len(wanted)))
    summary = trained.artifact.manifest.summary
    assert summary["test"]["all"]["entities"] == len(trained.held_out)
    own = torch.nn.functional.normalize(learned.table, dim=1)[trained.held_out]
    cosine = float((own * trained.held_out_predicted).sum(-1).mean())
    assert summary["test"]["all"]["cosine"] == pytest.approx(cosine, abs=1e-5)


def test_the_same_command_gives_the_same_bytes(trained: Inductive, graph: Graph, pairs_path: Path) -> None:
    """Also from the frozen embeddings of a classifier, but for its held-out pairs, which lose their edges."""
    settings = InductiveSettings(width=8, batch_size=32, steps=4, validate_every=2)
    first, second = (
        train_inductive(read_embeddings(pairs_path), graph, graph.artifact.path.with_name(name), settings)
        for name in ("one", "other")
    )
    assert first.manifest == second.manifest
    assert first.manifest.summary["held_out_pairs"]["edges"] > 0
    assert first.manifest.summary["held_out_pairs"]["edges_left"] == 0
    assert Inductive.open(first.path).trained_on == trained.trained_on


def test_a_graph_whose_every_node_is_named_by_a_text_is_measured_and_predicts_nothing(
    pairs_path: Path, tmp_path: Path
) -> None:
    learned = read_embeddings(pairs_path)
    genes = [id_ for type_, id_ in zip(learned.entities.types, learned.entities.ids, strict=True) if type_ == "GENE"]
    lines = [f"GENE\t{one}\tGiG\tGENE\t{other}" for one, other in pairwise(genes[:60])]
    edges = tmp_path / "edges.tsv"
    edges.write_text("\n".join(["head_type\thead\trelation\ttail_type\ttail", *lines]) + "\n")
    import_graph([edges], tmp_path / "graph", ImportSettings(format="tsv"))
    settings = InductiveSettings(width=8, batch_size=8, steps=2, validate_every=1)
    train_inductive(learned, Graph.open(tmp_path / "graph"), tmp_path / "inductive", settings)
    found = InductiveScorer.load(pairs_path, tmp_path / "inductive")
    assert found.inductive.artifact.manifest.summary["predicted"] == {"GENE": 0}
    assert found.inductive.artifact.manifest.summary["test"]["all"]["entities"] == len(found.inductive.held_out) > 0
    assert len(found.entities) == len(learned.entities)
    heads, tails = found.pairs.data.heads[:20], found.pairs.data.tails[:20]
    np.testing.assert_array_equal(found.predict(heads, tails)[0], found.pairs.predict(heads, tails)[0])


def test_other_embeddings_and_strange_graphs_are_refused(
    trained: Inductive, representation_path: Path, tmp_path: Path
) -> None:
    learned = read_embeddings(representation_path)
    trained.require(learned.table, "repr")
    with pytest.raises(KgrelError, match="run kgrel train-inductive repr"):
        trained.require(learned.table + 1, "repr")
    with pytest.raises(KgrelError, match="only 0 entities stand both in the graph"):
        InductiveTask(learned, graph_of([("GENE:none", "GiG", "GENE:such")]), SMALL)
