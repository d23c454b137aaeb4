from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.text.disambiguation import Question
from kgrel.text.lexicon import Lexicon, build_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tagger import Mention, Tagger
from kgrel.text.terms import Term

PLAIN = BuildCorpusSettings(min_name_length=1, builtin_stop_words=False, hyphens=False, greek=False, plurals=False)
NORMAL = replace(PLAIN, hyphens=True, greek=True, plurals=True)


def lexicon_of(*names: str, type_: str = "DISEASE") -> Lexicon:
    return build_lexicon([Term(type_, name, names=(name,)) for name in names], PLAIN)


def tagged(text: str, *names: str, type_: str = "DISEASE") -> list[str]:
    return [text[m.start : m.end] for m in Tagger(lexicon_of(*names, type_=type_)).tag(text)]


def naive_tag(text: str, lexicon: Lexicon) -> list[Mention]:
    """At each place the longest name that counts, found by trying every end."""
    folded, mentions, start = lexicon.normaliser.fold(text), [], 0
    while start < len(text):
        for end in range(len(text), start, -1):
            use = lexicon.names.get(folded[start:end])
            whole = not (start and folded[start - 1].isalnum()) and not folded[end : end + 1].isalnum()
            if (
                use
                and whole
                and (use.spellings is None or lexicon.normaliser.spelling(text[start:end]) in use.spellings)
            ):
                mentions.append(Mention(start, end, use.entity))
                start = end - 1
                break
        start += 1
    return mentions


ALPHABET = "aAbB1 -‐α\u03b1İßσΣςµμ"
NAMES = st.lists(st.text(ALPHABET, min_size=1, max_size=7), min_size=1, max_size=12)


@given(NAMES, st.text(ALPHABET, max_size=40), st.sampled_from(["GENE", "DISEASE"]), st.sampled_from([PLAIN, NORMAL]))
def test_tagging_agrees_with_trying_every_span(
    names: list[str], text: str, type_: str, settings: BuildCorpusSettings
) -> None:
    lexicon = build_lexicon([Term(type_, name, synonyms=(name,)) for name in names], settings)
    assert Tagger(lexicon).tag(text) == naive_tag(text, lexicon)


def test_only_whole_words_are_tagged() -> None:
    assert tagged("gouty nogout gout-like (gout) gout2 gout", "gout") == ["gout"] * 3


def test_the_longest_name_wins_and_mentions_do_not_overlap() -> None:
    names = ("breast cancer", "cancer", "cancer pain", "breast")
    assert tagged("breast cancer pain, cancer pain", *names) == ["breast cancer", "cancer pain"]


def test_a_longer_match_that_is_no_whole_word_hides_nothing() -> None:
    assert tagged("alpha betas", "alpha", "alpha beta") == ["alpha"]
    assert tagged("new alpha betas", "new alpha beta", "alpha") == ["alpha"]


def test_a_longer_match_in_the_wrong_case_hides_nothing() -> None:
    assert tagged("tnf-A levels", "TNF-A", "tnf", type_="GENE") == ["tnf"]


def test_short_gene_names_are_tagged_in_their_case_only() -> None:
    assert tagged("CAT and cat and Cat", "CAT", type_="GENE") == ["CAT"]
    assert tagged("CASPASE and Caspase", "caspase", type_="GENE") == ["CASPASE", "Caspase"]


def test_offsets_stay_right_behind_characters_whose_lower_case_is_longer() -> None:
    assert tagged("İİİ and GOUT", "gout") == ["GOUT"]


def test_a_lexicon_without_names_tags_nothing() -> None:
    assert Tagger(build_lexicon([], PLAIN)).tag("anything") == []


class ByWord:
    """Decides for the type whose name in lower case stands in the sentence."""

    hash = "by word"

    def decide(self, questions: Sequence[Question]) -> list[str | None]:
        return [next((t for t in q.types if t.lower() in q.text), None) for q in questions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("the gene WASP", "1"), ("the disease WASP", "2"), ("the WASP", None), ("the chemical WASP", None)],
)
def test_a_disambiguator_decides_among_types(text: str, expected: str | None) -> None:
    terms = [Term("GENE", "1", symbols=("WASP",)), Term("DISEASE", "2", synonyms=("WASP",))]
    terms += [Term("CHEMICAL", "3", names=("WASP",)), Term("CHEMICAL", "4", names=("WASP",))]
    lexicon = build_lexicon(terms, PLAIN)
    tagger = Tagger(lexicon, ByWord())
    assert [lexicon.terms[mention.entity].id for mention in tagger.tag(text)] == ([expected] if expected else [])
    assert (tagger.questions, tagger.unanswered) == (1, expected is None)
    assert Tagger(lexicon).tag(text) == []


def test_a_mention_left_undecided_hides_no_shorter_name() -> None:
    terms = [Term("GENE", "1", names=("stiff man",)), Term("DISEASE", "2", names=("stiff man",))]
    lexicon = build_lexicon([*terms, Term("DISEASE", "3", names=("stiff",))], PLAIN)
    assert [mention.end for mention in Tagger(lexicon, ByWord()).tag("a stiff man")] == [7]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TNF-alpha", "TNF-α"),
        ("TNF-alpha", "TNF α"),
        ("TNFα", "TNFalpha"),
        ("IL-22BP", "IL22BP"),
        ("IL22", "IL-22"),
        ("type-2 diabetes", "type 2‐diabetes"),
        ("IL1-BETA", "IL-1β"),
        ("neuropathy", "neuropathies"),
        ("metastasis", "Metastases"),
        ("breast cancer", "BREAST CANCERS"),
        ("μ-opioid receptor", "µ opioid receptor"),
    ],
)
def test_spellings_of_one_name_are_found_unless_turned_off(name: str, text: str) -> None:
    terms = [Term("DISEASE", "1", names=(name,))]
    assert [m[:2] for m in Tagger(build_lexicon(terms, NORMAL)).tag(f"({text})")] == [(1, 1 + len(text))]
    assert Tagger(build_lexicon(terms, PLAIN)).tag(f"({text})") == []


@pytest.mark.parametrize("text", ["neuropathis", "TNF-A", "breast-cancerous", "IL222"])
def test_what_only_resembles_a_name_is_not_found(text: str) -> None:
    terms = [Term("DISEASE", "1", names=("neuropathy", "TNF-alpha", "breast cancer", "IL22"))]
    assert Tagger(build_lexicon(terms, NORMAL)).tag(text) == []


def test_apostrophes_are_one() -> None:
    assert tagged("Huntington’s and Huntington's disease", "Huntington's", "huntington’s disease") == [
        "Huntington’s",
        "Huntington's disease",
    ]
