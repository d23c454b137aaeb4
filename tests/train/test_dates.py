"""Dates are read strictly, and a pair's date is that of its first dated document."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from kgrel.data.errors import InputError
from kgrel.text.corpus import Corpus
from kgrel.train.dates import NO_DATE, first_dates, read_dates
from kgrel.train.pair_data import Part
from kgrel.train.settings import SplitSettings
from kgrel.train.train_pairs import parents_of, prepare_pairs


def test_years_months_and_days_are_read_and_the_earliest_of_a_document_counts(tmp_path: Path) -> None:
    table = tmp_path / "dates.tsv"
    table.write_text("doc_id\tdate\n1\t1999-02\n2\t1999-02-01\n3\t1999\n4\t\n1\t2001-05-06T12:00\n3\t1998-12-31\n")
    dates = read_dates(table)
    assert dates.keys() == {"1", "2", "3"}
    assert dates["1"] == dates["2"]
    assert dates["1"] - dates["3"] == 32


@pytest.mark.parametrize("text", ["soon", "1999-13", "1999-02-30", "99/1/2", "1999-1-1-1"])
def test_what_is_no_date_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    table = tmp_path / "dates.tsv"
    table.write_text(f"doc_id\tdate\n1\t1999\n2\t{text}\n")
    with pytest.raises(InputError, match=r"line 3: .* is no date; write it as 1998"):
        read_dates(table)


def test_a_table_without_dates_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "dates.tsv"
    table.write_text("doc_id\tsentence\n1\tx\n")
    with pytest.raises(InputError, match="no column 'date'"):
        read_dates(table)


@pytest.fixture
def dated(corpus: Corpus, tmp_path: Path) -> Path:
    """Dates of most documents of the corpus, one a day in the order of their names."""
    names = sorted({corpus.sentences.row(row).doc_id for row in range(len(corpus.sentences))})
    days = np.datetime64("2001-01-01") + np.random.default_rng(0).permutation(len(names))
    rows = [f"{name}\t{day}\n" for name, day in zip(names, days, strict=True)]
    path = tmp_path / "dates.tsv"
    path.write_text("doc_id\tdate\n" + "".join(rows[: -len(rows) // 10]))
    return path


def test_the_first_document_dates_a_pair(corpus: Corpus, dated: Path) -> None:
    dates, size = read_dates(dated), len(corpus.entities)
    expected: dict[int, int] = {}
    for row in range(len(corpus.contexts)):
        context = corpus.contexts.row(row)
        day = dates.get(corpus.sentences.row(context.sentence).doc_id)
        key = min(context.head, context.tail) * size + max(context.head, context.tail)
        if day is not None:
            expected[key] = min(day, expected.get(key, day))
    keys = corpus.pairs.heads.astype(np.int64) * size + corpus.pairs.tails
    assert first_dates(corpus, dated).tolist() == [expected.get(key, NO_DATE) for key in keys.tolist()]


def test_pairs_are_split_by_date(corpus: Corpus, dated: Path, world_files: dict[str, Path]) -> None:
    settings = SplitSettings(split="date", dates=str(dated))
    relations = world_files["relations.tsv"]
    data = prepare_pairs(corpus.entities, corpus, relations, settings).data
    days, size = first_dates(corpus, dated), len(corpus.entities)
    keys = corpus.pairs.heads.astype(np.int64) * size + corpus.pairs.tails
    found = days[np.searchsorted(keys, data.heads * size + data.tails)]
    assert found[data.rows(Part.TRAINING)].max() < found[data.rows(Part.VALIDATION)].min()
    assert found[data.rows(Part.VALIDATION)].max() < found[data.rows(Part.TEST)].min()
    assert "dates" in parents_of(corpus, relations, settings)
    assert "dates" not in parents_of(corpus, relations, dataclasses.replace(settings, split="warm", dates=""))
