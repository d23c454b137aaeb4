"""A review is of an unordered pair and a relation, is never lost, and becomes a relation that training reads."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kgrel.apps.explore.reviews import LONGEST, Reviews, export_reviews
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.relations import read_relations, resolve_relations
from kgrel.train.pair_model import PairModel

PAIR, NAMES = ("GENE::1", "DISEASE::DOID:2"), ("A", "b-itis")


@pytest.fixture
def reviews(tmp_path: Path) -> Reviews:
    return Reviews(tmp_path / "reviews.sqlite")


def test_a_review_comes_back_whole_from_a_new_opening(reviews: Reviews) -> None:
    put = reviews.put(PAIR, NAMES, "causes", "accepted", ' said "so"; --\t§ ', 0.75, "abc")
    (found,) = Reviews(reviews.path).all()
    assert found == put
    assert (found.first, found.first_name) == ("DISEASE::DOID:2", "b-itis")
    assert (found.comment, found.score, found.model) == ('said "so"; --\t§', 0.75, "abc")


def test_the_last_decision_holds_in_either_order_and_for_its_relation_alone(reviews: Reviews) -> None:
    reviews.put(PAIR, NAMES, "causes", "accepted")
    reviews.put(PAIR[::-1], NAMES[::-1], "causes", "rejected")
    reviews.put(PAIR, NAMES, "treats", "accepted")
    assert {(one.relation, one.decision) for one in reviews.all()} == {("causes", "rejected"), ("treats", "accepted")}


def test_open_without_a_comment_takes_the_review_away_and_with_one_keeps_it(reviews: Reviews) -> None:
    reviews.put(PAIR, NAMES, "causes", "accepted", "good")
    reviews.put(PAIR, NAMES, "causes", "open", "look again")
    assert [(one.decision, one.comment) for one in reviews.all()] == [("open", "look again")]
    reviews.put(PAIR, NAMES, "causes", "open", "  ")
    assert reviews.all() == []


def test_what_is_no_review_is_refused_and_changes_nothing(reviews: Reviews) -> None:
    reviews.put(PAIR, NAMES, "causes", "accepted")
    before = reviews.all()
    for pair, decision, comment, sentence in (
        (PAIR, "maybe", "", "a decision is one of"),
        (PAIR, "accepted", "x" * (LONGEST + 1), "at most 4,000 characters"),
        ((PAIR[0], PAIR[0]), "accepted", "", "cannot be related to itself"),
    ):
        with pytest.raises(KgrelError, match=sentence):
            reviews.put(pair, NAMES, "causes", decision, comment)
    assert reviews.all() == before


def test_two_openings_see_each_other(reviews: Reviews) -> None:
    other = Reviews(reviews.path)
    other.put(PAIR, NAMES, "causes", "accepted")
    assert len(reviews.all()) == 1


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but long enough to be read as one\n" * 9)
    with sqlite3.connect(tmp_path / "foreign") as database:
        database.execute("CREATE TABLE review (x)")
    Reviews(tmp_path / "newer")
    with sqlite3.connect(tmp_path / "newer") as database:
        database.execute("PRAGMA user_version = 2")
    for name, sentence in (
        ("text", "cannot be used as a file of reviews"),
        ("foreign", "is a database of another program"),
        ("newer", "holds reviews of version 2"),
    ):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(InputError, match=sentence):
            Reviews(tmp_path / name)
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(KgrelError, match="is no directory; make it first"):
        Reviews(tmp_path / "absent" / "reviews.sqlite")


def test_accepted_reviews_join_the_listed_relations_and_rejected_ones_leave_them(
    reviews: Reviews, pair_model: PairModel, tmp_path: Path
) -> None:
    e = pair_model.entities
    heads, tails, classes = pair_model.relations
    full = [f"{type_}::{id_}" for type_, id_ in zip(e.types, e.ids, strict=True)]

    def put(row: int, decision: str) -> None:
        pair = full[heads[row]], full[tails[row]]
        reviews.put(pair, ("", ""), pair_model.classes[classes[row]], decision)

    put(0, "rejected")
    put(1, "accepted")  # is listed already
    known = set(zip(heads.tolist(), tails.tolist(), strict=True))
    genes = [row for row, type_ in enumerate(e.types) if type_ == "GENE"]
    diseases = [row for row, type_ in enumerate(e.types) if type_ == "DISEASE"]
    new = next((d, g) for g in genes for d in diseases if (min(g, d), max(g, d)) not in known)
    reviews.put((full[new[0]], full[new[1]]), ("x", "y"), pair_model.classes[0], "accepted")
    summary = export_reviews(reviews, tmp_path / "relations.tsv", pair_model)
    assert summary["relations"] == len(heads)
    assert (summary["from_reviews"], summary["listed_but_rejected"]) == (1, 1)
    read = resolve_relations(read_relations(tmp_path / "relations.tsv"), e)
    found = set(zip(read.heads.tolist(), read.tails.tolist(), strict=True))
    assert read.counts.kept == len(heads)
    assert (min(new), max(new)) in found
    assert (int(heads[0]), int(tails[0]), pair_model.classes[classes[0]]) not in {
        (h, t, read.class_names[c]) for h, t, c in zip(read.heads, read.tails, read.classes, strict=True)
    }


def test_without_a_model_the_accepted_reviews_stand_alone(reviews: Reviews, tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="nothing is accepted yet"):
        export_reviews(reviews, tmp_path / "relations.csv")
    assert not (tmp_path / "relations.csv").exists()
    reviews.put(PAIR, NAMES, "causes", "accepted")
    reviews.put(PAIR, NAMES, "treats", "rejected")
    assert export_reviews(reviews, tmp_path / "relations.csv")["relations"] == 1
    found = read_relations(tmp_path / "relations.csv")
    assert (found.class_, found.raw_sources, found.raw_targets) == (["causes"], ["DISEASE::DOID:2"], ["GENE::1"])
    with pytest.raises(KgrelError, match="exists already"):
        export_reviews(reviews, tmp_path / "relations.csv")
