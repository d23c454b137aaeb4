"""What can be asked: pairs, lists, entities, sentences, relations."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from kgrel.data.errors import KgrelError
from kgrel.search.answers import SCHEMA, text_answers
from kgrel.search.ask import ask
from kgrel.search.index import RelationIndex
from kgrel.search.queries import marked_sentence, sentence_query
from kgrel.search.settings import SearchSettings
from kgrel.text.badlines import BadLines
from kgrel.text.corpus import Corpus
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.lexicon import build_lexicon, read_lexicon
from kgrel.text.settings import BuildCorpusSettings


def identifier(index: RelationIndex, row: int) -> str:
    return f"{index.entities.types[row]}::{index.entities.ids[row]}"


def test_a_pair_may_be_named_and_need_not_be_indexed(index: RelationIndex) -> None:
    head, tail = int(index.pairs.heads[8]), int(index.pairs.tails[8])
    by_id, summary = ask(index, pair=(identifier(index, head), identifier(index, tail)))
    by_name, _ = ask(index, pair=(index.entities.names[head].upper(), index.entities.names[tail]))
    assert by_id.equals(by_name)
    assert by_id.schema.names == SCHEMA.names
    assert summary["indexed"]
    pairs = set(zip(index.pairs.heads.tolist(), index.pairs.tails.tolist(), strict=True))
    unseen = next((a, b) for a in range(30) for b in range(a + 1, 40) if (a, b) not in pairs)
    found, summary = ask(index, pair=(identifier(index, unseen[0]), identifier(index, unseen[1])))
    assert found.num_rows == 10
    assert not summary["indexed"]
    assert found.column("contexts").null_count == 0


def test_unknown_and_equal_entities_are_refused(index: RelationIndex) -> None:
    some = identifier(index, 0)
    with pytest.raises(KgrelError, match="no entity 'nobody' is known to the representation"):
        ask(index, pair=("nobody", some))
    with pytest.raises(KgrelError, match="same entity"):
        ask(index, pair=(some, some))


def test_each_row_of_a_list_is_a_query_with_its_line(index: RelationIndex, tmp_path: Path) -> None:
    first, second = (identifier(index, int(side[2])) for side in (index.pairs.heads, index.pairs.tails))
    path = tmp_path / "asked.csv"
    path.write_text(f"head,tail\n{first},{second}\nGENE::nobody,{second}\n{second},{first}\n")
    table, summary = ask(index, SearchSettings(top=3), pairs=path)
    assert table.column("line").to_pylist() == [2, 2, 2, 4, 4, 4]
    assert summary["queries"] == {"ok": 2, "unknown_source": 1}
    alone, _ = ask(index, SearchSettings(top=3), pair=(first, second))
    assert table.slice(0, 3).select(SCHEMA.names).equals(alone)
    assert "query_source" in text_answers(table).splitlines()[0]


def test_an_answer_stands_in_the_order_in_which_it_is_near(index: RelationIndex) -> None:
    first, second = (identifier(index, int(side[2])) for side in (index.pairs.heads, index.pairs.tails))
    settings = SearchSettings(top=1, keep_query=True)
    for pair, order in (((first, second), "given"), ((second, first), "reversed")):
        (row,) = ask(index, settings, pair=pair)[0].to_pylist()
        assert (row["source"], row["target"], row["order"]) == (*pair, order)


def test_the_relations_of_an_entity_come_in_clusters(index: RelationIndex) -> None:
    entity = int(np.bincount(np.concatenate([index.pairs.heads, index.pairs.tails])).argmax())
    table, summary = ask(index, entity=identifier(index, entity))
    rows = table.to_pylist()
    assert {row["source"] for row in rows} == {identifier(index, entity)}
    assert sum({row["cluster"]: row["size"] for row in rows}.values()) == summary["entity"]["pairs"]
    assert len({row["target"] for row in rows}) == len(rows)
    with pytest.raises(KgrelError, match="no pair of the index has"):
        ask(index, SearchSettings(head_type="CHEMICAL", tail_type="CHEMICAL"), entity=identifier(index, entity))


@pytest.mark.parametrize("by", ["centroid", "members"])
def test_a_relation_finds_other_pairs_than_its_own(index: RelationIndex, by: str) -> None:
    table, summary = ask(index, relation="DISEASE-GENE", by=by)
    assert summary["listed_pairs"] > 5
    assert "DISEASE-GENE" not in table.column("relation").to_pylist()
    kept, _ = ask(index, SearchSettings(keep_query=True), relation="DISEASE-GENE", by="members")
    assert set(kept.column("relation").to_pylist()) == {"DISEASE-GENE"}


def test_a_sentence_is_read_by_the_recogniser_as_its_context(index: RelationIndex, corpus_path: Path) -> None:
    corpus = Corpus.open(corpus_path)
    evidence, context = corpus.sentence_of(5), corpus.contexts.row(5)
    (a, b), (c, d) = evidence.head, evidence.tail
    ids = [identifier(index, row) for row in (context.head, context.tail)]
    text = evidence.text
    marked = f"{text[:a]}[[{ids[0]}|{text[a:b]}]]{text[b:c]}[[{ids[1]}|{text[c:d]}]]{text[d:]}"
    found = marked_sentence(index, marked, None)
    assert (found.text, found.spans, found.rows) == (text, (evidence.head, evidence.tail), (context.head, context.tail))
    query, model = sentence_query(index, found), index.representation.model
    tokens, noise = torch.tensor([context.tokens]), index.sampler.noise
    x, y = torch.tensor([context.head]), torch.tensor([context.tail])
    with torch.inference_mode():
        expected = model.sample_contexts(x, y, tokens, noise.u, noise.z)[0]
    assert np.allclose(query.vectors, expected.numpy(), atol=1e-6)
    assert ask(index, sentence=marked)[1]["entities"] == ids


def test_unmarked_entities_are_tagged(index: RelationIndex, world_files: dict[str, Path], corpus_path: Path) -> None:
    settings, bad = BuildCorpusSettings(), BadLines()
    terms = [
        term
        for kind, name in (("GENE", "genes.tsv"), ("DISEASE", "diseases.tsv"), ("CHEMICAL", "chemicals.tsv"))
        for term in read_lexicon(kind, world_files[name], settings, bad)
    ]
    tagger = DocumentTagger(build_lexicon(terms, settings), settings)
    gene, disease = index.entities.types.index("GENE"), index.entities.types.index("DISEASE")
    names = index.entities.names
    found = marked_sentence(index, f"We saw that {names[gene]} has a part in {names[disease]} here .", tagger)
    assert found.rows == (gene, disease)
    with pytest.raises(KgrelError, match="here are 1"):
        marked_sentence(index, f"We saw that {names[gene]} has no part .", tagger)


@pytest.mark.parametrize(
    "sentence", ["[[{0}]] is alone", "nobody is marked", "[[{0}]] and [[{0}]]", "[[{0}]] [[{1}]] [[{2}]]"]
)
def test_a_sentence_without_two_entities_is_refused(index: RelationIndex, sentence: str) -> None:
    with pytest.raises(KgrelError, match="must name two different entities"):
        ask(index, sentence=sentence.format(*(identifier(index, row) for row in range(3))))


def test_without_a_trained_recogniser_no_sentence_can_be_read(index: RelationIndex) -> None:
    untrained = dataclasses.replace(index, layout=dataclasses.replace(index.layout, posterior="prior"))
    first, second = identifier(index, 0), identifier(index, 1)
    with pytest.raises(KgrelError, match="pretrain with --posterior recogniser"):
        ask(untrained, sentence=f"[[{first}]] binds [[{second}]]")
