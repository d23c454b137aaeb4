"""Reader of BioC-JSON: collections of documents of passages with annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgrel.data.errors import InputError
from kgrel.data.files import decode_line, lines_of
from kgrel.data.json_values import parse_json
from kgrel.text.badlines import BadLines
from kgrel.text.documents import Document, Given, Passage, check_given
from kgrel.text.pubtator import annotated_type

LARGEST = 1 << 28
"""Bytes of the largest file that is one JSON value."""
_LISTS = ("documents", "PubTator3")


def read_bioc(path: Path, bad: BadLines) -> Iterator[Document]:
    """Read BioC-JSON: one value for the file, or one value a line.

    A value is a document (``id``, ``passages``), a collection (``documents``), or a list of these. A passage has
    ``text``, ``offset`` and ``annotations``, each of these ``locations`` (``offset``, ``length``), ``text`` and
    ``infons`` with ``type`` and ``identifier``. Offsets count characters of the document. Of an annotation with several
    locations the first is used. A document whose passages have no annotation is to be tagged.

    Args:
        bad: receives annotations that do not fit their passage, documents that are no such thing, and documents whose
            identifier stood before in the file; they are left out.

    Raises:
        InputError: no document, no JSON, a damaged file, or a bad line under ``strict``.
    """
    seen: set[str] = set()
    for line, value in _values(path):
        for document in _documents(value):
            try:
                read = _document(path, line, document, bad)
                if read.doc_id in seen:
                    raise InputError(path, f"the document {read.doc_id} stood before; it is left out", line)
            except InputError as error:
                bad.add(error, line)
                continue
            seen.add(read.doc_id)
            yield read
    if not seen:
        raise InputError(path, "holds no document; BioC-JSON has documents with passages" + bad.told)


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    """The JSON values of a file: of each line if the first line is one, else of the whole."""
    lines = ((number, line) for number, line in lines_of(path) if line.strip())
    number, first = next(lines, (1, b""))
    try:
        value = parse_json(decode_line(path, number, first))
    except ValueError:
        yield number, _parse(path, number, _whole(path, first, lines))
        return
    yield number, value
    for number, line in lines:
        yield number, _parse(path, number, line)


def _whole(path: Path, first: bytes, lines: Iterator[tuple[int, bytes]]) -> bytes:
    """A file that is one JSON value, which is held in memory."""
    whole = bytearray(first)
    for number, line in lines:
        whole += b"\n" + line
        if len(whole) > LARGEST:
            message = f"is one JSON value of more than {LARGEST >> 20:,} MiB; write one document a line"
            raise InputError(path, message, number)
    return bytes(whole)


def _parse(path: Path, number: int, raw: bytes) -> Any:
    try:
        return parse_json(decode_line(path, number, raw))
    except ValueError as error:
        raise InputError(path, f"is not valid JSON ({error}); BioC-JSON is needed", number) from None


def _documents(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _documents(item)
    elif isinstance(value, dict) and (key := next((key for key in _LISTS if key in value), None)):
        yield from _documents(value[key])
    else:
        yield value


def _document(path: Path, line: int, value: Any, bad: BadLines) -> Document:
    try:
        doc_id = str(value["id"])
        passages = [
            (str(passage.get("text") or ""), int(passage.get("offset", 0)), passage.get("annotations") or [])
            for passage in value["passages"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"holds something that is no BioC document ({type(error).__name__}: {error})"
        raise InputError(path, message, line) from None
    annotated = any(rows for _, _, rows in passages)
    read = []
    for text, offset, rows in passages:
        own = [found for row in rows if (found := _given(path, line, text, offset, row, bad))]
        read.append(Passage(text, False, tuple(sorted(own)) if annotated else None))
    return Document(doc_id, tuple(read))


def _given(path: Path, line: int, text: str, offset: int, annotation: Any, bad: BadLines) -> Given | None:
    try:
        infons, location = annotation["infons"], annotation["locations"][0]
        identifier = infons.get("identifier") or infons.get("NCBI Gene identifier") or infons.get("MESH") or ""
        start = int(location["offset"]) - offset
        given = Given(start, start + int(location["length"]), annotated_type(str(infons["type"])), str(identifier))
        spelled = str(annotation["text"]) if "text" in annotation else None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        bad.add(
            InputError(path, f"holds an annotation that cannot be read ({type(error).__name__}: {error})", line), line
        )
        return None
    return given if check_given(path, line, text, given, spelled, bad) else None
