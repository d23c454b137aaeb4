"""Figures are scikit-learn's, thresholds come from validation alone, and the same seed gives the same report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_recall_fscore_support, roc_auc_score

from kgrel.baselines.counts import co_occurrence, degree_product, log_count
from kgrel.baselines.label_only import LabelOnlyTask, fit_label_only
from kgrel.baselines.settings import LabelOnlySettings
from kgrel.data.errors import KgrelError
from kgrel.evaluate import pairs as evaluate
from kgrel.evaluate.pair_ranking import evaluate_ranking
from kgrel.evaluate.pairs import evaluate_pairs, methods
from kgrel.evaluate.settings import LEAST_DRAWS, EvaluationSettings
from kgrel.evaluate.tables import TITLES, text_table
from kgrel.metrics.bootstrap import (
    CLASSIFIED,
    RANKED,
    classification_statistics,
    interval,
    paired_difference,
    ranking_statistics,
    scalars,
)
from kgrel.train.pair_data import PairData, Part
from kgrel.train.pair_model import PairModel
from kgrel.train.settings import BatchSettings

MODEL = "kgrel"
"""What a frozen classifier is called."""
METHODS = [
    MODEL, "co-occurrence", "log co-mention count", "label-degree product", "label-only embeddings",
]  # fmt: skip
COUNTS = ("pairs", "listed", "base_rate")
FAST = EvaluationSettings(draws=LEAST_DRAWS)


@pytest.fixture(scope="module", autouse=True)
def short_baseline() -> Iterator[None]:
    """Train the label-only baseline for a few steps only."""

    def fit(data: PairData, settings: BatchSettings) -> tuple[LabelOnlyTask, dict[str, float]]:
        return fit_label_only(data, settings, LabelOnlySettings(steps=10, validate_every=5))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "fit_label_only", fit)
        yield


def covered(data: PairData, row: int) -> bool:
    """Both entities have a training label of one and the same class that is possible for the pair, by loops."""

    def classes_of(entity: int) -> set[int]:
        rows = [r for r in data.rows(Part.TRAINING) if entity in (data.heads[r], data.tails[r])]
        return {int(class_) for r in rows for class_ in np.flatnonzero(data.labels[r])}

    possible = set(np.flatnonzero(data.possible(np.array([row]))[0]).tolist())
    return bool(classes_of(data.heads[row]) & classes_of(data.tails[row]) & possible)


def best_of(scores: np.ndarray, possible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    masked = np.where(possible, scores, -np.inf)
    return masked.argmax(axis=1), masked.max(axis=1)


def predicted_indicator(classes: np.ndarray, values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    found = np.zeros((len(classes), len(limits)), dtype=bool)
    found[np.arange(len(classes)), classes] = values > limits[classes]
    return found


def rows_of(data: PairData, part: Part, setting: str) -> np.ndarray:
    rows = data.rows(part)
    return rows if setting == "all" else np.array([row for row in rows if covered(data, row)])


@pytest.fixture(scope="module")
def report(given: Any, short_baseline: None) -> dict[str, Any]:
    return evaluate_pairs(given, FAST)


def test_covered_pairs_are_a_part_of_all_and_both_entities_are_labelled(given: Any, report: dict[str, Any]) -> None:
    for setting in ("covered", "all"):
        rows = rows_of(given.data, Part.TEST, setting)
        assert report[setting]["pairs"] == len(rows)
        assert report[setting]["listed"] == np.any(given.data.labels[rows], axis=1).sum()
        assert report[setting]["base_rate"] == pytest.approx(report[setting]["listed"] / len(rows))
    assert report["covered"]["pairs"] < report["all"]["pairs"]


@pytest.mark.parametrize("setting", ["covered", "all"])
@pytest.mark.parametrize("method", ["kgrel", "co-occurrence", "log co-mention count", "label-degree product"])
def test_figures_are_those_of_scikit_learn(given: Any, report: dict[str, Any], setting: str, method: str) -> None:
    data, rows = given.data, rows_of(given.data, Part.TEST, setting)
    scores = {
        MODEL: lambda: given.predict(data.heads[rows], data.tails[rows])[0],
        "co-occurrence": lambda: co_occurrence(data, rows),
        "log co-mention count": lambda: log_count(data, rows),
        "label-degree product": lambda: degree_product(data, rows),
    }[method]()
    classes, values = best_of(scores, data.possible(rows))
    found, labels = report[setting]["methods"][method], data.labels[rows]
    predicted = predicted_indicator(classes, values, np.array([found["thresholds"][name] for name in given.classes]))
    micro = precision_recall_fscore_support(labels, predicted, average="micro", zero_division=0)
    assert [found["precision"], found["recall"], found["f1"]] == pytest.approx(micro[:3])
    macro = precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)
    assert [found[f"macro_{key}"] for key in ("precision", "recall", "f1")] == pytest.approx(macro[:3])
    related = labels.any(axis=1)
    assert found["average_precision"] == pytest.approx(average_precision_score(related, values))
    assert found["auroc"] == pytest.approx(roc_auc_score(related, values))
    by_class = precision_recall_fscore_support(labels, predicted, average=None, zero_division=0)
    for place, name in enumerate(given.classes):
        figures = found["by_class"][name]
        assert [figures[key] for key in ("precision", "recall", "f1", "support")] == pytest.approx(
            [by_class[part][place] for part in range(4)]
        )
        assert figures["predicted"] == predicted[:, place].sum()


@pytest.mark.parametrize("setting", ["covered", "all"])
def test_a_global_threshold_reaches_the_best_micro_f1_on_validation(
    given: Any, report: dict[str, Any], setting: str
) -> None:
    data, rows = given.data, rows_of(given.data, Part.VALIDATION, setting)
    classes, values = best_of(given.predict(data.heads[rows], data.tails[rows])[0], data.possible(rows))

    def micro_f1(limit: float) -> float:
        predicted = predicted_indicator(classes, values, np.full(3, limit))
        return float(f1_score(data.labels[rows], predicted, average="micro", zero_division=0))

    (threshold,) = set(report[setting]["methods"][MODEL]["thresholds"].values())
    assert micro_f1(threshold) == pytest.approx(max(map(micro_f1, [0.0, *np.unique(values)])))


def test_thresholds_by_class_reach_the_best_f1_of_each_class_on_validation(given: Any) -> None:
    model = given.per_class()
    found = evaluate_pairs(model, EvaluationSettings(draws=LEAST_DRAWS, baselines=False))
    data, rows = model.data, model.data.rows(Part.VALIDATION)
    classes, values = best_of(model.predict(data.heads[rows], data.tails[rows])[0], data.possible(rows))
    thresholds = found["all"]["methods"][MODEL]["thresholds"]
    assert len(set(thresholds.values())) > 1
    for place, name in enumerate(model.classes):

        def f1(limit: float, place: int = place) -> float:
            predicted = predicted_indicator(classes, values, np.full(3, limit))
            return float(f1_score(data.labels[rows, place], predicted[:, place], zero_division=0))

        assert f1(thresholds[name]) == pytest.approx(max(map(f1, [0.0, *np.unique(values)])))


def thresholds_of(report: dict[str, Any]) -> list[Any]:
    return [method["thresholds"] for setting in ("covered", "all") for method in report[setting]["methods"].values()]


@pytest.mark.parametrize("per_class", [False, True])
def test_test_labels_have_no_influence_on_thresholds_and_validation_labels_do(given: Any, per_class: bool) -> None:
    given = given.per_class() if per_class else given
    rng = np.random.default_rng(0)

    def other_labels(part: Part) -> Any:
        rows, labels = given.data.rows(part), given.data.labels.copy()
        labels[rows] = given.data.possible(rows) & (rng.random((len(rows), 3)) < 0.3)
        return given.with_labels(labels)

    expected, changed = evaluate_pairs(given, FAST), evaluate_pairs(other_labels(Part.TEST), FAST)
    assert thresholds_of(changed) == thresholds_of(expected)
    assert changed["all"]["methods"][MODEL]["f1"] != expected["all"]["methods"][MODEL]["f1"]
    assert thresholds_of(evaluate_pairs(other_labels(Part.VALIDATION), FAST)) != thresholds_of(expected)


def test_every_method_has_intervals_and_the_models_difference_to_it(report: dict[str, Any]) -> None:
    for setting in ("covered", "all"):
        found = report[setting]["methods"]
        assert list(found) == METHODS
        for name, method in found.items():
            for key in ("precision", "recall", "f1", "macro_f1", "average_precision", "auroc"):
                low, high = method[f"{key}_interval"]
                assert 0 <= low <= high <= 1
            for key in ("f1", "average_precision"):
                if name == MODEL:
                    assert f"model_minus_this_{key}" not in method
                    continue
                difference = method[f"model_minus_this_{key}"]
                assert difference["difference"] == pytest.approx(found[MODEL][key] - method[key])
                low, high = difference["interval"]
                assert difference["excludes_zero"] == (low > 0 or high < 0)


def test_intervals_of_all_methods_together_are_those_of_each_figure_alone(given: Any, report: dict[str, Any]) -> None:
    data, tuning, rows = given.data, given.data.rows(Part.VALIDATION), given.data.rows(Part.TEST)
    scores = {MODEL: evaluate.scores_of(given, data), "co-occurrence": lambda rows: co_occurrence(data, rows)}
    alone, resampled = {}, (data.heads[rows], data.tails[rows], LEAST_DRAWS)
    for name, score in scores.items():
        found = evaluate.apply(score, data, tuning, rows, per_class=False)
        alone[name] = scalars(classification_statistics(found.labels, found.predicted), CLASSIFIED)
        alone[name] |= scalars(ranking_statistics(found.labels.any(axis=1), found.best_score), RANKED)
        for key, statistic in alone[name].items():
            bounds = interval(statistic, *resampled)
            assert report["all"]["methods"][name][f"{key}_interval"] == [bounds.low, bounds.high]
    for key in ("f1", "average_precision"):
        bounds = paired_difference(alone[MODEL][key], alone["co-occurrence"][key], *resampled)
        found = report["all"]["methods"]["co-occurrence"][f"model_minus_this_{key}"]
        assert found["interval"] == [bounds.low, bounds.high]


def test_a_figure_that_is_undefined_has_no_interval_and_is_shown_as_such(given: Any) -> None:
    rows, labels = given.data.rows(Part.TEST), given.data.labels.copy()
    labels[rows] = given.data.possible(rows)
    found = evaluate_pairs(given.with_labels(labels), EvaluationSettings(draws=LEAST_DRAWS, baselines=False))
    model = found["all"]["methods"][MODEL]
    assert (model["auroc"], model["auroc_interval"]) == (None, None)
    assert model["average_precision_interval"] == [1.0, 1.0]
    assert text_table(found).count("–\n") == 2


def test_the_report_is_json_without_nan(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_the_same_seed_gives_the_same_report_and_another_one_other_intervals_only(
    given: Any, report: dict[str, Any]
) -> None:
    assert evaluate_pairs(given, FAST) == report
    other = evaluate_pairs(given, EvaluationSettings(draws=LEAST_DRAWS, seed=1))
    for setting in ("covered", "all"):
        for name, method in report[setting]["methods"].items():
            changed = other[setting]["methods"][name]
            figures = [key for key in method if not key.endswith("_interval") and not key.startswith("model_minus")]
            assert {key: changed[key] for key in figures} == {key: method[key] for key in figures}
    model = report["all"]["methods"][MODEL]
    assert other["all"]["methods"][MODEL]["f1_interval"] != model["f1_interval"]


def test_baselines_may_be_left_out(given: Any) -> None:
    found = evaluate_pairs(given, EvaluationSettings(draws=LEAST_DRAWS, baselines=False))
    assert list(found["all"]["methods"]) == list(found["covered"]["methods"]) == [MODEL]
    assert found["baseline_settings"] == {}


def test_validation_pairs_can_be_reported(given: Any) -> None:
    found = evaluate_pairs(given, EvaluationSettings(part="validation", draws=LEAST_DRAWS, baselines=False))
    assert found["all"]["pairs"] == len(given.data.rows(Part.VALIDATION))
    assert found["settings"]["part"] == "validation"


@pytest.mark.parametrize(("part", "word"), [(Part.TEST, "test"), (Part.VALIDATION, "validation")])
def test_without_a_listed_pair_there_is_nothing_to_evaluate(given: Any, part: Part, word: str) -> None:
    labels = given.data.labels.copy()
    labels[given.data.rows(part)] = False
    with pytest.raises(KgrelError, match=rf"^no listed pair among all {word} pairs: more relations"):
        evaluate_pairs(given.with_labels(labels), FAST)


def listed_outside(given: Any, without: list[Part], name: str) -> Any:
    """Of the pairs of these parts none is listed that the table of that name shows, and all others are."""
    labels = given.data.labels.copy()
    for part in without:
        rows = given.data.rows(part)
        labels[rows] = given.data.possible(rows)
        labels[evaluate.kept(given.data, rows, name)] = False
    return given.with_labels(labels)


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ([Part.TEST], "test"),
        ([Part.VALIDATION], "validation"),
        ([Part.VALIDATION, Part.TEST], "validation and test"),
    ],
)
def test_covered_pairs_of_which_none_is_listed_are_left_out_with_the_reason(
    given: Any, without: list[Part], words: str
) -> None:
    found = evaluate_pairs(listed_outside(given, without, "covered"), FAST)
    assert "covered" not in found
    assert list(found["all"]["methods"]) == METHODS
    assert found["left_out"] == {"covered": f"no listed pair among covered {words} pairs"}
    assert text_table(found).splitlines()[0] == f"covered pairs: left out, no listed pair among covered {words} pairs"


@pytest.fixture(scope="module")
def mixed(given: Any) -> Any:
    """The same model, where a third of the pairs is in no text."""
    contexts = np.where(np.arange(len(given.data)) % 3 == 0, 0, given.data.contexts)
    return type(given)(replace(given.data, contexts=contexts), given.settings, given.scores)


@pytest.fixture(scope="module")
def mixed_report(mixed: Any, short_baseline: None) -> dict[str, Any]:
    return evaluate_pairs(mixed, FAST)


@pytest.mark.parametrize(("name", "seen"), [("seen_in_text", True), ("not_seen_in_text", False)])
def test_pairs_in_text_and_not_in_text_are_evaluated_as_if_there_were_no_others(
    mixed: Any, mixed_report: dict[str, Any], name: str, seen: bool
) -> None:
    data = mixed.data
    keep = np.flatnonzero((data.parts == Part.TRAINING) | ((data.contexts > 0) == seen))
    columns = ("heads", "tails", "labels", "parts", "contexts")
    others = replace(data, **{column: getattr(data, column)[keep] for column in columns})
    alone = evaluate_pairs(type(mixed)(others, mixed.settings, mixed.scores), FAST)["all"]
    assert [mixed_report[name][key] for key in COUNTS] == [alone[key] for key in COUNTS]
    for method in METHODS[:-1]:  # the last one is fitted anew, to other validation pairs
        assert mixed_report[name]["methods"][method] == alone["methods"][method]


def test_pairs_in_text_and_not_in_text_are_together_all(mixed_report: dict[str, Any]) -> None:
    tables = [name for name in mixed_report if name in TITLES]
    assert tables == list(TITLES)
    for key in COUNTS[:2]:
        assert mixed_report["seen_in_text"][key] + mixed_report["not_seen_in_text"][key] == mixed_report["all"][key]
    heads = [block.splitlines()[0] for block in text_table(mixed_report).split("\n\n")]
    shown = ("covered pairs:", "all pairs:", "pairs seen in text:", "pairs not seen in text:")
    assert all(head.startswith(title) for head, title in zip(heads, shown, strict=False))


@pytest.mark.parametrize("contexts", [0, 7])
def test_where_all_pairs_are_of_one_kind_there_is_no_table_and_no_note_of_it(given: Any, contexts: int) -> None:
    data = replace(given.data, contexts=np.full(len(given.data), contexts))
    model = type(given)(data, given.settings, given.scores)
    found = evaluate_pairs(model, EvaluationSettings(draws=LEAST_DRAWS, baselines=False))
    assert not {"seen_in_text", "not_seen_in_text", "left_out"} & set(found)


def test_a_kind_of_pairs_without_a_listed_one_is_left_out_with_the_reason(mixed: Any) -> None:
    found = evaluate_pairs(listed_outside(mixed, [Part.VALIDATION], "not_seen_in_text"), FAST)
    reason = "no listed pair among validation pairs not seen in text"
    assert found["left_out"] == {"not_seen_in_text": reason}
    assert {"covered", "all", "seen_in_text"} <= set(found)
    assert f"\npairs not seen in text: left out, {reason}\n" in text_table(found)


@pytest.mark.parametrize(("change", "message"), [({"draws": 0}, "draws must be"), ({"seed": -1}, "seed must not")])
def test_settings_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(KgrelError, match=message):
        EvaluationSettings(**change)


def test_every_method_scores_any_rows(given: Any) -> None:
    found, chosen = methods(given, (), True, evaluate.Silent())
    assert list(found) == METHODS
    assert list(chosen) == ["label-only embeddings"]
    for rows in (np.arange(7), np.zeros(0, dtype=np.int64)):
        assert all(score(rows).shape == (len(rows), 3) for score in found.values())


def test_a_trained_model_is_evaluated_with_the_threshold_it_carries(pair_model: PairModel) -> None:
    found = evaluate_pairs(pair_model, EvaluationSettings(draws=LEAST_DRAWS, baselines=False))
    thresholds = found["all"]["methods"][MODEL]["thresholds"]
    assert thresholds == dict(zip(pair_model.classes, pair_model.thresholds.tolist(), strict=True))


def test_without_covered_pairs_all_are_reported_and_nothing_else(given: Any) -> None:
    """In a cold split an entity of each held-out pair has no training label."""
    cold = replace(given.data, labels=given.data.labels & (given.data.parts != Part.TRAINING)[:, None])
    model = type(given)(cold, replace(given.settings, split="entity-cold"), given.scores)
    report = evaluate_pairs(model, EvaluationSettings(draws=LEAST_DRAWS, baselines=False))
    assert "covered" not in report
    assert report["calibration"]["which"] == "all"
    assert text_table(report).startswith("all pairs")


def test_a_pair_on_both_sides_in_either_order_is_refused(given: Any) -> None:
    data = given.data
    one, other = data.rows(Part.TRAINING)[0], data.rows(Part.TEST)[0]
    heads, tails = data.heads.copy(), data.tails.copy()
    heads[other], tails[other] = tails[one], heads[one]
    leaky = type(given)(replace(data, heads=heads, tails=tails), given.settings, given.scores)
    for evaluation in (lambda: evaluate_pairs(leaky, FAST), lambda: evaluate_ranking(leaky)):
        with pytest.raises(KgrelError, match="1 of them on both sides of the split and 1 in reversed order"):
            evaluation()
