from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.documents import Given
from kgrel.text.pubtator import read_pubtator

TEXT = "7|t|Gout and ABC1.\n7|a|Né fever lowers ABC1.\n"
MENTIONS = "7\t0\t4\tGout\tDisease\tD1\n7\t18\t23\tfever\tDiseaseOrPhenotypicFeature\tD2\n7\tCID\tD1\tD2\n"


def test_title_and_abstract_are_passages_with_their_mentions(write) -> None:
    path = write("a.pubtator", "\n" + TEXT + MENTIONS + "\n\n8|t|Bare title\n8|a|\n")
    first, second = read_pubtator(path, BadLines(strict=True))
    assert [passage.text for passage in first.passages] == ["Gout and ABC1.", "Né fever lowers ABC1."]
    assert [passage.given for passage in first.passages] == [
        (Given(0, 4, "DISEASE", "D1"),),
        (Given(3, 8, "DISEASE", "D2"),),
    ]
    assert [passage.given for passage in second.passages] == [None, None]


@pytest.mark.parametrize("text", ["9|a|Only an abstract.\n", "9|t|Only a title.\n"])
def test_a_document_without_title_or_abstract_is_read(write, text: str) -> None:
    (document,) = read_pubtator(write("a.pubtator", text), BadLines(strict=True))
    assert "".join(passage.text for passage in document.passages) == text[4:-1]


def test_offsets_of_a_document_without_title_begin_behind_the_blank(write) -> None:
    path = write("a.pubtator", "9|t|\n9|a|Gout.\n9\t1\t5\tGout\tDisease\tD1\n")
    (document,) = read_pubtator(path, BadLines(strict=True))
    assert document.passages[1].given == (Given(0, 4, "DISEASE", "D1"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7\t30\t99\tABC1\tGene\t1", "is not within its text"),
        ("7\t9\t13\tABC2\tGene\t1", "is 'ABC1', not 'ABC2'"),
        ("7\t19\t24\tfever\tDisease\tD2", "the offsets count bytes"),
        ("7\t9\t17\tABC1. Né\tGene\t1", "runs from the title into the abstract"),
        ("no line of PubTator", "is neither"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_counted(write, line: str, reason: str) -> None:
    path, bad = write("a.pubtator", TEXT + MENTIONS + line + "\n"), BadLines()
    (document,) = read_pubtator(path, bad)
    assert sum(len(passage.given or ()) for passage in document.passages) == 2
    assert bad.count == 1
    assert reason in bad.first[0]
    with pytest.raises(InputError):
        list(read_pubtator(path, BadLines(strict=True)))


def test_the_second_document_of_an_identifier_is_left_out_and_counted(write) -> None:
    path, bad = write("a.pubtator", TEXT + "\n" + TEXT + "\n8|t|Other\n"), BadLines()
    assert [document.doc_id for document in read_pubtator(path, bad)] == ["7", "8"]
    assert bad.first == ["a.pubtator line 4: the document 7 stood before; it is left out"]


GOLD = Path(__file__).parents[2].parent / "shared" / "data" / "pubtator"


@pytest.mark.skipif(not GOLD.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize(("name", "documents"), [("bc5cdr-dev", 500), ("biored-dev", 100)])
def test_the_gold_files_are_read_whole(name: str, documents: int) -> None:
    bad = BadLines()
    read = list(read_pubtator(GOLD / f"{name}.pubtator", bad))
    assert (len(read), bad.count) == (documents, 0)
    lines = (GOLD / f"{name}.pubtator").read_text(encoding="utf-8").splitlines()
    expected = sum(line.split("\t")[1:2] != [] and line.split("\t")[1].isdigit() for line in lines)
    assert sum(len(passage.given or ()) for document in read for passage in document.passages) == expected
