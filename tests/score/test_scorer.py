"""What a chunk's answer says: nulls where nothing can be said, the best possible class, and the threshold's verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.score.candidates import Columns, Resolver
from kgrel.score.scorer import ADDED, NO_RELATION, Scorer, refuse_clash, rows_without_class, score_chunk
from kgrel.train.pair_model import PairModel

COLUMNS = Columns("source", "target", None, None)
PAIRS = [
    ("Gene::1", "DOID:1612"),
    ("DOID:1612", "901"),
    ("207", "1"),
    ("DB00001", "1"),
    ("nobody", "1"),
    ("1", "nobody"),
    ("1", "1"),
    ("7", "1"),
    ("PW1", "1"),
    ("DB00001", "DOID:2"),
    ("", "1"),
    ("1", "DOID:2"),
    ("DB07", "1"),  # the entity of row 0
    ("1", "DB07"),
]
STATUS = ["ok"] * 4
STATUS += ["unknown_source", "unknown_target", "self_pair", *["untyped"] * 3, "invalid", *["ok"] * 3]
SCORED = [row for row, status in enumerate(STATUS) if status == "ok"]


def table_of(pairs: list[tuple[str, str]]) -> pa.Table:
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    return pa.table({"source": pa.array(sources, pa.string()), "target": pa.array(targets, pa.string())})


def answer(scorer: Scorer, pairs: list[tuple[str, str]]) -> dict[str, list[Any]]:
    scored = score_chunk(scorer, Resolver(scorer.entities), table_of(pairs), COLUMNS)
    assert {name: column.type for name, column in scored.columns.items()} == ADDED
    return {name: column.to_pylist() for name, column in scored.columns.items()}


def test_a_row_is_answered_where_its_status_is_ok_and_null_elsewhere(scorer: Scorer) -> None:
    found = answer(scorer, PAIRS)
    assert found["status"] == STATUS
    for name in ("relation", "best_relation", "score", "score_std"):
        assert [row for row, value in enumerate(found[name]) if value is not None] == SCORED, name


def test_text_counts_and_listed_classes_are_told_for_every_known_pair(scorer: Scorer) -> None:
    found = answer(scorer, PAIRS)
    both_known = [row for row, status in enumerate(STATUS) if status not in ("unknown_source", "unknown_target")]
    both_known = [row for row in both_known if PAIRS[row] not in (("7", "1"), ("", "1"))]
    assert [row for row, count in enumerate(found["seen_in_text"]) if count is not None] == both_known
    assert found["seen_in_text"][0] == (2 + 4) % 3
    assert found["known_relation"][:4] == ["DaG|DuG", "DaG|DuG", "GENE-GENE", None]
    assert set(found["known_relation"][4:]) == {None}


def test_the_best_relation_is_the_largest_score_among_possible_classes(scorer: Scorer) -> None:
    found = answer(scorer, PAIRS)
    resolver = Resolver(scorer.entities)
    resolved = resolver.resolve(table_of(PAIRS), COLUMNS)
    heads, tails = resolved.heads[SCORED], resolved.tails[SCORED]
    scores, spread = scorer.predict(heads, tails)
    possible = scorer.possible(heads, tails)
    assert (scores.argmax(axis=1) != np.where(possible, scores, -1).argmax(axis=1)).any()
    for place, row in enumerate(SCORED):
        largest = max((s, c) for c, s in enumerate(scores[place]) if possible[place, c])
        assert found["score"][row] == largest[0]
        assert found["best_relation"][row] == scorer.classes[largest[1]]
        assert found["score_std"][row] == spread[place, largest[1]]


def test_a_relation_is_given_where_the_score_exceeds_the_threshold_of_its_class(scorer: Any) -> None:
    for thresholds in (np.zeros(4), np.full(4, 0.5), np.array([0.9, 0.1, 0.9, 0.1]), np.ones(4)):
        scorer.thresholds = thresholds
        found = answer(scorer, PAIRS)
        for row in SCORED:
            best = found["best_relation"][row]
            exceeds = found["score"][row] > thresholds[scorer.classes.index(best)]
            assert found["relation"][row] == (best if exceeds else NO_RELATION)


def test_a_score_equal_to_the_threshold_does_not_exceed_it(scorer: Any) -> None:
    score = answer(scorer, PAIRS[:1])["score"][0]
    scorer.thresholds = np.full(4, score)
    assert answer(scorer, PAIRS[:1])["relation"] == [NO_RELATION]
    scorer.thresholds = np.full(4, np.nextafter(score, 0))
    assert answer(scorer, PAIRS[:1])["relation"] != [NO_RELATION]


def test_both_orders_of_a_pair_have_the_same_answer(scorer: Scorer) -> None:
    pairs = [PAIRS[row] for row in SCORED]
    assert answer(scorer, pairs) == answer(scorer, [(target, source) for source, target in pairs])


def test_chunks_without_rows_and_without_scorable_rows_are_answered(scorer: Scorer) -> None:
    assert answer(scorer, []) == {name: [] for name in ADDED}
    found = answer(scorer, [("nobody", "no one"), ("PW1", "1")])
    assert found["status"] == ["unknown_both", "untyped"]
    assert found["score"] == [None, None]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", [0, 1])
def test_a_score_or_spread_that_is_not_finite_is_an_error(scorer: Any, value: float, part: int) -> None:
    sound: Callable[..., Any] = scorer.predict

    def broken(heads: Any, tails: Any) -> Any:
        found = sound(heads, tails)
        found[part][-1, -1] = value
        return found

    scorer.predict = broken
    with pytest.raises(NonFiniteError, match="a score is not finite"):
        answer(scorer, PAIRS)


def test_types_that_no_class_relates_are_found(scorer: Scorer) -> None:
    resolved = Resolver(scorer.entities).resolve(table_of(PAIRS), COLUMNS)
    assert rows_without_class(scorer, resolved).tolist() == [PAIRS.index(("PW1", "1")), 9]


@pytest.mark.parametrize("name", list(ADDED))
def test_no_added_column_overwrites_one_of_the_list(name: str) -> None:
    with pytest.raises(KgrelError, match=rf"^list\.csv: the column '{name}' is there already.*--prefix"):
        refuse_clash(["source", name, "target"], "", "list.csv")
    refuse_clash(["source", name, "target"], "kgrel_", "list.csv")
    with pytest.raises(KgrelError, match=f"'kgrel_{name}'"):
        refuse_clash(["source", f"kgrel_{name}", "target"], "kgrel_", "list.csv")


def test_a_trained_model_is_a_scorer_whose_score_is_its_largest_possible_probability(pair_model: PairModel) -> None:
    entities = pair_model.entities
    names = [f"{type_}::{id_}" for type_, id_ in zip(entities.types, entities.ids, strict=True)]
    rng = np.random.default_rng(0)
    heads, tails = rng.integers(len(names), size=(2, 200))
    found = answer(pair_model, [(names[h], names[t]) for h, t in zip(heads, tails, strict=True)])
    mean, std = pair_model.predict(heads, tails)
    possible = pair_model.possible(heads, tails)
    answered = 0
    for row, (head, tail) in enumerate(zip(heads, tails, strict=True)):
        if head == tail or not possible[row].any():
            assert found["score"][row] is None
            continue
        best = int(np.where(possible[row], mean[row], -1).argmax())
        assert found["score"][row] == pytest.approx(mean[row, best], abs=1e-6)
        assert found["score_std"][row] == pytest.approx(std[row, best], abs=1e-6)
        assert found["best_relation"][row] == pair_model.classes[best]
        answered += 1
    assert answered > 100
