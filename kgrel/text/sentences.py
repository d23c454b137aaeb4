"""Reader of sentence files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kgrel.data.errors import InputError
from kgrel.data.files import decode_line, header_columns, lines_of
from kgrel.text.badlines import BadLines

COLUMNS = {"doc_id": ("doc_id", "pmid", "document"), "sentence": ("sentence", "text")}


class Sentence(NamedTuple):
    """One line of a sentence file."""

    doc_id: str
    text: str


def read_sentences(path: str | Path, bad: BadLines) -> Iterator[Sentence]:
    """Read a tab-separated file, gzip or plain; quotes are characters like any other.

    Its header names the columns ``doc_id`` (or ``pmid``, ``document``) and ``sentence`` (or ``text``).

    Args:
        bad: receives lines with another number of fields than the header has, NUL bytes or invalid UTF-8.

    Yields:
        Every other line, those with an empty sentence included.

    Raises:
        InputError: the file is missing, empty, damaged, holds no sentence or lacks a column, or it has a bad
            line under ``strict``.
    """
    lines = lines_of(path)
    first = next(lines, None)
    if first is None:
        raise InputError(path, "is empty; a header and sentences are needed")
    header = decode_line(path, *first)
    columns, width = header_columns(path, header, COLUMNS), header.count("\t") + 1
    document, sentence = columns["doc_id"], columns["sentence"]
    number = 1
    for number, line in lines:
        try:
            fields = decode_line(path, number, line).split("\t")
            if len(fields) != width:
                raise InputError(path, f"has {len(fields)} fields, the header has {width}", number)
        except InputError as error:
            bad.add(error, number)
            continue
        yield Sentence(fields[document], fields[sentence])
    if number == 1:
        raise InputError(path, "holds a header but no sentence")
