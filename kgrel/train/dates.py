"""When was a pair first mentioned together? From a table of the documents' dates."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import TableReader, find_column
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Rows

DOC_ID = ("doc_id", "pmid", "document")
DATE = ("date", "publication_date", "year")
NO_DATE = -1


def read_dates(path: str | Path) -> dict[str, int]:
    """Document → its earliest day, counted from the year 1; documents with an empty date are left out.

    Args:
        path: csv, tsv, jsonl or parquet, also compressed, with the columns ``doc_id`` and ``date`` (``1998``,
            ``1998-07`` or ``1998-07-21``); the sentences of the corpus themselves, if they have a date column.

    Raises:
        InputError: a column is missing, or a date is none, with its line.
    """
    dates: dict[str, int] = {}
    with TableReader(path) as reader:
        try:
            document, date = find_column(reader.columns, DOC_ID), find_column(reader.columns, DATE)
        except KgrelError as error:
            raise InputError(path, str(error), 1) from None
        for lines, table in reader.numbered():
            columns = table.column(document).to_pylist(), table.column(date).to_pylist()
            for line, name, text in zip(lines.tolist(), *columns, strict=True):
                if text is None or not str(text).strip():
                    continue
                day = day_of(path, line, str(text).strip())
                dates[str(name)] = min(day, dates.get(str(name), day))
    return dates


def day_of(path: str | Path, line: int, text: str) -> int:
    """The day, from 0 = the first of the year 1, at which a year, a month or a day begins."""
    parts = text[:10].split("-")
    try:
        numbers = [int(part) for part in parts] + [1] * (3 - len(parts))
        return (datetime.date(*numbers) - datetime.date(1, 1, 1)).days
    except (ValueError, TypeError):
        raise InputError(path, f"{text!r} is no date; write it as 1998, 1998-07 or 1998-07-21", line) from None


def first_dates(corpus: Corpus, path: str | Path) -> Rows:
    """For each pair of the corpus' co-mention table the day of its first dated document, −1 where it has none."""
    dates = read_dates(path)
    documents = [
        np.array([dates.get(name, NO_DATE) for name in batch.column("doc_id").to_pylist()], dtype=np.int64)
        for batch in corpus.sentences.batches
    ]
    days = np.concatenate([*documents, np.zeros(0, np.int64)])[corpus.contexts.sentences]
    low = np.minimum(corpus.contexts.heads, corpus.contexts.tails).astype(np.int64)
    high = np.maximum(corpus.contexts.heads, corpus.contexts.tails)
    size = len(corpus.entities)
    pairs = np.searchsorted(corpus.pairs.heads.astype(np.int64) * size + corpus.pairs.tails, low * size + high)
    first = np.full(len(corpus.pairs), np.iinfo(np.int64).max)
    np.minimum.at(first, pairs[days >= 0], days[days >= 0])
    return np.where(first == np.iinfo(np.int64).max, NO_DATE, first)
