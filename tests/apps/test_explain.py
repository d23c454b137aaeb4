"""One pair explained: every part that is given, and a word on every one that is not."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kgrel.apps.edge_paths import short_paths
from kgrel.apps.explain import explain, text_explanation, write_page
from kgrel.baselines.baseline import train_baseline
from kgrel.baselines.degree import Degree
from kgrel.baselines.settings import DegreeSettings
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.graph.build import import_graph
from kgrel.graph.settings import ImportSettings
from kgrel.model.representation import Representation
from kgrel.score.combine import combine_pairs
from kgrel.search.build import build_index
from kgrel.search.index import RelationIndex
from kgrel.search.settings import IndexSettings
from kgrel.search.sources import PairSource, pairs_of_corpus
from kgrel.text.corpus import Corpus

SMALL = IndexSettings(samples=2, recall_queries=0)


def test_every_part_is_told(
    pairs_path: Path, representation_path: Path, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    representation, corpus = Representation.open(representation_path), Corpus.open(corpus_path)
    source = pairs_of_corpus(corpus, representation.entities)
    build_index(representation, source, tmp_path / "index", SMALL, relations=world_files["relations.tsv"])
    row = int(corpus.pairs.counts.argmax())
    names = [corpus.entities.names[side[row]] for side in (corpus.pairs.heads, corpus.pairs.tails)]
    found = explain(
        pairs_path, *names, corpus=corpus, index=RelationIndex.open(tmp_path / "index"),
        graph=world_files["edges.sif"], representation=representation,
    )  # fmt: skip
    assert found["omitted"] == {}
    assert found["prediction"]["status"] == "ok"
    assert found["prediction"]["score_low"] <= found["prediction"]["score_high"]
    assert len(found["neighbours"]) == 5
    assert all(one["relation"] for one in found["neighbours"])
    assert found["sentences"]
    json.dumps(found, allow_nan=False)
    shown = text_explanation(found)
    assert found["sentences"][0]["sentence"] in shown
    write_page(found, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert names[0] in page
    first = found["sentences"][0]
    mentions = [html.escape(first["sentence"][slice(*first[side])]) for side in ("head", "tail")]
    assert all(f"<mark>{mention}</mark>" in page for mention in mentions)
    assert page.count("<mark>") == 2 * len(found["sentences"])


def test_what_is_not_given_is_said(pairs_path: Path, corpus_path: Path) -> None:
    entities = Corpus.open(corpus_path).entities
    first, second = (f"{entities.types[row]}::{entities.ids[row]}" for row in (0, len(entities) - 1))
    found = explain(pairs_path, first, second)
    assert set(found["omitted"]) == {"neighbours", "sentences", "paths", "modes"}
    assert "paths: no --graph was given" in text_explanation(found)
    with pytest.raises(KgrelError, match="same entity"):
        explain(pairs_path, first, first)
    with pytest.raises(KgrelError, match="no entity 'nobody'"):
        explain(pairs_path, first, "nobody")


def test_an_index_of_another_model_is_refused(pairs_path: Path, representation_path: Path, tmp_path: Path) -> None:
    representation = Representation.open(representation_path)
    build_index(representation, PairSource(np.array([0]), np.array([1]), {}), tmp_path / "index", SMALL)
    index = RelationIndex.open(tmp_path / "index")
    index.artifact.manifest.parents["representation"] = "0" * 64
    entities = representation.entities
    first, second = (f"{entities.types[row]}::{entities.ids[row]}" for row in (0, 1))
    with pytest.raises(ArtifactError, match="build an index of the same representation"):
        explain(pairs_path, first, second, index=index)


def test_a_representation_of_another_model_is_refused_unless_the_scorer_rests_on_none(
    pairs_path: Path, representation_path: Path, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    representation = Representation.open(representation_path)
    entities = representation.entities
    first, second = (f"{entities.types[row]}::{entities.ids[row]}" for row in (0, 1))
    build_index(representation, PairSource(np.array([0]), np.array([1]), {}), tmp_path / "index", SMALL)
    index = RelationIndex.open(tmp_path / "index")
    degree, combined = tmp_path / "degree", tmp_path / "combined"
    train_baseline(Degree, Corpus.open(corpus_path), world_files["relations.tsv"], degree, DegreeSettings())
    combine_pairs([degree, pairs_path], combined)
    assert "neighbours" in explain(combined, first, second, index=index)
    assert {"neighbours", "modes"} <= explain(degree, first, second, index=index, representation=representation).keys()
    assert representation.artifact is not None
    other = replace(representation, artifact=replace(representation.artifact, path=tmp_path / "other", hash="0" * 64))
    with pytest.raises(ArtifactError, match=r"other: is not the representation that .*pairs was trained on"):
        explain(pairs_path, first, second, representation=other)


def test_paths_are_short_and_leave_out_the_edge_itself(tmp_path: Path) -> None:
    entities = EntityTable(["GENE"] * 3, ["1", "2", "3"], ["A", "B", "C"], [[], [], []])
    edges = tmp_path / "edges.tsv"
    rows = ["Gene::1\tGiG\tGene::3", "Gene::3\tGiG\tGene::2", "Gene::3\tGcG\tGene::2", "Gene::1\tGpP\tPathway::9",
            "Pathway::9\tPpP\tPathway::8", "Gene::2\tGpP\tPathway::8", "Gene::1\tGiG\tGene::2"]  # fmt: skip
    edges.write_text("source\tmetaedge\ttarget\n" + "\n".join(rows) + "\n")
    assert short_paths(edges, entities, 0, 1, 5) == [
        "A –[GiG]– C –[GcG|GiG]– B",
        "A –[GpP]– 9 –[PpP]– 8 –[GpP]– B",
    ]
    assert short_paths(edges, entities, 0, 1, 1) == ["A –[GiG]– C –[GcG|GiG]– B"]


def test_the_paths_of_a_graph_name_its_own_nodes_too(tmp_path: Path) -> None:
    entities = EntityTable(["GENE"] * 2, ["1", "2"], ["A", "B"], [[], []])
    (tmp_path / "nodes.tsv").write_text(
        "id\tname\tkind\nGene::1\tA\tGene\nGene::2\tB\tGene\nPathway::9\tnine\tPathway\n"
    )
    (tmp_path / "edges.sif").write_text(
        "source\tmetaedge\ttarget\nGene::1\tGpPW\tPathway::9\nGene::2\tGpPW\tPathway::9\nGene::1\tGiG\tGene::2\n"
    )
    import_graph([tmp_path / "nodes.tsv", tmp_path / "edges.sif"], tmp_path / "graph", ImportSettings("hetionet"))
    assert short_paths(tmp_path / "graph", entities, 0, 1, 5) == ["A –[GpPW]– nine –[GpPW]– B"]
