from __future__ import annotations

import pytest

from kgrel.data.errors import KgrelError
from kgrel.text.mentions import END, ENT, MAX_TOKENS, Mark, Statement, context_words, mark_finder, statement_of

TEXT = "AKT1 drives cancer"
GENE, DISEASE = Mark(0, 4, "gene"), Mark(12, 18, "Disease")


def test_a_statement_is_in_the_order_of_the_text() -> None:
    expected = Statement(TEXT, (0, 4), (12, 18), ("GENE", "DISEASE"))
    assert statement_of(TEXT, [GENE, DISEASE]) == statement_of(TEXT, [DISEASE, GENE]) == expected


@pytest.mark.parametrize(
    ("text", "marks", "status"),
    [
        ("  ", [], "no_sentence"),
        (TEXT, [], "no_mark"),
        (TEXT, [GENE], "one_mark"),
        (TEXT, [GENE, DISEASE, Mark(5, 11, "GENE")], "many_marks"),
        (TEXT, [GENE, Mark(12, 19, "DISEASE")], "bad_mark"),
        (TEXT, [GENE, Mark(12, 12, "DISEASE")], "bad_mark"),
        (TEXT, [GENE, Mark(12, 18, "")], "bad_mark"),
        (TEXT, [GENE, Mark(3, 18, "DISEASE")], "overlap"),
    ],
)
def test_what_is_no_statement_says_why(text: str, marks: list[Mark], status: str) -> None:
    assert statement_of(text, marks) == status


def test_marks_are_found_by_pattern_or_by_mapping() -> None:
    assert mark_finder(())("a @GENE$ and @chemical-x$") == [Mark(2, 8, "GENE"), Mark(13, 25, "chemical-x")]
    find = mark_finder(("PROT=GENE", "PROT2=DISEASE"))
    assert find("PROT2 PROT") == [Mark(0, 5, "DISEASE"), Mark(6, 10, "GENE")]
    with pytest.raises(KgrelError, match="MARK=TYPE"):
        mark_finder(("PROT",))


def test_a_glued_placeholder_is_one_token() -> None:
    read = statement_of("@GENE$-positive(@DISEASE$)", mark_finder(())("@GENE$-positive(@DISEASE$)"))
    assert isinstance(read, Statement)
    assert context_words(read) == ([ENT, "-", "positive", "(", ENT, ")", END], False)


def test_a_long_sentence_is_cut_around_both_mentions() -> None:
    words = ["w"] * 300
    words[200], words[210] = "@A$", "@B$"
    text = " ".join(words)
    read = statement_of(text, mark_finder(())(text))
    assert isinstance(read, Statement)
    context = context_words(read)
    assert context is not None
    assert (len(context[0]), context[0].count(ENT), context[1]) == (MAX_TOKENS, 2, True)
    words[10] = "@C$"
    far = " ".join(words).replace("@B$", "w")
    read = statement_of(far, mark_finder(())(far))
    assert isinstance(read, Statement)
    assert context_words(read) is None
