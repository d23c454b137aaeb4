from __future__ import annotations

import json
from pathlib import Path

import pytest

from kgrel.data.errors import InputError
from kgrel.text import documents
from kgrel.text.badlines import BadLines
from kgrel.text.documents import Document, Given, Passage
from kgrel.text.readers import format_of, read_documents
from tests.compressing import COMPRESSIONS, compressed


def read(path: Path, bad: BadLines | None = None, format: str = "auto") -> list[Document]:
    return list(read_documents(path, format, bad or BadLines(strict=True)))


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.tsv", "tsv"), ("A.TSV.GZ", "tsv"), ("a.jsonl.zst", "jsonl"), ("a.pubtator", "pubtator"),
        ("a.b.json.gz", "bioc"), ("a.txt", "text"), ("a", "tsv"), ("a.csv", "tsv"),
    ],
)  # fmt: skip
def test_the_ending_tells_the_format(name: str, format: str) -> None:
    assert format_of(Path(name)) == format


def test_a_given_format_wins_over_the_ending(write) -> None:
    path = write("a.txt", "doc_id\tsentence\n1\tgout\n")
    assert read(path, format="tsv") == [Document("1", (Passage("gout", True),))]


def test_sentences_that_follow_each_other_make_a_document(write) -> None:
    path = write("a.tsv", "doc_id\tsentence\n1\ta\n1\tb\n2\tc\n1\td\n")
    assert [(doc.doc_id, len(doc.passages)) for doc in read(path)] == [("1", 2), ("2", 1), ("1", 1)]


def test_sentences_of_an_unknown_document_stand_alone(write) -> None:
    path = write("a.tsv", "doc_id\tsentence\nPMC\ta\nPMC\tb\n\tc\n\td\n")
    assert [len(doc.passages) for doc in read(path)] == [1, 1, 1, 1]


def test_a_long_document_comes_in_parts(write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LONGEST_RUN", 2)
    path = write("a.tsv", "doc_id\tsentence\n" + "1\ta\n" * 5)
    assert [len(doc.passages) for doc in read(path)] == [2, 2, 1]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_files_read_like_plain_ones(sentences: Path, compression: str) -> None:
    assert read(compressed(sentences, compression)) == read(sentences)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_plain_text_is_called_as_its_file_without_the_endings(write, compression: str) -> None:
    (document,) = read(compressed(write("My.Notes.TXT", "A sentence."), compression))
    assert document.doc_id == "My.Notes"


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_compressed_file_that_is_cut_short_is_refused(write, compression: str) -> None:
    content = b"doc_id\tsentence\n" + b"".join(b"%d\tsentence %d\n" % (n, n * n) for n in range(9000))
    path = compressed(write("s.tsv", content), compression)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="damaged or cut short"):
        read(path)


def test_mixed_line_ends_are_line_ends(write) -> None:
    path = write("a.tsv", b"doc_id\tsentence\r\n1\ta\n2\tb\r\n3\tc\rd\n")
    assert [doc.passages[0].text for doc in read(path)] == ["a", "b", "c\rd"]


def test_a_line_of_ten_megabytes_is_one_sentence(write) -> None:
    path = write("a.tsv", b"doc_id\tsentence\n1\t" + b"word " * 2_000_000 + b"\n2\tnext\n")
    assert [len(doc.passages[0].text) for doc in read(path)] == [10_000_000, 4]


# Sentences as JSON


def json_line(**values: object) -> str:
    return json.dumps({"doc_id": "1", "sentence": "né ABC1 binds gout", **values}) + "\n"


def mention(start: int, end: int, **more: object) -> dict[str, object]:
    return {"start": start, "end": end, "type": "Gene", "id": "7", **more}


def test_json_sentences_bring_their_mentions_or_are_to_be_tagged(write) -> None:
    lines = json_line(mentions=[mention(14, 18), mention(3, 7, text="ABC1")]) + "\n" + json_line(pmid=2)
    (document,) = read(write("a.jsonl", lines))
    assert document.passages[0].given == (Given(3, 7, "GENE", "7"), Given(14, 18, "GENE", "7"))
    assert document.passages[1].given is None


@pytest.mark.parametrize(
    ("bad_mention", "reason"),
    [
        (mention(14, 99), "14-99 is not within its text of 18 characters"),
        (mention(7, 3), "7-3 is not within"),
        (mention(-1, 3), "-1-3 is not within"),
        (mention(3, 7, text="ABC2"), "the text at 3-7 is 'ABC1', not 'ABC2'"),
        (mention(4, 8, text="ABC1"), "the offsets count bytes, but characters are needed"),
    ],
)
def test_a_mention_that_does_not_fit_is_left_out_and_counted(
    write, bad_mention: dict[str, object], reason: str
) -> None:
    path, bad = write("a.jsonl", json_line() + json_line(mentions=[bad_mention, mention(14, 18)])), BadLines()
    (document,) = read(path, bad)
    assert document.passages[1].given == (Given(14, 18, "GENE", "7"),)
    assert bad.count == 1
    assert bad.first[0].startswith("a.jsonl line 2: ")
    assert reason in bad.first[0]
    with pytest.raises(InputError, match="line 2"):
        read(path)


@pytest.mark.parametrize(
    "line", ["[1]", "{", '{"doc_id": "1"}', '{"sentence": "a"}', '{"doc_id": "1", "sentence": 7}',
             '{"doc_id": "1", "sentence": "a", "mentions": [{"start": 0}]}', "\0", "[" * 100_000],
)  # fmt: skip
def test_a_line_that_is_no_sentence_is_counted(write, line: str) -> None:
    path, bad = write("a.jsonl", line + "\n" + json_line()), BadLines()
    assert len(read(path, bad)) == 1
    assert bad.count == 1
    assert bad.first[0].startswith("a.jsonl line 1: ")


# Plain text


def test_plain_text_is_one_document_of_paragraphs(write) -> None:
    path = write("PMC 12.final.txt", "First line\nof a paragraph.\r\n\r\n\nSecond one.\n")
    assert read(path) == [
        Document("PMC 12.final", (Passage("First line of a paragraph.", False), Passage("Second one.", False)))
    ]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.pubtator", "a.json", "a.tsv"])
def test_a_file_without_content_is_refused(write, name: str) -> None:
    with pytest.raises(InputError, match=name):
        read(write(name, "\n\n" if name != "a.tsv" else ""))


def test_a_file_whose_lines_are_all_bad_says_why(write) -> None:
    path, bad = write("a.txt", b"\xff\n\xfe\n"), BadLines()
    with pytest.raises(
        InputError, match=r"holds no text; 2 bad lines left out, e\.g\. a\.txt line 1: is not valid UTF-8"
    ):
        read(path, bad)
    with pytest.raises(InputError, match=r"holds no text$"):
        read(write("b.txt", "\n\n"))
