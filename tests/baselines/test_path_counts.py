"""Path counts as a baseline: no held-out edge is seen, and what is planted is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.baselines.baseline import train_baseline
from kgrel.baselines.path_counts import PathCountScorer
from kgrel.baselines.settings import PathCountSettings
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.graph.removal import edges_between, without_pairs
from kgrel.metrics.classification import average_precision, best
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Part, rows_in
from tests.cli.conftest import kgrel  # noqa: F401
from tests.graph.conftest import graph_of

Files = dict[str, Path]
SETTINGS = PathCountSettings(strengths=(0.1,))


@pytest.fixture(scope="module")
def graph(world_files: Files, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    out = tmp_path_factory.mktemp("walked") / "graph"
    import_graph([world_files["nodes.tsv"], world_files["edges.sif"]], out)
    return Graph.open(out)


@pytest.fixture(scope="module")
def trained(
    graph: Graph, corpus_path: Path, world_files: Files, tmp_path_factory: pytest.TempPathFactory
) -> PathCountScorer:
    out = tmp_path_factory.mktemp("path-counts") / "path-counts"
    train_baseline(PathCountScorer, Corpus.open(corpus_path), world_files["relations.tsv"], out, SETTINGS, graph=graph)
    return PathCountScorer.open(out)


def test_no_edge_between_held_out_pairs_is_seen(
    trained: PathCountScorer, graph: Graph, corpus_path: Path, world_files: Files, tmp_path: Path
) -> None:
    rows, held = rows_in(graph.entities, trained.entities), trained.data.parts != Part.TRAINING
    ends = rows[trained.data.heads[held]], rows[trained.data.tails[held]]
    report = trained.artifact.manifest.summary["held_out"]
    assert report["edges"] == edges_between(graph, *ends).sum() > 0 == report["edges_left"]
    assert not edges_between(trained.graph, *ends).any()
    removed = without_pairs(graph, *ends)
    again = train_baseline(
        PathCountScorer, Corpus.open(corpus_path), world_files["relations.tsv"], tmp_path / "b", SETTINGS, graph=removed
    )
    assert again.manifest.files["model.json"] == trained.artifact.manifest.files["model.json"]


def test_it_tells_listed_from_other_held_out_pairs(trained: PathCountScorer) -> None:
    rows = trained.data.rows(Part.TEST)
    scores = best(trained.scores(trained.data.heads[rows], trained.data.tails[rows]), trained.data.possible(rows))[1]
    listed = trained.data.positive[rows]
    shuffled = average_precision(listed, np.random.default_rng(0).permutation(scores))
    assert average_precision(listed, scores) > 1.3 * shuffled


def test_without_a_graph_or_with_a_strange_one_it_says_so(
    corpus_path: Path, world_files: Files, tmp_path: Path
) -> None:
    strange = graph_of([("GENE:none", "GiG", "GENE:such")])
    for walked, message in ((None, "need a graph"), (strange, "no entity of the pairs is in the graph")):
        with pytest.raises(KgrelError, match=message):
            train_baseline(
                PathCountScorer, Corpus.open(corpus_path), world_files["relations.tsv"], tmp_path / "out", SETTINGS,
                graph=walked, overwrite=True,
            )  # fmt: skip


def test_damaged_weights_are_refused(trained: PathCountScorer) -> None:
    model = json.loads((trained.artifact.path / "model.json").read_text())
    del model["path_counts"][0]["scales"]
    with pytest.raises(ArtifactError, match=r"model.json is damaged"):
        trained.read_fitted(model)


def test_a_graph_without_text_is_counted_from_the_command_line(
    kgrel: Any,  # noqa: F811
    graph: Graph,
    tmp_path: Path,
) -> None:
    paths, out = tmp_path / "paths", tmp_path / "path-counts"
    kgrel("build-corpus", "--from-graph", graph.artifact.path, "--paths", 1, "--most-pairs", 100, "--out", paths)
    found = kgrel(
        "train-baseline", "path-counts", "--corpus", paths, "--relations", graph.artifact.path, "--labels", "types",
        "--graph", graph.artifact.path, "--longest", 2, "--strengths", 0.1, "--out", out, "--json",
    ).json  # fmt: skip
    assert found["held_out"]["edges_left"] == 0
    chosen = found["chosen"]["DISEASE-GENE"]
    assert chosen["types"] == ["DISEASE", "GENE"]
    assert all(name.count("(") == 1 for name in chosen["heaviest"])
