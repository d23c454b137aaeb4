from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.errors import ArtifactError
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus


@pytest.fixture
def built(sentences: Path, genes: Path, diseases: Path, tmp_path: Path) -> Path:
    return build_corpus([sentences], [("GENE", genes), ("DISEASE", diseases)], tmp_path / "corpus").path


def test_words_and_counts_are_those_of_the_vocabulary(built: Path) -> None:
    corpus = Corpus.open(built)
    assert len(corpus.words) == len(corpus.word_counts) == len(corpus.vocabulary)
    counts = dict(zip(corpus.words, corpus.word_counts.tolist(), strict=True))
    assert counts["<PAD>"] == 0
    assert counts["<END>"] == len(corpus.contexts) == counts["<ENT>"] // 2
    assert counts["gout"] == 3
    assert sorted(corpus.word_counts[4:].tolist(), reverse=True) == corpus.word_counts[4:].tolist()


@pytest.mark.parametrize(
    "name", ["contexts.arrow", "sentences.arrow", "entities.parquet", "vocabulary.json", "pairs.parquet"]
)
def test_a_damaged_file_is_named(built: Path, name: str) -> None:
    content = (built / name).read_bytes()
    (built / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ArtifactError, match=name):
        Corpus.open(built)


@pytest.mark.parametrize("row", [-1, 7])
def test_a_context_that_is_not_there_has_no_sentence(built: Path, row: int) -> None:
    with pytest.raises(IndexError):
        Corpus.open(built).sentence_of(row)
