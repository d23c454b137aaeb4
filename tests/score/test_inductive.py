"""Scores of entities that no context names: their own status, a wider spread, no probability; others as ever."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from kgrel.data.errors import KgrelError
from kgrel.export.dispatch import Inputs, export_scored
from kgrel.export.settings import ExportSettings
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.metrics.calibration import Platt
from kgrel.score.inductive import InductiveScorer
from kgrel.score.pair_scorer import PairScorer
from kgrel.train.calibration import CO_MENTIONED, NEVER, Calibration
from kgrel.train.graph_settings import InductiveSettings
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import with_no_relation
from kgrel.train.train_inductive import read_embeddings, train_inductive
from tests.cli.conftest import kgrel  # noqa: F401

UNHEARD = "Gene::999999"


@pytest.fixture(scope="module")
def inductive_path(world_files: dict[str, Path], pairs_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("inductive")
    edges = world_files["edges.sif"].read_text()
    twin = next(line.split("\t")[2] for line in edges.splitlines() if "\tDaG\t" in line)
    lines = [line.replace(twin, UNHEARD) for line in edges.splitlines() if twin in line.split("\t")]
    (place / "nodes.tsv").write_text(world_files["nodes.tsv"].read_text() + f"{UNHEARD}\tunheard of\tGene\n")
    (place / "edges.sif").write_text(edges + "\n".join(lines) + "\n")
    import_graph([place / "nodes.tsv", place / "edges.sif"], place / "graph")
    settings = InductiveSettings(width=8, batch_size=32, steps=6, validate_every=3, draws=3)
    train_inductive(read_embeddings(pairs_path), Graph.open(place / "graph"), place / "inductive", settings)
    return place / "inductive"


@pytest.fixture(scope="module")
def pairs(pair_model: PairModel) -> pd.DataFrame:
    """Known, unheard of and unknown entities in turn, one pair twice, in both orders."""
    table, data = pair_model.entities, pair_model.data
    rows = np.flatnonzero(data.possible(np.arange(len(data))).any(axis=1))[:6]
    names = [f"{type_}::{id_}" for type_, id_ in zip(table.types, table.ids, strict=True)]
    known = [(names[data.heads[row]], names[data.tails[row]]) for row in rows]
    disease = next(name for name in names if name.startswith("DISEASE"))
    lines = [known[0], (UNHEARD, disease), known[1], ("Gene::nobody", disease), (disease, UNHEARD), (UNHEARD, disease)]
    return pd.DataFrame([*lines, *known[2:], (UNHEARD, UNHEARD)], columns=["source", "target"])


def test_rows_keep_their_order_and_only_those_of_the_unheard_change(
    pairs: pd.DataFrame, pairs_path: Path, inductive_path: Path
) -> None:
    plain = PairScorer.load(pairs_path).score(pairs, uncertainty=True)
    scored = PairScorer.load(pairs_path, inductive=inductive_path).score(pairs, uncertainty=True)
    far = np.array([UNHEARD in pair for pair in pairs.itertuples(index=False)])
    pd.testing.assert_frame_equal(scored[~far], plain[~far])
    assert set(plain.status[far]) == {"unknown_source", "unknown_target", "unknown_both"}
    assert scored.status[far].tolist() == ["inductive"] * 3 + ["self_pair"]
    assert scored.status[3] == "unknown_source"
    of = scored[scored.status == "inductive"]
    assert of.score.nunique() == 1  # whatever order and company
    assert of.score.between(of.score_low, of.score_high).all()
    assert of.probability.isna().all()
    assert (of.seen_in_text == 0).all()
    assert of.known_relation.isna().all()


def test_the_spread_holds_that_of_the_displacements(pairs_path: Path, inductive_path: Path) -> None:
    """σ² = mean of σ_k² over the displacements + variance of their means, which is 0 where there is no error."""
    scorer = InductiveScorer.load(pairs_path, inductive_path)
    unheard = len(scorer.entities) - 1
    assert scorer.entities.ids[unheard] == "999999"
    others = np.flatnonzero(np.array(scorer.pairs.entities.types) == "DISEASE")[:20]
    heads = np.full(len(others), unheard)
    mean, std = scorer.predict(heads, others)
    possible = with_no_relation(scorer.possible(heads, others))
    draws = [member(heads, others, possible) for member in scorer._predictive]
    means, stds = (np.stack(part)[..., 1:] for part in zip(*draws, strict=True))
    np.testing.assert_allclose(mean, means.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(std**2, (stds**2).mean(axis=0) + means.var(axis=0), rtol=1e-6, atol=1e-12)
    spread = scorer.predict_with_uncertainty(heads, others).member_std
    assert (spread[possible[:, 1:]] > 1e-3).all()
    sure = replace(scorer, inductive=replace(scorer.inductive, errors=torch.zeros_like(scorer.inductive.errors)))
    assert not sure.predict_with_uncertainty(heads, others).member_std.any()


def test_a_calibration_does_not_cover_them(pairs: pd.DataFrame, pairs_path: Path, inductive_path: Path) -> None:
    scorer = InductiveScorer.load(pairs_path, inductive_path)
    strata = {stratum: {name: Platt(1.0, 0.0) for name in scorer.classes} for stratum in (CO_MENTIONED, NEVER)}
    calibration = Calibration(scorer.pairs.sampling, strata, dict.fromkeys(scorer.classes, 0.1))
    calibrated = replace(scorer, pairs=replace(scorer.pairs, calibration=calibration))
    scored = PairScorer(calibrated).score(pairs)
    assert scored[scored.status == "inductive"].probability.isna().all()
    pd.testing.assert_frame_equal(
        scored[scored.status == "ok"], PairScorer(calibrated.pairs).score(pairs)[scored.status == "ok"]
    )


def test_the_command_line_counts_them(
    kgrel: Any,  # noqa: F811
    pairs: pd.DataFrame,
    pairs_path: Path,
    inductive_path: Path,
    tmp_path: Path,
) -> None:
    pairs.to_csv(tmp_path / "pairs.csv", index=False)
    summary = kgrel(
        "score-pairs", pairs_path, tmp_path / "pairs.csv", "--inductive", inductive_path,
        "--on-unknown", "skip", "--out", tmp_path / "scored.csv", "--json",
    ).json  # fmt: skip
    assert summary["status"]["inductive"] == summary["probability"]["inductive"] == 3
    assert summary["rows_out"] == summary["status"]["ok"] + 3
    assert pd.read_csv(tmp_path / "scored.csv").status.value_counts()["inductive"] == 3
    for further in (["--engine", "ray"], ["--ensemble", pairs_path]):
        refused = kgrel(
            "score-pairs", pairs_path, tmp_path / "pairs.csv", "--inductive", inductive_path, *further,
            "--out", tmp_path / "not.csv",
        )  # fmt: skip
        assert refused.code in (1, 2)
        assert "--inductive" in refused.err


def test_other_embeddings_are_refused(pairs_path: Path, inductive_path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "inductive"
    damaged.mkdir()
    for file in inductive_path.iterdir():
        (damaged / file.name).write_bytes(file.read_bytes())
    scorer = InductiveScorer.load(pairs_path, inductive_path)
    described = json.loads((damaged / "inductive.json").read_text())
    assert described["trained_on"] == scorer.inductive.trained_on
    with pytest.raises(KgrelError, match="imitate other embeddings"):
        scorer.inductive.require(scorer.pairs.prior.entity_embedding.weight * 2, pairs_path)
    with pytest.raises(KgrelError, match="leave out --inductive or --ensemble"):
        PairScorer.load(pairs_path, [pairs_path], inductive_path)


def test_predictions_become_edges_where_the_graph_names_their_nodes(
    pairs: pd.DataFrame, pairs_path: Path, inductive_path: Path, tmp_path: Path
) -> None:
    scored = PairScorer.load(pairs_path, inductive=inductive_path).score(pairs)
    scored.to_csv(tmp_path / "scored.csv", index=False)
    settings = ExportSettings("infores:lab", threshold=0.0)
    inputs = Inputs(tmp_path / "scored.csv", pairs_path)
    with pytest.raises(KgrelError, match="as --graph the GRAPH that its entities were predicted from"):
        export_scored("kgx", inputs, tmp_path / "out", settings)
    inputs = replace(inputs, graph=inductive_path.with_name("graph"))
    counts = export_scored("kgx", inputs, tmp_path / "out", settings)
    assert counts["unscored"] == (~scored["status"].isin(["ok", "inductive"])).sum() > 0
    unheard = f"NCBIGene:{UNHEARD.partition('::')[2]}"
    edges = [json.loads(line) for line in (tmp_path / "out" / "edges.jsonl").read_text().splitlines()]
    assert len(edges) == counts["edges"] > sum(unheard in (edge["subject"], edge["object"]) for edge in edges) > 0


def test_other_nodes_of_the_graph_disturb_no_row(
    pairs: pd.DataFrame, pairs_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    """Bare identifiers of the model's entities stay clear; nodes with one CURIE matter only where they are named."""
    known = pairs.iloc[[0, 2]].apply(lambda side: side.str.partition("::")[2])
    scored = PairScorer.load(pairs_path).score(known)
    assert set(scored["status"]) == {"ok"}
    scored.to_csv(tmp_path / "scored.csv", index=False)
    kind, _, namesake = pairs.iloc[0]["source"].partition("::")
    other = "Gene" if kind != "GENE" else "Compound"
    more = f"{namesake}\tnamesake\t{other}\nUMLS:C1\tone\tCompound\nUMLS:C1\tother\tDisease\n"
    (tmp_path / "nodes.tsv").write_text(world_files["nodes.tsv"].read_text() + more)
    import_graph([tmp_path / "nodes.tsv", world_files["edges.sif"]], tmp_path / "graph")
    inputs = Inputs(tmp_path / "scored.csv", pairs_path, graph=tmp_path / "graph")
    counts = export_scored("kgx", inputs, tmp_path / "out", ExportSettings("infores:lab", threshold=0.0))
    assert counts["edges"] == 2
