"""Every baseline is a scorer: symmetric, finite, the same after saving, on the split of train-pairs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save

from kgrel.baselines.baseline import train_baseline
from kgrel.baselines.kge import OFFSETS, GraphEmbedding, PairScores
from kgrel.baselines.settings import (
    AttentionSettings,
    CooccurrenceSettings,
    DegreeSettings,
    KgeSettings,
    LabelOnlySettings,
    PathCountSettings,
)
from kgrel.data.artifact import SCORING, Kind
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.evaluate.pair_ranking import evaluate_ranking
from kgrel.evaluate.pairs import evaluate_pairs
from kgrel.evaluate.settings import EvaluationSettings, RankingSettings
from kgrel.evaluate.tables import ranking_text, text_table
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.score.opening import SCORERS, open_scorer, scorer_class
from kgrel.score.pair_scorer import PairScorer
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
from kgrel.train.run import Run, State
from tests.data.test_damaged_artifacts import forge
from tests.train.regression import Crash

SETTINGS: dict[str, tuple[Kind, Any]] = {
    "any": (Kind.COOCCURRENCE, CooccurrenceSettings(measure="any")),
    "count": (Kind.COOCCURRENCE, CooccurrenceSettings()),
    "npmi": (Kind.COOCCURRENCE, CooccurrenceSettings(measure="npmi")),
    "product": (Kind.DEGREE, DegreeSettings()),
    "common-neighbours": (Kind.DEGREE, DegreeSettings(measure="common-neighbours")),
    "adamic-adar": (Kind.DEGREE, DegreeSettings(measure="adamic-adar")),
    "label-only": (Kind.LABEL_ONLY, LabelOnlySettings(batch_size=64, batch_negatives=48, steps=20, validate_every=10)),
    "kge": (Kind.KGE, KgeSettings(model="RotatE", dimensions=8, epochs=2, validate_epochs=1, search=False)),
    "path-counts": (Kind.PATH_COUNTS, PathCountSettings(strengths=(0.1, 1.0))),
    "attention": (
        Kind.ATTENTION,
        AttentionSettings(
            batch_size=16, batch_negatives=8, hidden=8, word_dimensions=8, max_sentences=4, steps=6, validate_every=3,
            checkpoint_every=2, validation_pairs=50, learning_rates=(1e-3, 1e-2),
        ),
    ),
}  # fmt: skip
FEW = EvaluationSettings(draws=20)


@pytest.fixture(scope="session")
def baselines(
    corpus_path: Path, world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """An artifact of each baseline."""
    out, corpus = tmp_path_factory.mktemp("baselines"), Corpus.open(corpus_path)
    import_graph([world_files["nodes.tsv"], world_files["edges.sif"]], out / "graph")
    graph = Graph.open(out / "graph")
    for name, (kind, settings) in SETTINGS.items():
        walked = graph if kind == Kind.PATH_COUNTS else None
        train_baseline(scorer_class(kind), corpus, world_files["relations.tsv"], out / name, settings, graph=walked)
    return {name: out / name for name in SETTINGS}


@pytest.fixture(params=SETTINGS)
def scorer(request: pytest.FixtureRequest, baselines: dict[str, Path]) -> Any:
    return open_scorer(baselines[request.param])


def some_pairs(scorer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that some class relates, in both orders, many of them never mentioned together."""
    rng = np.random.default_rng(0)
    heads, tails = rng.integers(0, len(scorer.entities), (2, 500))
    kept = (heads != tails) & scorer.possible(heads, tails).any(axis=1)
    heads, tails = np.r_[heads[kept], scorer.data.heads[:50]], np.r_[tails[kept], scorer.data.tails[:50]]
    return heads, tails


def test_scores_are_finite_and_do_not_depend_on_order_or_company(scorer: Any) -> None:
    heads, tails = some_pairs(scorer)
    scores, spread = scorer.predict(heads, tails)
    assert scores.shape == spread.shape == (len(heads), len(scorer.classes))
    assert np.isfinite(scores).all()
    assert not spread.any()
    np.testing.assert_allclose(scorer.predict(tails, heads)[0], scores, rtol=1e-5, atol=1e-6)
    some = slice(3, 10)
    np.testing.assert_allclose(scorer.predict(heads[some], tails[some])[0], scores[some], rtol=1e-5, atol=1e-6)
    possible = scorer.possible(heads, tails)
    assert np.array_equal(scorer.quick(heads, tails), np.where(possible, scores, -np.inf).max(axis=1))


