from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kgrel.text.documents import Block, Document, Given, Passage, split_sentences

GIVEN = st.none() | st.lists(st.builds(Given, st.integers(), st.integers(), st.text(), st.text())).map(tuple)
PASSAGES = st.lists(st.builds(Passage, st.text(), st.booleans(), GIVEN), max_size=3).map(tuple)


def test_abbreviations_and_decimals_end_no_sentence() -> None:
    text = "Rats got 0.5 mg/kg i.v. of naloxone, e.g. twice. Fig. 2 shows it.  Dr. Smith et al. agree."
    assert [passage.text for passage in split_sentences(Passage(text, False))] == [
        "Rats got 0.5 mg/kg i.v. of naloxone, e.g. twice.",
        "Fig. 2 shows it.",
        "Dr. Smith et al. agree.",
    ]


def test_a_sentence_is_not_split() -> None:
    passage = Passage("One. Two.", True, ())
    assert split_sentences(passage) == [passage]


def test_a_mention_across_the_end_of_a_sentence_holds_it_together() -> None:
    text = "We saw St. Louis. Encephalitis was common. It ended."
    given_mentions = (Given(7, 30, "DISEASE", "1"), Given(43, 45, "DISEASE", "2"))
    first, second = split_sentences(Passage(text, False, given_mentions))
    assert (first.text[7:30], first.given) == (text[7:30], (Given(7, 30, "DISEASE", "1"),))
    assert second.given == (Given(0, 2, "DISEASE", "2"),)


@given(st.text("abAB.?! \n", max_size=60), st.data())
def test_no_text_and_no_mention_is_lost(text: str, data: st.DataObject) -> None:
    places = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True)
    spans = [sorted(data.draw(places)) for _ in range(3)] if len(text) > 1 else []
    mentions = tuple(sorted(Given(start, end, "GENE", "1") for start, end in spans if text[start:end].strip()))
    split = split_sentences(Passage(text, False, mentions))
    assert "".join("".join(passage.text.split()) for passage in split) == "".join(text.split())
    found = [passage.text[g.start : g.end].strip() for passage in split for g in passage.given or ()]
    assert sorted(found) == sorted(text[g.start : g.end].strip() for g in mentions)


@given(st.lists(st.builds(Document, st.text(), PASSAGES), max_size=4))
def test_a_block_gives_back_its_documents(documents: list[Document]) -> None:
    assert Block.of(documents).documents() == documents
