"""Encodings of pairs from a graph: blind to the pairs' own edges, kept with the artifact, refused where they misfit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.graph.removal import edges_between, without_pairs
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train.graph_features import Encodings, GraphFeatures, encode, products
from kgrel.train.pair_data import Part, rows_in
from kgrel.train.pair_model import PairModel, read_encodings
from kgrel.train.settings import PairSettings
from kgrel.train.train_pairs import train_pairs
from tests.graph.conftest import graph_of

SETTINGS = PairSettings(
    batch_size=64, batch_negatives=48, steps=6, validate_every=3, graph_width=6, graph_near=1000, graph_far=1000
)


@pytest.fixture(scope="module")
def graph(world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Graph:
    out = tmp_path_factory.mktemp("encoded") / "graph"
    import_graph([world_files["nodes.tsv"], world_files["edges.sif"]], out)
    return Graph.open(out)


@pytest.fixture(scope="module")
def trained(graph: Graph, representation_path: Path, corpus_path: Path, world_files: dict[str, Path]) -> PairModel:
    out = graph.artifact.path.with_name("pairs")
    arguments = Representation.open(representation_path), Corpus.open(corpus_path), world_files["relations.tsv"], out
    train_pairs(*arguments, SETTINGS, graph=graph)
    return PairModel.open(out)


def encoder_of(features: GraphFeatures) -> tuple[Any, torch.Tensor]:
    """A random encoder, and random embeddings of the entities."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return features.encoder(5), torch.randn(len(features.nodes), 5)


def test_a_pair_is_encoded_as_in_a_graph_without_its_own_edges(graph: Graph, pair_model: PairModel) -> None:
    data, entities = pair_model.data, pair_model.entities
    rows = data.rows(Part.TRAINING, positive=True)[:1]
    nodes = rows_in(graph.entities, entities)
    ends = nodes[data.heads[rows]], nodes[data.tails[rows]]
    assert edges_between(graph, *ends).any()
    found = []
    for one in (graph, without_pairs(graph, *ends)):
        features = GraphFeatures(one, entities, SETTINGS)
        encoder, table = encoder_of(features)
        batch = features.of_pairs(data.heads[rows], data.tails[rows], np.random.default_rng(0), torch.device("cpu"))
        found.append(products(encode(encoder, batch, table), batch))
        whole = features.encodings(encoder, table).features(data.heads[rows], data.tails[rows])
    assert found[0].abs().max() > 0
    if [t.relation for t in graph.edge_types] == [t.relation for t in without_pairs(graph, *ends).edge_types]:
        torch.testing.assert_close(found[0], found[1])
        torch.testing.assert_close(found[1].detach().numpy(), whole, rtol=1e-4, atol=1e-6)


def test_entities_outside_the_graph_have_products_of_zero(pair_model: PairModel) -> None:
    small = graph_of([(f"GENE:{pair_model.entities.ids[-1]}", "GiG", "GENE:stranger")])
    features = GraphFeatures(small, pair_model.entities, SETTINGS)
    encoder, table = encoder_of(features)
    heads, tails = pair_model.data.heads[:50], pair_model.data.tails[:50]
    batch = features.of_pairs(heads, tails, np.random.default_rng(0), torch.device("cpu"))
    outside = (features.nodes[heads] < 0) | (features.nodes[tails] < 0)
    assert outside.all()
    assert not products(encode(encoder, batch, table), batch).any()
    assert not features.encodings(encoder, table).features(heads, tails).any()


def test_encodings_are_trained_kept_and_used(trained: PairModel, graph: Graph) -> None:
    assert trained.title.endswith(", graph encoder")
    assert trained.encodings.table.shape == (len(trained.entities), SETTINGS.graph_width)
    removed = trained.artifact.manifest.summary["graph_encoder"]
    assert removed["edges"] > 0 == removed["edges_left"]
    heads, tails = trained.data.heads[:40], trained.data.tails[:40]
    scores, _ = trained.predict(heads, tails)
    np.testing.assert_array_equal(trained.predict(tails, heads)[0], scores)
    trained_on = trained.classifier.hidden.weight[:, -SETTINGS.graph_width :]
    assert trained_on.abs().max() > 0
    blind = PairModel(**{**vars_of(trained), "encodings": Encodings(torch.zeros_like(trained.encodings.table))})
    assert not np.array_equal(blind.predict(heads, tails)[0], scores)


def vars_of(model: PairModel) -> dict[str, Any]:
    """The attributes of a model without what it computed from them."""
    return {name: getattr(model, name) for name in PairModel.__dataclass_fields__}


def test_damaged_encodings_and_a_graph_without_a_width_are_refused(
    trained: PairModel, graph: Graph, representation_path: Path, corpus_path: Path, world_files: dict[str, Path],
    tmp_path: Path,
) -> None:  # fmt: skip
    with pytest.raises(ArtifactError, match="no finite encoding of every entity"):
        read_encodings(trained.artifact, len(trained.entities) + 1, SETTINGS.graph_width)
    arguments = Representation.open(representation_path), Corpus.open(corpus_path), world_files["relations.tsv"]
    with pytest.raises(KgrelError, match="both a graph and a graph_width"):
        train_pairs(*arguments, tmp_path / "a", PairSettings(), graph=graph)
    with pytest.raises(KgrelError, match="no entity of the representation is in the graph"):
        train_pairs(*arguments, tmp_path / "b", SETTINGS, graph=graph_of([("GENE:none", "GiG", "GENE:such")]))
    with pytest.raises(KgrelError, match="hard negatives"):
        PairSettings(graph_width=4, negatives="hard")