def test_a_baseline_stands_on_the_split_of_the_classifier(scorer: Any, pair_model: PairModel) -> None:
    for name in ("heads", "tails", "parts", "labels", "contexts"):
        assert np.array_equal(getattr(scorer.data, name), getattr(pair_model.data, name)), name
    assert scorer.classes == pair_model.classes


def test_the_same_settings_give_the_same_bytes(
    baselines: dict[str, Path], corpus_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    for name in ("npmi", "label-only", "kge", "attention"):
        kind, settings = SETTINGS[name]
        corpus = Corpus.open(corpus_path)
        again = train_baseline(scorer_class(kind), corpus, world_files["relations.tsv"], tmp_path / name, settings)
        opened: Any = open_scorer(baselines[name])
        assert again.manifest == opened.artifact.manifest
        assert not [path for path in (tmp_path / name).iterdir() if path.is_dir()]
        heads, tails = some_pairs(opened)
        assert np.array_equal(opened.predict(heads, tails)[0], open_scorer(tmp_path / name).predict(heads, tails)[0])


@pytest.mark.parametrize("name", ["kge", "attention"])
def test_a_killed_training_goes_on_where_it_was(
    name: str, baselines: dict[str, Path], corpus_path: Path, world_files: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    kind, settings = SETTINGS[name]
    given = scorer_class(kind), Corpus.open(corpus_path), world_files["relations.tsv"], tmp_path / "cut", settings
    save, restore, steps = Run.save, Run.restore, list[int]()

    def save_and_die(run: Run, *state: Any) -> None:
        save(run, *state)
        raise Crash

    def told(run: Run, *state: Any) -> State:
        found = restore(run, *state)
        steps.append(found.step)
        return found

    monkeypatch.setattr(Run, "save", save_and_die)
    with pytest.raises(Crash):
        train_baseline(*given)
    monkeypatch.setattr(Run, "save", save)
    monkeypatch.setattr(Run, "restore", told)
    train_baseline(*given)
    assert steps[0] > 0
    for path in baselines[name].glob("*.safetensors"):
        assert (tmp_path / "cut" / path.name).read_bytes() == path.read_bytes()


def test_a_list_is_scored_with_every_baseline(baselines: dict[str, Path], world_files: dict[str, Path]) -> None:
    candidates = pd.read_csv(world_files["candidates.csv"], dtype=str).head(40)
    for name, path in baselines.items():
        scored = PairScorer.load(path).score(candidates)
        ok = scored.status == "ok"
        assert ok.any(), name
        assert scored.score[ok].notna().all()
        assert scored.probability.isna().all()


def test_thresholds_are_tuned_and_figures_stand_side_by_side(baselines: dict[str, Path], pair_model: PairModel) -> None:
    others: list[Any] = [open_scorer(path) for path in baselines.values()]
    report = evaluate_pairs(pair_model, FEW, beside=others)
    titles = [other.title for other in others]
    assert len(set(titles)) == len(titles)
    assert list(report["all"]["methods"]) == ["kgrel", *titles]
    assert all(title in text_table(report) for title in titles)
    for other in others:
        thresholds = list(report["all"]["methods"][other.title]["thresholds"].values())
        assert thresholds == pytest.approx(other.thresholds.tolist())
    alone = evaluate_pairs(others[0], EvaluationSettings(draws=20, baselines=False))
    assert alone["model"] == titles[0]
    assert "calibration" not in alone


def test_artifacts_of_another_split_or_of_one_name_are_not_compared(
    baselines: dict[str, Path], pair_model: PairModel, corpus_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    count: Any = open_scorer(baselines["count"])
    with pytest.raises(KgrelError, match="two artifacts of 'log co-mention count'"):
        evaluate_pairs(pair_model, FEW, beside=[count, count])
    settings = CooccurrenceSettings(seed=1)
    cls, relations = scorer_class(Kind.COOCCURRENCE), world_files["relations.tsv"]
    train_baseline(cls, Corpus.open(corpus_path), relations, tmp_path / "other", settings)
    other: Any = open_scorer(tmp_path / "other")
    with pytest.raises(KgrelError, match="its parts are not those of the first artifact"):
        evaluate_pairs(pair_model, FEW, beside=[other])


def test_every_kind_that_scores_is_in_the_table_and_others_are_refused(
    corpus_path: Path, baselines: dict[str, Path]
) -> None:
    assert {kind for kind, _ in SETTINGS.values()} | {Kind.PAIRS, Kind.COMBINED} == SCORERS.keys() == set(SCORING)
    with pytest.raises(ArtifactError, match="holds a corpus artifact, but a pairs artifact or a baseline is needed"):
        open_scorer(corpus_path)
    with pytest.raises(ArtifactError, match="holds a kge artifact, but a degree artifact is needed"):
        scorer_class(Kind.DEGREE).open(baselines["kge"])  # type: ignore[attr-defined]


def test_a_graph_embedding_keeps_the_normalisers_of_its_questions(baselines: dict[str, Path], tmp_path: Path) -> None:
    opened = GraphEmbedding.open(baselines["kge"])
    assert opened.pair_scores is not None
    again = PairScores(opened.pair_scores.ranker, opened.data)
    assert np.array_equal(opened.pair_scores.offsets, again.offsets)
    other = shutil.copytree(baselines["kge"], tmp_path / "other")
    forge(other, OFFSETS, save({"offsets": torch.zeros(2, 1, 3, dtype=torch.float64)}))
    with pytest.raises(ArtifactError, match="does not fit the pairs"):
        GraphEmbedding.open(other)


def test_co_occurrence_measures_are_those_of_a_plain_count(baselines: dict[str, Path]) -> None:
    model: Any = open_scorer(baselines["npmi"])
    heads, tails, counts = model.comentions
    total = counts.sum()

    def share(entity: int) -> float:
        return float(counts[(heads == entity) | (tails == entity)].sum() / total)

    rows = np.arange(0, len(heads), 7)
    expected = [
        np.log(counts[row] / total / (share(heads[row]) * share(tails[row]))) / -np.log(counts[row] / total)
        for row in rows
    ]
    np.testing.assert_allclose(model.scores(heads[rows], tails[rows])[:, 0], expected, rtol=1e-9)
    apart = np.flatnonzero(model.contexts(*some_pairs(model)) == 0)
    assert (model.scores(*(side[apart] for side in some_pairs(model))) == -1).all()
    for name, function in {"any": np.sign, "count": np.log1p}.items():
        other = open_scorer(baselines[name])
        np.testing.assert_allclose(other.predict(heads, tails)[0][:, 0], function(counts.astype(float)))


def test_neighbours_are_those_of_plain_sets(baselines: dict[str, Path]) -> None:
    common: Any = open_scorer(baselines["common-neighbours"])
    weighted: Any = open_scorer(baselines["adamic-adar"])
    neighbours: dict[int, set[int]] = {}
    rows = common.data.rows(Part.TRAINING, positive=True)
    for head, tail in zip(common.data.heads[rows].tolist(), common.data.tails[rows].tolist(), strict=True):
        neighbours.setdefault(head, set()).add(tail)
        neighbours.setdefault(tail, set()).add(head)
    heads, tails = np.triu_indices(len(common.entities), 1)
    shared = [
        neighbours.get(head, set()) & neighbours.get(tail, set())
        for head, tail in zip(heads.tolist(), tails.tolist(), strict=True)
    ]
    assert max(map(len, shared)) > 1
    assert common.scores(heads, tails)[:, 0].tolist() == [len(both) for both in shared]
    expected = [sum(1 / np.log(len(neighbours[entity])) for entity in both) for both in shared]
    np.testing.assert_allclose(weighted.scores(heads, tails)[:, 1], expected, rtol=1e-9)


def test_rankings_of_listed_pairs(baselines: dict[str, Path]) -> None:
    """Who knows the list ranks every answer first, since other listed answers do not count; a constant is chance."""
    model: Any = open_scorer(baselines["product"])
    own = evaluate_ranking(model)
    assert own["mrr_interval"][0] < own["realistic"]["mrr"] < own["mrr_interval"][1]
    for group in own["by_relation"].values():
        if group["questions"] == 2:  # of one pair
            assert group["mrr_interval"] is None
        else:
            assert group["mrr_interval"][0] <= group["realistic"]["mrr"] <= group["mrr_interval"][1]

    def oracle(heads: np.ndarray, tails: np.ndarray) -> np.ndarray:
        listed = [set((known or "").split("|")) for known in model.known(heads, tails)]
        return np.array([[float(name in names) for name in model.classes] for names in listed])

    model.scores = oracle
    report = evaluate_ranking(model)
    rows = model.data.rows(Part.TEST, positive=True)
    assert report["questions"] == 2 * model.data.labels[rows].sum() == 2 * sum(report["edges"].values())
    assert {report[kind]["mrr"] for kind in ("optimistic", "realistic", "pessimistic")} == {1.0}
    assert report["mrr_interval"] == [1.0, 1.0]
    model.scores = lambda heads, tails: np.zeros((len(heads), len(model.classes)))
    constant = evaluate_ranking(model, RankingSettings(edges=5))
    assert constant["questions"] == 10
    assert constant["optimistic"]["mrr"] == 1
    assert constant["realistic"]["adjusted_mean_rank"] == pytest.approx(1)
    assert "pessimistic" in ranking_text(constant)
