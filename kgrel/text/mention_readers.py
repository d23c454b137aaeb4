"""Readers of sentences with two marked entities: tables, the published folds of GAD and EU-ADR, PubTator.

Each format becomes a table first, so that a row of the answer can be given for each row, its columns kept. A table
marks its entities by spans (``start1``, ``end1``, ``type1`` and the same with 2: characters from 0, the end exclusive),
or by placeholders in the sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.delimited import Piece
from kgrel.data.entities import canonical_type
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import decode_line, lines_of, without_compression
from kgrel.data.tables import CHUNK_ROWS, Format, TableReader, find_column, optional_column
from kgrel.text.badlines import BadLines
from kgrel.text.documents import Given, Passage, split_sentences
from kgrel.text.mentions import Mark, Read, mark_finder, statement_of
from kgrel.text.pubtator import read_pubtator, read_relations
from kgrel.text.settings import MentionFormat

SENTENCE, LABEL = ("sentence", "text", "context"), ("label", "relation", "class")
SPAN_COLUMNS = tuple((f"start{n}", f"end{n}", f"type{n}") for n in (1, 2))
NO_RELATION = "NO-RELATION"
"""Label of a pair of mentions that a PubTator file relates in no way."""

_PLAIN = {2: ("sentence", "label"), 3: ("index", "sentence", "label")}
_PUBTATOR = pa.schema(
    [("doc_id", pa.string()), ("sentence", pa.string())]
    + [(f"{name}{n}", pa.int64()) for n in (1, 2) for name in ("start", "end")]
    + [(f"{name}{n}", pa.string()) for n in (1, 2) for name in ("type", "id")]
    + [("label", pa.string())]
)
Types = frozenset[str]
"""An unordered pair of types; one alone if both are the same."""


class MentionChunk(NamedTuple):
    """Some rows of an input."""

    lines: npt.NDArray[np.int64]
    """Line numbers (n,)."""
    table: pa.Table
    """The rows as they were read."""
    read: list[Read]
    """What each row states, or why it cannot be read."""
    labels: list[str | None] | None
    """The label of each row; None where the input has no column of labels."""


class MentionReader:
    """An input, read in chunks.

    Args:
        path: the file; ``-`` is standard input for tables.
        known: the pairs of types that a PubTator file is searched for; None = those of its relations.
        table_format: of a table; by its ending if None.

    Raises:
        InputError: the file cannot be read, or has no column of sentences.
        KgrelError: a placeholder or a pair of types is malformed.
    """

    def __init__(
        self,
        path: str | Path,
        settings: MentionFormat | None = None,
        known: Iterable[Types] | None = None,
        table_format: Format | None = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        self.path, self.settings = str(path), settings or MentionFormat()
        self._find = mark_finder(self.settings.placeholders)
        self.left_out = {"overlapping_pairs": 0}
        """What a PubTator file has and its table has not."""
        form = form_of(self.path, self.settings)
        if form == "table":
            self._table: TableReader | None = TableReader(path, table_format, chunk_rows)
            self.schema: pa.Schema = self._table.schema
        elif self.path == "-":
            raise KgrelError(f"only a table is read from standard input; save the {form} sentences to a file")
        else:
            self._table = None
            wanted = [two_types_of(text) for text in self.settings.types] or known
            pieces = read_plain(Path(path)) if form == "plain" else [self._pubtator(wanted)]
            self._pieces = list(pieces)
            self.schema = self._pieces[0][1].schema
        self._columns()

    @property
    def format(self) -> Format:
        """The format of an answer in the same form."""
        return self._table.format if self._table is not None else "tsv"

    def chunks(self) -> Iterator[MentionChunk]:
        """Yield the rows.

        Raises:
            InputError: the file is damaged, see :class:`kgrel.data.tables.TableReader`.
        """
        for lines, table in self._table.numbered() if self._table is not None else self._pieces:
            labels = None if self.label is None else texts(table, self.label)
            yield MentionChunk(lines, table, self._read(table), labels)

    def _columns(self) -> None:
        names = list(self.schema.names)
        try:
            self.sentence = find_column(names, SENTENCE)
            self.label = find_column(names, (self.settings.label,)) if self.settings.label else None
        except KgrelError as error:
            hint = "" if self.settings.label else "; for sentences with labels, a tab between, pass --format plain"
            raise InputError(self.path, f"{error}{hint}") from None
        self.label = self.label or optional_column(names, LABEL)
        self.spans = [[optional_column(names, (name,)) for name in side] for side in SPAN_COLUMNS]
        given = [name for side in self.spans for name in side if name is not None]
        if given and len(given) < 6:
            wanted = [name for side in SPAN_COLUMNS for name in side]
            raise InputError(self.path, f"of the columns {', '.join(wanted)} only {', '.join(given)} are there")

    def _read(self, table: pa.Table) -> list[Read]:
        sentences = [text or "" for text in texts(table, self.sentence)]
        if None in self.spans[0]:
            return [statement_of(text, self._find(text)) for text in sentences]
        columns = [texts(table, name) for side in self.spans for name in side if name is not None]
        return [marked(text, *row) for text, *row in zip(sentences, *columns, strict=True)]

    def _pubtator(self, known: Iterable[Types] | None) -> Piece:
        path = Path(self.path)
        relations = read_relations(path)
        bad = BadLines(strict=True)
        rows: list[tuple[str, Passage, Given, Given, str | None]] = []
        for document in read_pubtator(path, bad):
            listed = relations.get(document.doc_id, {})
            for passage in (sentence for p in document.passages for sentence in split_sentences(p)):
                for first, second in combinations(passage.given or (), 2):
                    label = label_of(first, second, listed)
                    if second.start < first.end and label is not None:
                        self.left_out["overlapping_pairs"] += 1
                    elif label is not None:
                        rows.append((document.doc_id, passage, first, second, label))
        if known is None:
            known = {frozenset((a.type, b.type)) for _, _, a, b, label in rows if label != NO_RELATION}
        pairs = set(known)
        kept = [row for row in rows if frozenset((row[2].type, row[3].type)) in pairs]
        table = pa.Table.from_pylist([pubtator_row(*row) for row in kept], _PUBTATOR)
        return np.arange(1, len(kept) + 1), table


def form_of(path: str, settings: MentionFormat) -> str:
    """The form of an input: what is asked for, or what its ending says."""
    if settings.format != "auto":
        return settings.format
    return "pubtator" if without_compression(path).lower().endswith((".pubtator", ".pubtator.txt")) else "table"


def two_types_of(text: str) -> Types:
    """``GENE,DISEASE`` as an unordered pair.

    Raises:
        KgrelError: it is none.
    """
    names = [canonical_type(part) for part in text.split(",")]
    if len(names) != 2 or not all(names):
        raise KgrelError(f"{text!r} is not two types joined by a comma, such as GENE,DISEASE")
    return frozenset(names)


def texts(table: pa.Table, column: str) -> list[str | None]:
    """A column as text; null and NaN are None, whole numbers have no decimals."""
    values = table.column(column).to_pylist()
    plain = (int(v) if isinstance(v, float) and v.is_integer() else v for v in values)
    return [None if value is None or value != value else str(value) for value in plain]


def marked(text: str, *spans: str | None) -> Read:
    """The statement of a row with the columns start1, end1, type1, start2, end2, type2."""
    marks = []
    for start, end, kind in (spans[:3], spans[3:]):
        if not (start or "").strip() and not (end or "").strip():
            continue
        try:
            marks.append(Mark(int(start or ""), int(end or ""), (kind or "").strip()))
        except ValueError:
            return "bad_mark"
    return statement_of(text, marks)


def read_plain(path: Path) -> Iterator[Piece]:
    """Lines of ``sentence``, ``label``, before them an ``index`` or not, tabs between, nothing quoted.

    Raises:
        InputError: another number of fields, no line at all, or invalid UTF-8.
    """
    rows: list[list[str]] = []
    lines: list[int] = []
    names: tuple[str, ...] | None = None
    for number, raw in lines_of(path):
        fields = decode_line(path, number, raw).split("\t")
        if fields == [""]:
            continue
        names = names or _PLAIN.get(len(fields))
        if names is None or len(fields) != len(names):
            wanted = len(names) if names else "2 or 3"
            raise InputError(path, f"has {len(fields)} fields instead of {wanted}: sentence and label", number)
        if number > 1 or fields[-2:] != ["sentence", "label"]:
            rows.append(fields)
            lines.append(number)
    if names is None or not rows:
        raise InputError(path, "holds no sentence")
    columns = {name: pa.array(column, pa.string()) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    yield np.array(lines, np.int64), pa.table(columns)


def label_of(first: Given, second: Given, listed: dict[Types, str]) -> str | None:
    """How a PubTator file relates two mentions; None if they are the same entity."""
    ids = [entity_ids(mention.id) for mention in (first, second)]
    if ids[0] & ids[1]:
        return None
    pairs = (frozenset((one, other)) for one in sorted(ids[0]) for other in sorted(ids[1]))
    return next((listed[pair] for pair in pairs if pair in listed), NO_RELATION)


def entity_ids(text: str) -> set[str]:
    """The identifiers of a mention, which may be several: ``6528,1234`` or ``D003409|D007037``."""
    return {text} | {part for sign in ",;|" for part in text.split(sign) if part}


def pubtator_row(doc_id: str, sentence: Passage, first: Given, second: Given, label: str | None) -> dict[str, object]:
    """A row of the table that a PubTator file becomes."""
    row: dict[str, object] = {"doc_id": doc_id, "sentence": sentence.text, "label": label}
    for number, mention in enumerate((first, second), start=1):
        row |= {f"{name}{number}": value for name, value in mention._asdict().items()}
    return row
