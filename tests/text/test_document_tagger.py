from __future__ import annotations

from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.lexicon import build_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.terms import Term

TERMS = [
    Term("DISEASE", "als", names=("amyotrophic lateral sclerosis",)),
    Term("GENE", "sod1", symbols=("SOD1",), synonyms=("ALS",)),
    Term("GENE", "als2", symbols=("ALS2",), synonyms=("ALS receptor",)),
    Term("GENE", "vip", symbols=("VIP",), names=("vasoactive intestinal peptide",)),
]


def tagged(*texts: str, abbreviations: bool = True) -> list[list[tuple[str, str]]]:
    settings = BuildCorpusSettings(abbreviations=abbreviations)
    tagger = DocumentTagger(build_lexicon(TERMS, settings), settings)
    (rows,) = tagger.tag_documents([texts])
    return [
        [(text[m.start : m.end], tagger.lexicon.terms[m.entity].id) for m in mentions]
        for text, mentions in zip(texts, rows, strict=True)
    ]


DEFINITION = "Amyotrophic lateral sclerosis (ALS) is rare."


def test_a_defined_abbreviation_means_its_long_form_in_the_whole_document() -> None:
    before, definition, after = tagged("ALS.", DEFINITION, "In ALS and als, not DALS.")
    assert before == [("ALS", "als")]
    assert definition == [("Amyotrophic lateral sclerosis", "als"), ("ALS", "als")]
    assert after == [("ALS", "als")]


def test_without_the_setting_or_a_definition_the_lexicon_decides() -> None:
    assert tagged("ALS.") == [[("ALS", "sod1")]]
    assert tagged("ALS.", DEFINITION, abbreviations=False)[0] == [("ALS", "sod1")]


def test_an_abbreviation_of_something_unknown_means_nothing() -> None:
    assert tagged("Advanced life support (ALS) helps.", "ALS works.") == [[], []]


def test_a_symbol_keeps_its_meaning_if_the_long_form_resembles_a_name() -> None:
    assert tagged("Vasoactive intestinal polypeptide (VIP) rose.") == [[("VIP", "vip")]]
    assert tagged("Very important persons (VIP) came.") == [[]]


def test_a_longer_name_that_holds_the_abbreviation_stays() -> None:
    assert tagged(DEFINITION, "The ALS receptor.")[1] == [("ALS receptor", "als2")]


def test_documents_do_not_share_their_abbreviations() -> None:
    settings = BuildCorpusSettings()
    tagger = DocumentTagger(build_lexicon(TERMS, settings), settings)
    _, ((mention,),) = tagger.tag_documents([[DEFINITION], ["ALS."]])
    assert tagger.lexicon.terms[mention.entity].id == "sod1"
