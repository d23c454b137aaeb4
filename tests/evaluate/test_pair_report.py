"""The page of an evaluation shows the figures of the report, and novel pairs that are held out and unlisted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.evaluate.pair_report import NOVEL, figures, write_pair_report
from kgrel.evaluate.pairs import evaluate_pairs
from kgrel.evaluate.settings import LEAST_DRAWS, EvaluationSettings
from kgrel.evaluate.tables import table_rows
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel

FAST = EvaluationSettings(draws=LEAST_DRAWS, baselines=False, part="validation")


@pytest.fixture(scope="module")
def page(pair_model: PairModel, corpus_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the small world's classifier."""
    out = tmp_path_factory.mktemp("page") / "page.html"
    write_pair_report(pair_model, out, FAST, corpus=Corpus.open(corpus_path))
    return out.read_text(encoding="utf-8")


def test_the_figures_are_those_of_evaluate_pairs(page: str, pair_model: PairModel) -> None:
    report = evaluate_pairs(pair_model, FAST)
    for name in ("covered", "all"):
        heads, row = table_rows(report[name]["methods"])
        assert all(f"<td>{cell}</td>" in page for cell in row)
        assert all(f"<th>{head}</th>" in page for head in heads)
    assert all(f"<th>{name}</th>" in page for name in (*report["settings"], "learning_rate", "stop"))


def test_a_table_that_could_not_be_made_has_the_reason_in_its_place(pair_model: PairModel) -> None:
    report = evaluate_pairs(pair_model, FAST)
    del report["covered"]
    found = figures(report | {"left_out": {"covered": "no listed pair"}}, FAST)
    expected = [
        "<h2>Covered validation pairs</h2>",
        "<p>Left out: no listed pair.</p>",
        "<h2>All validation pairs</h2>",
    ]
    assert found[:3] == expected


def test_novel_pairs_are_unlisted_held_out_in_order_and_shown_with_sentences(page: str, pair_model: PairModel) -> None:
    section = page.partition("Top novel predictions")[2].partition("<h2>")[0]
    found = re.findall(r"\((\w+::[^)]+)\) – .*?\((\w+::[^)]+)\)</b>.*?score ([\d.]+)", section)
    assert 0 < len(found) <= NOVEL
    scores = [float(score) for *_, score in found]
    assert scores == sorted(scores, reverse=True)
    entities, data = pair_model.entities, pair_model.data
    rows = {f"{t}::{i}": row for row, (t, i) in enumerate(zip(entities.types, entities.ids, strict=True))}
    held_out = data.rows(Part.VALIDATION)
    pairs = set(zip(data.heads[held_out].tolist(), data.tails[held_out].tolist(), strict=True))
    shown = [(rows[first], rows[second]) for first, second, _ in found]
    assert set(shown) <= pairs
    heads, tails = (np.array(side) for side in zip(*shown, strict=True))
    assert pair_model.known(heads, tails) == [None] * len(found)
    # Of a sparse list most pairs that are worth a look are not covered.
    assert not pair_model.covered(heads, tails).any(axis=1).all()
    assert len(found) == min(
        NOVEL, sum(name is None for name in pair_model.known(data.heads[held_out], data.tails[held_out]))
    )
    assert section.count("<mark>") >= 2


def test_the_same_evaluation_gives_the_same_page_that_loads_nothing(
    page: str, pair_model: PairModel, corpus_path: Path, tmp_path: Path
) -> None:
    write_pair_report(pair_model, tmp_path / "again.html", FAST, corpus=Corpus.open(corpus_path))
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page
    assert "<script" not in page
    assert all(link.startswith("#") for link in re.findall(r'(?:href|src)="([^"]*)"', page))


def test_an_existing_page_or_an_unsaved_model_is_refused(pair_model: PairModel, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("mine")
    with pytest.raises(KgrelError, match="exists already"):
        write_pair_report(pair_model, tmp_path / "page.html", FAST)
    with pytest.raises(KgrelError, match="save it first"):
        write_pair_report(replace(pair_model, artifact=None), tmp_path / "other.html", FAST)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
