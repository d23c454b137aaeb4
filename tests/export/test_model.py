"""What an export knows of a model without loading its weights is what the model itself says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kgrel.baselines.baseline import train_baseline
from kgrel.baselines.degree import Degree
from kgrel.baselines.settings import DegreeSettings
from kgrel.export import model as model_module
from kgrel.export import row_parser
from kgrel.export.dispatch import Inputs, export_scored
from kgrel.export.settings import ExportSettings
from kgrel.score import scorer
from kgrel.score.combine import combine_pairs
from kgrel.text.corpus import Corpus
from kgrel.train import pair_artifact
from tests.export.read_back import read_jsonl


def test_the_names_of_the_files_of_pairs_are_those_of_the_model() -> None:
    assert (model_module.ENTITIES, model_module.MODEL) == (pair_artifact.ENTITIES, pair_artifact.MODEL)
    assert row_parser.NO_RELATION == scorer.NO_RELATION


def test_edges_say_what_kind_of_number_their_score_is_where_the_model_is_known(
    scored_pairs: Path, pairs_path: Path, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    degree, combined = tmp_path / "degree", tmp_path / "combined"
    train_baseline(Degree, Corpus.open(corpus_path), world_files["relations.tsv"], degree, DegreeSettings())
    combine_pairs([pairs_path, degree], combined)
    kinds = {pairs_path: "posterior_predictive_mean", degree: "degree_score", combined: "combined_probability"}
    settings = ExportSettings("infores:lab", threshold=0.0)
    for number, (path, kind) in enumerate(kinds.items()):
        export_scored("kgx", Inputs(scored_pairs, path), tmp_path / f"out-{number}", settings)
        assert {edge["kgrel_score_kind"] for edge in read_jsonl(tmp_path / f"out-{number}")[1].values()} == {kind}
    lines = world_files["nodes.tsv"].read_text().splitlines(keepends=True)
    (tmp_path / "nodes.tsv").write_text("".join(line for line in lines if "pathway" not in line.lower()))
    inputs = Inputs(scored_pairs, nodes=tmp_path / "nodes.tsv")
    export_scored("kgx", inputs, tmp_path / "out", replace(settings, model_version="1"))
    _, edges = read_jsonl(tmp_path / "out")
    assert edges
    assert not any("kgrel_score_kind" in edge for edge in edges.values())
