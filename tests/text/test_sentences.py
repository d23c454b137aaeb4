from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.sentences import Sentence, read_sentences


def test_quotes_crlf_and_other_columns_do_no_harm(write) -> None:
    path = write("s.tsv", b'\xef\xbb\xbfText\tyear\tPMID\r\na "b\t1999\t7\r\n""c\'\t2000\tPMC\r\n')
    assert list(read_sentences(path, BadLines(strict=True))) == [
        Sentence("7", 'a "b'),
        Sentence("PMC", '""c\''),
    ]


def test_gzip_and_plain_read_the_same(sentences: Path, write) -> None:
    zipped = write("s.tsv.gz", gzip.compress(sentences.read_bytes()))
    assert list(read_sentences(zipped, BadLines())) == list(read_sentences(sentences, BadLines()))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"doc_id\tsentence\n", "no sentence"),
        (b"11\tA sentence without a header.\n", "no column 'doc_id' or 'pmid' or 'document'"),
        (b"doc_id\twords\n1\ta\n", "no column 'sentence' or 'text'"),
        (b"doc_id\tsen\0tence\n", "NUL"),
    ],
)
def test_a_file_without_header_or_sentences_is_refused(write, content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        list(read_sentences(write("s.tsv", content), BadLines()))


@pytest.mark.parametrize("line", [b"only one field", b"1\ta\tb", b"1\tx\0y", b"1\tcaf\xe9", b""])
def test_a_bad_line_is_counted_and_fatal_only_under_strict(write, line: bytes) -> None:
    path, bad = write("s.tsv", b"doc_id\tsentence\n1\tgood\n" + line + b"\n2\tgood too\n"), BadLines()
    assert [sentence.doc_id for sentence in read_sentences(path, bad)] == ["1", "2"]
    assert bad.count == 1
    assert bad.first[0].startswith("s.tsv line 3: ")
    with pytest.raises(InputError) as error:
        list(read_sentences(path, BadLines(strict=True)))
    assert error.value.line == 3


def test_only_the_first_few_reasons_are_kept(write) -> None:
    path, bad = write("s.tsv", "doc_id\tsentence\n" + "bad\n" * 50), BadLines()
    assert list(read_sentences(path, bad)) == []
    assert (bad.count, len(bad.first)) == (50, 5)
