"""The sections of a page agree with what the evaluation counts, escape names, and draw what the model gives."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.evaluate.pair_report import confusion, pair_sections
from kgrel.evaluate.report import write_report
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.metrics.classification import best
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel

VALIDATION = EvaluationSettings(part="validation", draws=20)


class Cells(HTMLParser):
    """The numbers of the table's cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.numbers = list[int]()
        self.feed(text)

    def handle_data(self, data: str) -> None:
        if data.replace(",", "").isdigit():
            self.numbers.append(int(data.replace(",", "")))


def test_the_matrix_counts_each_unlisted_pair_and_each_label_once(pair_model: PairModel) -> None:
    data, rows = pair_model.data, pair_model.data.rows(Part.VALIDATION)
    classes, scores = best(pair_model.predict(data.heads[rows], data.tails[rows])[0], data.possible(rows))
    size = 1 + len(pair_model.classes)
    counts = np.array(Cells(confusion(pair_model, rows, classes, scores)).numbers).reshape(size, size)
    labels = data.labels[rows]
    assert counts[0].sum() == (~labels.any(axis=1)).sum()
    assert counts[1:].sum(axis=1).tolist() == labels.sum(axis=0).tolist()
    given = scores > pair_model.thresholds[classes]
    hits = labels[np.arange(len(rows)), classes] & given
    assert np.trace(counts[1:, 1:]) == hits.sum() > 0
    assert counts[0, 0] == (~given & ~labels.any(axis=1)).sum()


def test_the_page_holds_plots_matrix_and_novel_pairs_with_their_sentences(
    pair_model: PairModel, pairs_path: Path, corpus_path: Path, tmp_path: Path
) -> None:
    corpus = Corpus.open(corpus_path)
    sections = pair_sections(pair_model, (), corpus, VALIDATION)
    write_report(pairs_path, tmp_path / "page.html", sections=sections)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert "Confusion matrix" in text
    assert not re.search(r"(src|href)=[\"'](?!#)", text)
    novel = sections[-1]
    scores = [float(found) for found in re.findall(r"<tr><td>([0-9.]+)</td>", novel)]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 20
    assert novel.count("<br>") >= 20  # validation pairs are co-mentioned: each has a sentence
    assert "<br>" not in pair_sections(pair_model, (), None, VALIDATION)[-1]


def test_two_artifacts_of_one_name_are_refused(pair_model: PairModel) -> None:
    with pytest.raises(KgrelError, match="two artifacts"):
        pair_sections(pair_model, [pair_model], None, VALIDATION)
