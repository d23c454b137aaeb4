"""The entries of a lexicon, and their reader for tab-separated tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kgrel.data.entities import parse_entity
from kgrel.data.errors import InputError
from kgrel.data.files import decode_line, header_columns, lines_of
from kgrel.text.badlines import BadLines

ID_COLUMNS = ("id", "entrez_id", "doid", "drugbank_id", "identifier")
NAME_COLUMNS = ("symbol", "name", "synonyms")


@dataclass(frozen=True)
class Term:
    """One entity of a lexicon with everything that it is called.

    Attributes:
        type: canonical upper-case type.
        id: identifier, unique within the type.
        symbols: official symbols; they win a name over ``names``, which win it over ``synonyms``.
        names: primary names.
        synonyms: other names.
        alternatives: other identifiers.
        references: identifiers in other vocabularies, as ``MSH:D006394``.
        priority: the lowest wins a name where the claims are alike.
    """

    type: str
    id: str
    symbols: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    priority: int = 0

    @property
    def label(self) -> str:
        """The name for people: the symbol, else the name, else a synonym, else the id."""
        return next(iter(self.symbols + self.names + self.synonyms), self.id)

    def merged(self, other: Term) -> Term:
        """This term with the names and identifiers of ``other`` added."""

        def union(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(ours + theirs))

        return Term(
            self.type,
            self.id,
            union(self.symbols, other.symbols),
            union(self.names, other.names),
            union(self.synonyms, other.synonyms),
            union(self.alternatives, other.alternatives),
            union(self.references, other.references),
            min(self.priority, other.priority),
        )


def clean_name(name: str) -> str:
    """Outer white space removed, inner white space one blank."""
    return " ".join(name.split())


def bare_id(text: str, type_: str) -> str:
    """The identifier within its type: ``NCBIGene:10144`` → ``10144``."""
    return parse_entity(text, type_).id


def read_tsv(type_: str, path: Path, bad: BadLines, row_types: tuple[str, ...] = ()) -> Iterator[Term]:
    """Read a table with a header, its columns by name, lists separated by ``|``, quotes left as they are.

    Columns: the identifier (the first of ``id``, ``entrez_id``, ``doid``, ``drugbank_id``, ``identifier``),
    at least one of ``symbol``, ``name``, ``synonyms``, and if there ``alt_ids``, ``xrefs`` and ``type``. Other columns
    are ignored, as are empty lines.

    Args:
        type_: canonical type of every entry.
        bad: receives the lines with another number of fields than the header has, with an empty identifier, a
            NUL byte or invalid UTF-8; they are skipped.
        row_types: keep only rows whose ``type`` column holds one of these; without that column or empty, all.

    Raises:
        InputError: no header, a missing column, a damaged file, or a bad line under ``strict``.
    """
    lines = lines_of(path)
    first = next(lines, None)
    if first is None:
        raise InputError(path, "is empty; a table with a header is needed")
    columns, width = _columns(path, decode_line(path, *first))
    for number, line in lines:
        if not line.strip():
            continue
        try:
            fields = _fields(path, number, decode_line(path, number, line), width, columns.get("synonyms"))
            used = {name: fields[position] for name, position in columns.items()}
            row_type = used.get("type", "").strip()
            if not row_types or "type" not in used or row_type in row_types:
                yield _term(type_, path, number, used, _priority(row_type, row_types))
        except InputError as error:
            bad.add(error, number)


def _fields(path: Path, number: int, line: str, width: int, synonyms: int | None) -> list[str]:
    """Split a line; if tabs within its synonyms give too many fields, put these together again.

    A field that begins with ``|`` gives that away: lists made from DrugBank have synonyms that end in a tab.
    """
    fields = line.split("\t")
    surplus = len(fields) - width
    if surplus > 0 and synonyms is not None:
        parts = fields[synonyms : synonyms + surplus + 1]
        if any(part.startswith("|") for part in parts):
            fields[synonyms : synonyms + surplus + 1] = ["|".join(parts)]
    if len(fields) != width:
        raise InputError(path, f"has {len(fields)} fields, the header has {width}", number)
    return fields


def _columns(path: Path, header: str) -> tuple[dict[str, int], int]:
    """Position of each column that is used, and the number of columns."""
    names = [name.strip().lower() for name in header.split("\t")]
    identifier = tuple(name for name in ID_COLUMNS if name in names)[:1] or ID_COLUMNS
    required = {"id": identifier}
    required |= {name: (name,) for name in (*NAME_COLUMNS, "alt_ids", "xrefs", "type") if name in names}
    columns = header_columns(path, header, required)
    if not any(name in columns for name in NAME_COLUMNS):
        header_columns(path, header, {"name": NAME_COLUMNS})
    return columns, len(names)


def _priority(row_type: str, row_types: tuple[str, ...]) -> int:
    """Place among the types read, pseudogenes last."""
    place = row_types.index(row_type) if row_type in row_types else 0
    return place + (len(row_types) + 1) * row_type.startswith("pseudo")


def _term(type_: str, path: Path, number: int, fields: dict[str, str], priority: int) -> Term:
    identifier = bare_id(fields["id"], type_)
    if not identifier:
        raise InputError(path, "has an empty identifier", number)
    symbol, name = clean_name(fields.get("symbol", "")), clean_name(fields.get("name", ""))
    synonyms = map(clean_name, fields.get("synonyms", "").split("|"))
    others = (bare_id(other, type_) for other in fields.get("alt_ids", "").split("|"))
    return Term(
        type_,
        identifier,
        (symbol,) if symbol else (),
        (name,) if name else (),
        tuple(filter(None, synonyms)),
        tuple(filter(None, others)),
        tuple(filter(None, (reference.strip() for reference in fields.get("xrefs", "").split("|")))),
        priority,
    )
