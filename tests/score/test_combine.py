"""Weights are what the validation pairs say, and nothing else is looked at."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from kgrel.baselines.baseline import train_baseline
from kgrel.baselines.cooccurrence import Cooccurrence
from kgrel.baselines.degree import Degree
from kgrel.baselines.settings import CooccurrenceSettings, DegreeSettings
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.metrics.classification import average_precision, best
from kgrel.score.combine import combine_pairs, fit_combination
from kgrel.score.combined import Combined
from kgrel.score.settings import CombineSettings
from kgrel.text.corpus import Corpus
from kgrel.train.pair_artifact import PairArtifact, Scale
from kgrel.train.pair_data import Part, Rows
from kgrel.train.pair_model import PairModel

LOOSE = CombineSettings(strengths=(100.0,))
TRUTH = (2.0, 1.0)
"""How much the logit of a label rises with the score of either member."""


@dataclass(kw_only=True)
class Told(PairArtifact):
    """Scores that stand in a table (entities, entities, C)."""

    name: str
    table: np.ndarray
    kind: Scale = "logit"

    @property
    def scale(self) -> Scale:
        return self.kind

    @property
    def title(self) -> str:
        return self.name

    def predict(self, heads: Rows, tails: Rows) -> tuple[np.ndarray, np.ndarray]:
        scores = self.table[heads, tails]
        return scores, np.zeros_like(scores)

    def quick(self, heads: Rows, tails: Rows) -> np.ndarray:
        return best(self.predict(heads, tails)[0], self.possible(heads, tails))[1]


def symmetric(rng: np.random.Generator, model: PairArtifact) -> np.ndarray:
    table = rng.normal(size=(len(model.entities), len(model.entities), len(model.classes)))
    return (table + table.swapaxes(0, 1)) / np.sqrt(2)


@pytest.fixture
def members(pair_model: PairModel) -> list[Told]:
    """Two that know different things of labels which were drawn from both, on many pairs that validate."""
    rng = np.random.default_rng(0)
    size = len(pair_model.entities)
    heads, tails = np.triu_indices(size, 1)
    tables = [symmetric(rng, pair_model) for _ in TRUTH]
    base = pair_model.data
    possible = base.classes.possible(base.type_rows, heads, tails)
    kept = possible.any(axis=1)
    heads, tails, possible = heads[kept], tails[kept], possible[kept]
    logits = sum(weight * table[heads, tails] for weight, table in zip(TRUTH, tables, strict=True)) - 2.0
    labels = (rng.random(possible.shape) < expit(logits)) & possible
    parts = rng.choice(np.array([0, 1, 1, 1, 2], np.int8), len(heads))
    data = dataclasses.replace(
        base, heads=heads, tails=tails, labels=labels, parts=parts, contexts=np.ones(len(heads), np.int64)
    )
    shared = {field.name: getattr(pair_model, field.name) for field in dataclasses.fields(PairArtifact)}
    return [
        Told(**shared | {"data": data, "artifact": None}, name=name, table=table)
        for name, table in zip("ab", tables, strict=True)
    ]


def precision(model: PairArtifact) -> float:
    rows = model.data.rows(Part.TEST)
    scores, _ = model.predict(model.data.heads[rows], model.data.tails[rows])
    found = average_precision(model.data.positive[rows], best(scores, model.data.possible(rows))[1])
    assert found is not None
    return found


def test_what_two_members_know_is_added_up_by_what_each_is_worth(members: list[Told]) -> None:
    combined, summary = fit_combination(members, LOOSE)
    for name, truth in zip("ab", TRUTH, strict=True):
        weights = [of[name]["both_labelled"] for of in summary["weights"].values()]
        assert np.mean(weights) == pytest.approx(truth, abs=0.25)
    assert precision(combined) > max(map(precision, members)) + 0.02
    assert summary["validation_average_precision"] == pytest.approx(precision(combined), abs=0.06)
    assert set(summary["members_validation_average_precision"]) == {"a", "b"}
    assert combined.title == "a + b"
    assert fit_combination(members, dataclasses.replace(LOOSE, title="both"))[0].title == "both"


def test_its_scores_are_the_shares_that_are_listed(members: list[Told]) -> None:
    combined, _ = fit_combination(members, LOOSE)
    rows = members[0].data.rows(Part.TEST)
    scores, _ = combined.predict(combined.data.heads[rows], combined.data.tails[rows])
    possible = combined.data.possible(rows)
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert not scores[~possible].any()
    assert scores[possible].mean() == pytest.approx(combined.data.labels[rows][possible].mean(), abs=0.03)


def test_training_and_test_pairs_are_not_looked_at(members: list[Told]) -> None:
    before, told = fit_combination(members, LOOSE)
    data = members[0].data
    others = np.flatnonzero(data.parts != Part.VALIDATION)
    for first, second in ((data.heads, data.tails), (data.tails, data.heads)):
        members[0].table[first[others], second[others]] = 99.0
    labels = data.labels.copy()
    test = data.rows(Part.TEST)
    labels[test] = ~labels[test]
    changed = [dataclasses.replace(one, data=dataclasses.replace(data, labels=labels)) for one in members]
    after, told_then = fit_combination(changed, LOOSE)
    for one, other in zip(before.lines, after.lines, strict=True):
        assert np.array_equal(one.weights, other.weights)
    assert np.array_equal(before.thresholds, after.thresholds)
    assert told["validation_average_precision"] == told_then["validation_average_precision"]


def test_the_precision_that_is_told_is_of_pairs_that_the_weights_have_not_seen(members: list[Told]) -> None:
    """With many members that know nothing, weights fit the noise of the pairs they come from, and of no others."""
    rng = np.random.default_rng(1)
    data = members[0].data
    few = np.where(data.parts == Part.VALIDATION, np.where(rng.random(len(data)) < 0.05, 1, 0), data.parts)
    shuffled = dataclasses.replace(data, parts=few.astype(np.int8))
    noise = [dataclasses.replace(members[0], data=shuffled, name=str(k), table=symmetric(rng, members[0]))
             for k in range(12)]  # fmt: skip
    combined, summary = fit_combination(noise, LOOSE)
    rows = shuffled.rows(Part.VALIDATION)
    scores, _ = combined.predict(shuffled.heads[rows], shuffled.tails[rows])
    own = average_precision(shuffled.positive[rows], best(scores, shuffled.possible(rows))[1])
    assert own is not None
    assert summary["validation_average_precision"] < own - 0.05


def test_the_strength_is_the_best_on_pairs_that_its_weights_have_not_seen(members: list[Told]) -> None:
    strengths = (1e-4, 1.0, 100.0)
    alone = {
        one: fit_combination(members, CombineSettings(strengths=(one,)))[1]["validation_average_precision"]
        for one in strengths
    }
    combined, summary = fit_combination(members, CombineSettings(strengths=strengths))
    assert alone[summary["strength"]] == max(alone.values()) == summary["validation_average_precision"]
    chosen, _ = fit_combination(members, CombineSettings(strengths=(summary["strength"],)))
    for one, other in zip(combined.lines, chosen.lines, strict=True):
        assert np.array_equal(one.weights, other.weights)


def test_members_of_one_name_are_told_apart(members: list[Told]) -> None:
    twins = [members[0], members[1], dataclasses.replace(members[1], name="a")]
    _, summary = fit_combination(twins, LOOSE)
    assert list(summary["members_validation_average_precision"]) == ["a (1)", "b", "a (2)"]
    assert all(list(weights) == ["a (1)", "b", "a (2)"] for weights in summary["weights"].values())


def test_each_fold_leaves_listed_pairs_to_learn_from(members: list[Told]) -> None:
    data = members[0].data
    rows = data.rows(Part.VALIDATION, positive=True)
    parts = data.parts.copy()
    parts[rows[2:]] = Part.TRAINING  # two listed pairs, two folds
    rare = [dataclasses.replace(one, data=dataclasses.replace(data, parts=parts)) for one in members]
    for seed in range(8):
        settings = dataclasses.replace(rare[0].settings, seed=seed)
        seeded = [dataclasses.replace(one, settings=settings) for one in rare]
        assert fit_combination(seeded, CombineSettings(folds=2))[1]["validation_average_precision"] > 0


def test_a_class_that_no_validation_pair_can_have_leans_on_the_others(members: list[Told]) -> None:
    data = members[0].data
    parts = np.where(data.classes.possible(data.type_rows, data.heads, data.tails)[:, 0], Part.TEST, data.parts)
    without = [dataclasses.replace(one, data=dataclasses.replace(data, parts=parts)) for one in members]
    combined, _ = fit_combination(without, LOOSE)
    assert combined.lines[0].weights[:2] == pytest.approx(TRUTH, abs=0.5)


def test_a_member_that_never_moves_on_validation_pairs_weighs_nothing(members: list[Told]) -> None:
    """Such as co-mentions, learned where no pair has any: what one says of other pairs was never put to the test."""
    still = dataclasses.replace(members[0], name="still", table=np.full_like(members[0].table, -13.8))
    combined, _ = fit_combination([*members, still], LOOSE)
    heads, tails = members[0].data.heads, members[0].data.tails
    for line in combined.lines:
        assert line.weights[2] == line.weights[5] == 0
    before = combined.predict(heads, tails)[0]
    still.table[:] = 5.0
    assert np.array_equal(combined.predict(heads, tails)[0], before)


def test_counts_that_validation_pairs_hardly_have_keep_their_order(members: list[Told]) -> None:
    data = members[0].data
    counts = np.where(members[0].table > 0, 1.0, 0.0)
    counted = dataclasses.replace(members[1], name="counted", table=counts, kind="count")
    combined, _ = fit_combination([members[0], counted], LOOSE)
    row, found = data.rows(Part.TEST)[:1], []
    for value in (1.0, 5.0, 40.0):
        counts[:] = value
        found.append(combined.predict(data.heads[row], data.tails[row])[0].max())
    assert len(set(found)) == 3
    assert found in (sorted(found), sorted(found, reverse=True))


def test_what_cannot_be_weighed_is_refused(members: list[Told]) -> None:
    data = members[0].data
    unlisted = dataclasses.replace(data, labels=np.zeros_like(data.labels))
    with pytest.raises(KgrelError, match=r"0 of .* validation pairs are listed"):
        fit_combination([dataclasses.replace(one, data=unlisted) for one in members], LOOSE)
    rows = data.rows(Part.VALIDATION)
    members[1].table[data.heads[rows[0]], data.tails[rows[0]]] = np.nan
    with pytest.raises(NonFiniteError, match="b: a score is not finite"):
        fit_combination(members, LOOSE)
    for wrong in ({"strengths": (0.0,)}, {"strengths": ()}, {"folds": 1}):
        with pytest.raises(KgrelError, match=next(iter(wrong))):
            CombineSettings(**wrong)  # type: ignore[arg-type]


def test_members_are_of_one_split_and_not_combined_themselves(
    corpus_path: Path, pairs_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    corpus, relations = Corpus.open(corpus_path), world_files["relations.tsv"]
    train_baseline(Degree, corpus, relations, tmp_path / "degree", DegreeSettings())
    train_baseline(Cooccurrence, corpus, relations, tmp_path / "other", CooccurrenceSettings(seed=1))
    with pytest.raises(KgrelError, match="give two or more"):
        combine_pairs([pairs_path], tmp_path / "out")
    with pytest.raises(KgrelError, match=r"other: its .* are not those of the first"):
        combine_pairs([pairs_path, tmp_path / "other"], tmp_path / "out")
    settings = CombineSettings(folds=2, per_class_thresholds=True)
    combine_pairs([pairs_path, tmp_path / "degree"], tmp_path / "out", settings)
    with pytest.raises(KgrelError, match="give its members instead"):
        combine_pairs([tmp_path / "out", tmp_path / "degree"], tmp_path / "twice")
    with pytest.raises(KgrelError, match="--overwrite"):
        combine_pairs([pairs_path, tmp_path / "degree"], tmp_path / "out", settings)
    assert not (tmp_path / "twice").exists()
    opened = Combined.open(tmp_path / "out")
    assert opened.settings == settings.of_split(PairModel.open(pairs_path).settings)
