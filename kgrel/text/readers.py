"""Which reader an input file needs, and the readers that are a few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from kgrel.data.entities import canonical_type
from kgrel.data.errors import InputError
from kgrel.data.files import decode_line, lines_of, without_compression
from kgrel.data.json_values import parse_json
from kgrel.text.badlines import BadLines
from kgrel.text.bioc import read_bioc
from kgrel.text.documents import LONGEST_RUN, Document, Given, Passage, check_given, documents_of
from kgrel.text.pubtator import read_pubtator
from kgrel.text.sentences import COLUMNS, Sentence, read_sentences

ENDINGS = {
    ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".pubtator": "pubtator", ".json": "bioc",
    ".txt": "text",
}  # fmt: skip
"""Ending of a file name without .gz or .zst → format."""


def format_of(path: Path) -> str:
    """The format that the ending of a file name tells; a table if it tells none."""
    return ENDINGS.get(Path(without_compression(path)).suffix.lower(), "tsv")


def read_documents(path: str | Path, format: str, bad: BadLines) -> Iterator[Document]:
    """Read a file of any format.

    Args:
        format: tsv, jsonl, pubtator, bioc or text; ``auto`` goes by the ending.
        bad: receives what cannot be used, see the readers.

    Raises:
        InputError: the file cannot be read as this format, or a bad line under ``strict``.
    """
    path = Path(path)
    readers: dict[str, Callable[[Path, BadLines], Iterator[Document]]] = {
        "tsv": read_table,
        "jsonl": read_jsonl,
        "pubtator": read_pubtator,
        "bioc": read_bioc,
        "text": read_text,
    }
    return readers[format_of(path) if format == "auto" else format](path, bad)


def read_table(path: Path, bad: BadLines) -> Iterator[Document]:
    """Tab-separated sentences, see :func:`kgrel.text.sentences.read_sentences`."""
    return documents_of((sentence, None) for sentence in read_sentences(path, bad))


def read_jsonl(path: Path, bad: BadLines) -> Iterator[Document]:
    """One sentence a line: ``{"doc_id": "1", "sentence": "…", "mentions": [{"start": 0, "end": 5, "type": "GENE",
    "id": "7124", "text": "…"}]}``.

    Without ``mentions`` the sentence is to be tagged; ``text`` of a mention is optional and checked. Offsets count
    characters, the end is the character after the last.

    Args:
        bad: receives lines that are no such object, and mentions that do not fit their sentence.

    Raises:
        InputError: no sentence, a damaged file, or a bad line under ``strict``.
    """
    return documents_of(_json_sentences(path, bad))


def _json_sentences(path: Path, bad: BadLines) -> Iterator[tuple[Sentence, tuple[Given, ...] | None]]:
    read = False
    for number, raw in lines_of(path):
        if not raw.strip():
            continue
        read = True
        try:
            yield _json_sentence(path, number, decode_line(path, number, raw), bad)
        except InputError as error:
            bad.add(error, number)
    if not read:
        raise InputError(path, "holds no sentence; one JSON object a line is needed")


def _json_sentence(path: Path, number: int, line: str, bad: BadLines) -> tuple[Sentence, tuple[Given, ...] | None]:
    try:
        values = parse_json(line)
        doc_id, text = (next(values[name] for name in names if name in values) for names in COLUMNS.values())
        if not isinstance(text, str):
            raise TypeError("the sentence is no text")
        sentence, rows = Sentence(str(doc_id), text), values.get("mentions")
        if rows is None:
            return sentence, None
        mentions = [
            (Given(int(row["start"]), int(row["end"]), canonical_type(row["type"]), str(row["id"])), row.get("text"))
            for row in rows
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        reason = (
            "doc_id or sentence is missing" if isinstance(error, RuntimeError) else f"{type(error).__name__}: {error}"
        )
        raise InputError(path, f"is no sentence as a JSON object ({reason})", number) from None
    fitting = [given for given, spelled in mentions if check_given(path, number, text, given, spelled, bad)]
    return sentence, tuple(sorted(fitting))


def read_text(path: Path, bad: BadLines) -> Iterator[Document]:
    """Plain text: the file is one document, called as the file; empty lines part its paragraphs.

    Args:
        bad: receives lines with a NUL byte or invalid UTF-8.

    Raises:
        InputError: no text, a damaged file, or a bad line under ``strict``.
    """
    doc_id = Path(without_compression(path)).stem
    passages: list[Passage] = []
    read = False
    for paragraph in _paragraphs(path, bad):
        read = True
        passages.append(Passage(paragraph, False))
        if len(passages) == LONGEST_RUN:
            yield Document(doc_id, tuple(passages))
            passages = []
    if passages:
        yield Document(doc_id, tuple(passages))
    if not read:
        raise InputError(path, "holds no text" + bad.told)


def _paragraphs(path: Path, bad: BadLines) -> Iterator[str]:
    lines: list[str] = []
    for number, raw in lines_of(path):
        try:
            line = decode_line(path, number, raw).strip()
        except InputError as error:
            bad.add(error, number)
            continue
        if line:
            lines.append(line)
        elif lines:
            yield " ".join(lines)
            lines = []
    if lines:
        yield " ".join(lines)
