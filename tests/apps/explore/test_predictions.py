"""A list becomes predictions whole: each usable pair once, every other row counted; views filter and order them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from kgrel.apps.explore.predictions import ORDERS, Predictions, Shown, View, co_mentioned, read_predictions
from kgrel.data.errors import InputError, KgrelError
from kgrel.score.stream import score_file
from kgrel.train.pair_model import PairModel

FIELDS = ("heads", "tails", "classes", "scores", "spreads", "contexts")


def written(path: Path, rows: list[str], header: str = "source,target,best_relation,score") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ids(pair_model: PairModel) -> list[str]:
    """A gene, a disease, and another gene."""
    e = pair_model.entities
    rows = [e.types.index("GENE"), e.types.index("DISEASE"), e.types.index("GENE") + 1]
    return [f"{e.types[row]}::{e.ids[row]}" for row in rows]


@pytest.fixture(scope="module")
def relation(pair_model: PairModel, ids: list[str]) -> str:
    e = pair_model.entities
    rows = np.array([e.types.index("GENE")]), np.array([e.types.index("DISEASE")])
    return pair_model.classes[int(pair_model.possible(*rows)[0].argmax())]


def test_a_scored_list_and_the_same_list_unscored_show_the_same(
    pair_model: PairModel, world_files: dict[str, Path], tmp_path: Path
) -> None:
    score_file(pair_model, world_files["candidates.csv"], tmp_path / "scored.csv")
    scored = read_predictions(tmp_path / "scored.csv", pair_model)
    unscored = read_predictions(world_files["candidates.csv"], pair_model)
    assert len(scored) > 0
    for name in FIELDS:
        np.testing.assert_allclose(getattr(scored, name), getattr(unscored, name), atol=1e-9)
    assert scored.left_out == unscored.left_out


def test_every_row_shows_or_is_counted(pair_model: PairModel, ids: list[str], relation: str, tmp_path: Path) -> None:
    gene, disease, _ = ids
    rows = [f"{gene},{disease},{relation},0.5", f"{disease},{gene},{relation},0.7", f"{gene},{gene},{relation},0.5",
            f"{gene},nobody,{relation},0.5", f"nobody,{disease},,", f"{ids[2]},{disease},,"]  # fmt: skip
    found = read_predictions(written(tmp_path / "list.csv", rows), pair_model)
    assert found.scores.tolist() == [0.5]
    assert np.isnan(found.spreads).all()
    assert found.left_out == {
        "repeated": 1, "self_pair": 1, "unknown_target": 1, "unknown_source": 1, "without a score": 1,
    }  # fmt: skip
    assert len(found) + sum(found.left_out.values()) == len(rows)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("{0},{1},{2},inf", "a score is not finite"),
        ("{0},{1},{2},much", "the column 'score' holds something that is no number"),
        ("{0},{1},loves,0.5", "the relation 'loves' is not one of the classifier's"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_by_name(
    pair_model: PairModel, ids: list[str], relation: str, tmp_path: Path, row: str, sentence: str
) -> None:
    path = written(tmp_path / "list.csv", [row.format(ids[0], ids[1], relation)])
    with pytest.raises(InputError, match=sentence) as refused:
        read_predictions(path, pair_model)
    assert str(path) in str(refused.value)


def test_a_list_without_pairs_is_refused(pair_model: PairModel, tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="source"):
        read_predictions(written(tmp_path / "list.csv", ["1,2"], "a,b"), pair_model)


def test_without_a_list_the_unlisted_pairs_of_text_are_shown(pair_model: PairModel) -> None:
    found = co_mentioned(pair_model, 50)
    assert len(found) == 50
    assert (found.contexts > 0).all()
    assert all(name is None for name in found.known)
    assert (np.diff(found.contexts) <= 0).all()
    assert len(co_mentioned(pair_model, 0)) == 0


@pytest.fixture(scope="module")
def shown(pair_model: PairModel, world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Co-mentioned and other pairs together, some listed."""
    heads, tails, _ = pair_model.relations
    e, some = pair_model.entities, co_mentioned(pair_model, 200)
    pairs = [*zip(some.heads, some.tails, strict=True), *zip(heads[:100], tails[:100], strict=True)]
    lines = [f"{e.types[a]}::{e.ids[a]},{e.types[b]}::{e.ids[b]}" for a, b in pairs]
    path = written(tmp_path_factory.mktemp("lists") / "list.csv", lines, "source,target")
    return Shown(read_predictions(path, pair_model), pair_model)


def matching(shown: Shown, view: View, reviews: dict[tuple[int, str], str] | None = None) -> set[int]:
    return set(shown.rows(view, reviews or {}).tolist())


def test_a_filter_and_its_opposite_part_the_whole(shown: Shown) -> None:
    everything = matching(shown, View())
    assert everything == set(range(len(shown.predictions)))
    middle = float(np.median(shown.predictions.scores))
    for one, other in (
        (View(known=True), View(known=False)),
        (View(in_text=True), View(in_text=False)),
        (View(least=np.nextafter(middle, 1)), View(most=middle)),
    ):
        parts = matching(shown, one), matching(shown, other)
        assert all(parts) or one.in_text is not None
        assert parts[0] | parts[1] == everything
        assert not parts[0] & parts[1]
    by_types = [matching(shown, View(types=types)) for types in set(shown.types)]
    assert set().union(*by_types) == everything


def test_filters_together_show_what_each_alone_shows(shown: Shown, pair_model: PairModel) -> None:
    entity = int(shown.predictions.heads[0])
    relation = pair_model.classes[int(shown.predictions.classes[0])]
    both = matching(shown, View(entity=entity, relation=relation))
    assert both == matching(shown, View(entity=entity)) & matching(shown, View(relation=relation))
    assert 0 in both
    assert matching(shown, View(relation="no such relation")) == set()


def test_reviews_part_the_predictions(shown: Shown, pair_model: PairModel) -> None:
    names = [pair_model.classes[c] for c in shown.predictions.classes]
    reviews = {(int(shown.keys[row]), names[row]): decision for row, decision in ((3, "accepted"), (5, "rejected"))}
    reviews[(int(shown.keys[7]), "another relation")] = "accepted"
    reviews[(int(shown.keys[8]), names[8])] = "open"
    assert matching(shown, View(review="accepted"), reviews) == {3}
    assert matching(shown, View(review="rejected"), reviews) == {5}
    undecided = matching(shown, View(review="open"), reviews)
    assert undecided == matching(shown, View()) - {3, 5}


def test_orders_are_what_they_are_called(shown: Shown, pair_model: PairModel) -> None:
    p, thresholds = shown.predictions, pair_model.thresholds
    distance = np.abs(p.scores - thresholds[p.classes])
    falling = {"score": -p.scores, "uncertain": distance, "spread": -p.spreads, "contexts": -p.contexts}
    assert falling.keys() == set(ORDERS)
    for order in ORDERS:
        rows = shown.rows(View(order=order), {})
        assert (np.diff(falling[order][rows]) >= 0).all()
        assert sorted(rows.tolist()) == list(range(len(p)))


def test_missing_spreads_go_last(shown: Shown, pair_model: PairModel) -> None:
    spreads = shown.predictions.spreads.copy()
    spreads[:3] = np.nan
    changed: Predictions = dataclasses.replace(shown.predictions, spreads=spreads)
    rows = Shown(changed, pair_model).rows(View(order="spread"), {})
    assert set(rows[-3:].tolist()) == {0, 1, 2}
