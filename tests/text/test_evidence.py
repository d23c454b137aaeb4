from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus, Evidence
from kgrel.text.evidence import EvidenceIndex, find_entity, marked


@pytest.fixture
def corpus(sentences: Path, genes: Path, diseases: Path, tmp_path: Path) -> Corpus:
    return Corpus.open(build_corpus([sentences], [("GENE", genes), ("DISEASE", diseases)], tmp_path / "corpus").path)


def test_the_index_gives_the_contexts_of_each_pair_in_either_order(corpus: Corpus) -> None:
    index = EvidenceIndex.of(corpus)
    for first, second in combinations(range(len(corpus.entities)), 2):
        pairs = zip(corpus.contexts.heads.tolist(), corpus.contexts.tails.tolist(), strict=True)
        expected = [row for row, pair in enumerate(pairs) if set(pair) == {first, second}]
        assert index.contexts(first, second).tolist() == expected == index.contexts(second, first).tolist()


def test_evidence_is_the_sentence_its_document_and_both_mentions(corpus: Corpus) -> None:
    found = EvidenceIndex.of(corpus).sentences(find_entity(corpus, "fever"), find_entity(corpus, "DOID:2"))
    assert [(e.doc_id, e.text[slice(*e.head)], e.text[slice(*e.tail)]) for e in found] == [
        ("11", "fever", "gout"),
        ("PMC", "gout", "pyrexia"),
    ]
    assert len(EvidenceIndex.of(corpus).sentences(0, 1, limit=1)) == 1


@pytest.mark.parametrize("text", ["1", "Gene::1", "NCBIGene:1", "ABC1", "abc1 "])
def test_an_entity_is_found_by_identifier_and_by_name(corpus: Corpus, text: str) -> None:
    assert corpus.entities.names[find_entity(corpus, text)] == "ABC1"


def test_an_entity_that_is_not_there_is_named(corpus: Corpus) -> None:
    with pytest.raises(KgrelError, match="no entity 'nobody'"):
        find_entity(corpus, "nobody")


def test_an_entity_that_may_be_several_is_refused(write, tmp_path: Path) -> None:
    genes, drugs = (write(f"{name}.tsv", f"id\tname\n1\t{name}\n") for name in ("first", "second"))
    path = write("s.tsv", "doc_id\tsentence\n1\tfirst and second\n")
    corpus = Corpus.open(build_corpus([path], [("GENE", genes), ("CHEMICAL", drugs)], tmp_path / "corpus").path)
    with pytest.raises(KgrelError, match="'1' may be CHEMICAL::1, GENE::1"):
        find_entity(corpus, "1")


def test_a_corpus_without_an_index_is_refused_by_name(corpus: Corpus) -> None:
    del corpus.artifact.manifest.files["evidence.arrow"]
    with pytest.raises(ArtifactError, match="build the corpus again"):
        EvidenceIndex.of(corpus)


def test_mentions_are_marked_and_the_sentence_is_escaped() -> None:
    found = marked(Evidence("<7>", "A<B binds C&D.", (0, 3), (10, 13)))
    assert found == "<mark>A&lt;B</mark> binds <mark>C&amp;D</mark>. <span class=note>&lt;7&gt;</span>"
