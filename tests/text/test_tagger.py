from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kgrel.text.folding import fold
from kgrel.text.lexicon import Lexicon, build_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tagger import Mention, Tagger
from kgrel.text.terms import Term

SETTINGS = BuildCorpusSettings(min_name_length=1, builtin_stop_words=False)


def lexicon_of(*names: str, type_: str = "DISEASE") -> Lexicon:
    return build_lexicon([Term(type_, name, names=(name,)) for name in names], SETTINGS)


def tagged(text: str, *names: str, type_: str = "DISEASE") -> list[str]:
    return [text[m.start : m.end] for m in Tagger(lexicon_of(*names, type_=type_)).tag(text)]


def naive_tag(text: str, lexicon: Lexicon) -> list[Mention]:
    """At each place the longest name that counts, found by trying every end."""
    folded, mentions, start = fold(text), [], 0
    while start < len(text):
        for end in range(len(text), start, -1):
            use = lexicon.names.get(folded[start:end])
            whole = not (start and folded[start - 1].isalnum()) and not folded[end : end + 1].isalnum()
            if use and whole and (use.spellings is None or text[start:end] in use.spellings):
                mentions.append(Mention(start, end, use.entity))
                start = end - 1
                break
        start += 1
    return mentions


ALPHABET = "aAbB1 -İßσΣς"
NAMES = st.lists(st.text(ALPHABET, min_size=1, max_size=7), min_size=1, max_size=12)


@given(NAMES, st.text(ALPHABET, max_size=40), st.sampled_from(["GENE", "DISEASE"]))
def test_tagging_agrees_with_trying_every_span(names: list[str], text: str, type_: str) -> None:
    lexicon = build_lexicon([Term(type_, name, synonyms=(name,)) for name in names], SETTINGS)
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
    assert Tagger(build_lexicon([], SETTINGS)).tag("anything") == []
