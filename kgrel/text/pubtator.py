"""Reader of PubTator files: title and abstract of each document, and its annotated mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from kgrel.data.entities import canonical_type
from kgrel.data.errors import InputError
from kgrel.data.files import decode_line, lines_of
from kgrel.text.badlines import BadLines
from kgrel.text.documents import Document, Given, Passage, check_given

TYPES = {
    "CHEMICALENTITY": "CHEMICAL",
    "DISEASEORPHENOTYPICFEATURE": "DISEASE",
    "GENEORGENEPRODUCT": "GENE",
}
"""Names of types in BioRED → those of kgrel."""

_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
NO_IDENTIFIER = frozenset({"", "-", "-1", "none"})

Line = tuple[int, str]


def annotated_type(name: str) -> str:
    """Canonical type of an annotation."""
    upper = canonical_type(name)
    return TYPES.get(upper, upper)


def read_pubtator(path: Path, bad: BadLines) -> Iterator[Document]:
    """Read blocks of ``ID|t|title``, ``ID|a|abstract`` and mention lines, parted by empty lines.

    A mention line has six fields separated by tabs: document, start, end, text, type, identifier. Offsets count
    characters in title, one blank, abstract. Lines of fewer or other fields (relations) are passed over. A document
    without a title, or without an abstract, is read. A document without a mention line is to be tagged.

    Args:
        bad: receives mentions that do not fit their text, lines that are none of these, documents whose identifier
            stood before in the file (they are left out), and invalid UTF-8.

    Yields:
        Documents of two passages, the title and the abstract.

    Raises:
        InputError: no document, a damaged file, or a bad line under ``strict``.
    """
    seen: set[str] = set()
    for filled, block in groupby(_lines(path, bad), key=lambda line: bool(line[1].strip())):
        document = _document(path, list(block), bad) if filled else None
        if document is None:
            continue
        number, read = document
        if read.doc_id in seen:
            bad.add(InputError(path, f"the document {read.doc_id} stood before; it is left out", number), number)
        else:
            seen.add(read.doc_id)
            yield read
    if not seen:
        raise InputError(path, "holds no document; PubTator has lines like 12345|t|Title" + bad.told)


def read_relations(path: Path) -> dict[str, dict[frozenset[str], str]]:
    """The relation lines: document, type, two identifiers, and perhaps more fields, tabs between.

    Returns:
        Document → unordered pair of identifiers → type; of several types of a pair the one that stands first.

    Raises:
        InputError: invalid UTF-8 or a damaged file.
    """
    found: dict[str, dict[frozenset[str], str]] = {}
    for number, raw in lines_of(path):
        fields = decode_line(path, number, raw).split("\t")
        if len(fields) >= 4 and not fields[1].isdigit():
            found.setdefault(fields[0], {}).setdefault(frozenset(fields[2:4]), fields[1])
    return found


def _lines(path: Path, bad: BadLines) -> Iterator[Line]:
    for number, raw in lines_of(path):
        try:
            yield number, decode_line(path, number, raw)
        except InputError as error:
            bad.add(error, number)


def _document(path: Path, lines: list[Line], bad: BadLines) -> tuple[int, Document] | None:
    """The document of a block and the number of its first line."""
    texts = {"t": "", "a": ""}
    doc_id: str | None = None
    mentions = []
    for number, line in lines:
        match = _TEXT.fullmatch(line)
        if match and doc_id in (None, match[1]):
            doc_id, texts[match[2]] = match[1], match[3]
        elif "\t" in line and doc_id is not None:
            mentions.append((number, line.split("\t")))
        else:
            bad.add(InputError(path, "is neither ID|t|…, ID|a|… nor a mention of that document", number), number)
    if doc_id is None:
        return None
    whole = f"{texts['t']} {texts['a']}"
    given = [found for number, fields in mentions if (found := _mention(path, number, fields, whole, bad))]
    border = len(texts["t"]) + 1
    title = [mention for mention in given if mention.end < border]
    abstract = [
        mention._replace(start=mention.start - border, end=mention.end - border)
        for mention in given
        if mention.start >= border
    ]
    for _ in range(len(given) - len(title) - len(abstract)):
        bad.add(InputError(path, "a mention runs from the title into the abstract", lines[0][0]), lines[0][0])
    passages = ((texts["t"], title), (texts["a"], abstract))
    read = tuple(Passage(text, False, tuple(sorted(own)) if mentions else None) for text, own in passages)
    return lines[0][0], Document(doc_id, read)


def _mention(path: Path, number: int, fields: list[str], text: str, bad: BadLines) -> Given | None:
    if len(fields) < 5 or not (fields[1].isdigit() and fields[2].isdigit()):
        return None
    identifier = fields[5].strip() if len(fields) > 5 else ""
    given = Given(int(fields[1]), int(fields[2]), annotated_type(fields[4]), identifier)
    return given if check_given(path, number, text, given, fields[3], bad) else None
