from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.errors import KgrelError
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.text.describe import (
    Marked,
    TaggedSentence,
    describe_corpus,
    draw_histograms,
    histograms,
    html_page,
    sample_sentences,
)


@pytest.fixture
def corpus(sentences: Path, genes: Path, diseases: Path, tmp_path: Path) -> Corpus:
    return Corpus.open(build_corpus([sentences], [("GENE", genes), ("DISEASE", diseases)], tmp_path / "corpus").path)


def test_the_description_holds_counts_and_the_most_frequent_pairs(corpus: Corpus) -> None:
    found = describe_corpus(corpus)
    assert found["contexts"] == 7
    assert found["frequent_pairs"][0] == ["fever (DISEASE DOID:1)", "gout (DISEASE DOID:2)", 2]
    assert found["frequent_entities"][0] == ["gout (DISEASE DOID:2)", 5]
    assert found["tokens_a_context"]["most"] == corpus.contexts.lengths.max()


def test_every_value_stands_in_one_bar(corpus: Corpus) -> None:
    totals = [sum(count for _, _, count in bars) for _, bars in histograms(corpus)]
    assert totals == [7, 6, 5, len(corpus.words) - 4]
    assert all(low <= high for _, bars in histograms(corpus) for low, high, _ in bars)


def test_histograms_are_drawn_and_nothing_is_replaced_unasked(corpus: Corpus, tmp_path: Path) -> None:
    draw_histograms(corpus, tmp_path / "h.png")
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(KgrelError, match="exists already"):
        draw_histograms(corpus, tmp_path / "h.png")


def test_sampled_sentences_are_whole_and_marked(corpus: Corpus) -> None:
    sampled = sample_sentences(corpus, 99)
    texts = [corpus.sentences.row(row).text for row in range(3)]
    assert ["".join(part.text for part in sentence.parts) for sentence in sampled] == texts
    assert [part for part in sampled[2].parts if part.type] == [
        Marked("gout", "DISEASE", "DOID:2"),
        Marked("pyrexia", "DISEASE", "DOID:1"),
    ]
    assert sample_sentences(corpus, 2, seed=3) == sample_sentences(corpus, 2, seed=3)


def test_nothing_of_a_corpus_becomes_markup() -> None:
    hostile = '<script>"&\x1b[31m'
    page = html_page([TaggedSentence(hostile, (Marked(hostile, hostile, hostile),))], hostile)
    assert "<script" not in page
    assert 'title="&lt;script&gt;&quot;&amp;' in page
