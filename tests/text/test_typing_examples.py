from __future__ import annotations

from collections.abc import Sequence

import pytest

from kgrel.text.disambiguation import Question
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.documents import Document, Given, Passage
from kgrel.text.lexicon import build_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.terms import Term
from kgrel.text.typing_examples import NONE, Asked, gold_labelled, head_words, self_labelled

TERMS = [
    Term("GENE", "1", symbols=("ABC1",), names=("alpha factor",), synonyms=("PBX", "WASP")),
    Term("GENE", "2", symbols=("CRX",), names=("beta factor",)),
    Term("GENE", "3", names=("gamma factor",), synonyms=("PBS",)),
    Term("DISEASE", "4", names=("fever",), synonyms=("WASP",)),
]
SETTINGS = BuildCorpusSettings()
TAGGER = DocumentTagger(build_lexicon(TERMS, SETTINGS), SETTINGS)


def documents(*texts: str) -> list[Document]:
    return [Document("1", tuple(Passage(text, True) for text in texts))]


def found(*texts: str, per_name: int = 1000) -> set[tuple[str, str]]:
    examples = [e for block in self_labelled(documents(*texts), TAGGER, per_name, seed=0) for e in block]
    return {(example.text[example.start : example.end], example.label) for example in examples}


def test_names_of_one_type_are_examples_but_not_bare_symbols_or_names_of_several() -> None:
    assert found("ABC1, CRX, Fever, WASP.") == {("ABC1", "GENE"), ("Fever", "DISEASE")}


def test_a_definition_makes_an_example_of_its_abbreviation_in_the_whole_document() -> None:
    assert {("CRX", NONE), ("GF", "GENE")} <= found(
        "A cortical radiograph exam (CRX).", "CRX again.", "Gamma factor (GF)."
    )


def test_a_long_form_that_ends_like_names_of_the_lexicon_is_no_example_of_none() -> None:
    assert head_words(TAGGER.lexicon) == {"factor"}
    assert ("CRX", NONE) not in found("Cortical radiant factors (CRX).")


def test_stopped_names_and_plain_words_are_of_no_type() -> None:
    assert found(*["PBS: washed once"] * 99) == {("PBS", NONE), ("washed", NONE), ("once", NONE)}


def test_a_frequent_name_is_thinned_out() -> None:
    texts = ["1 fever 2"] * 400
    examples = [e for block in self_labelled(documents(*texts), TAGGER, 5, seed=0) for e in block]
    assert 5 <= len(examples) < 60
    assert examples == [e for block in self_labelled(documents(*texts), TAGGER, 5, seed=0) for e in block]


def answers(text: str, given: Sequence[Given]) -> list[tuple[str, str]]:
    gold = [Document("1", (Passage(text, True, tuple(given)),))]
    ((*asked,),) = gold_labelled(gold, TAGGER)
    return [(text[a.question.start : a.question.end], a.label) for a in asked]


def test_gold_answers_what_the_tagger_would_ask() -> None:
    text = "WASP and CRX and fever"
    gold = [Given(0, 4, "DISEASE", "4"), Given(17, 22, "GENE", "1")]
    assert answers(text, gold) == [("WASP", "DISEASE"), ("CRX", NONE)]
    ((asked,),) = gold_labelled([Document("1", (Passage("WASP", True, (gold[0],)),))], TAGGER)
    assert asked == Asked(Question("WASP", 0, 4, ("DISEASE", "GENE"), True), "DISEASE")


def test_a_mention_of_a_type_that_is_not_annotated_is_left_out() -> None:
    assert answers("WASP and CRX and fever", [Given(17, 22, "DISEASE", "4")]) == []


@pytest.mark.parametrize(("end", "label"), [(4, "CELLLINE"), (8, "GENE")])
def test_an_overlapping_gold_mention_says_the_type_whatever_its_ends(end: int, label: str) -> None:
    gold = [Given(0, end, label, "1"), Given(9, 14, "DISEASE", "4"), Given(15, 19, "GENE", "1")]
    assert answers("WASP + a fever ABC1", gold)[0] == ("WASP", label)
