"""Lists of known relations: read as written, then resolved to entity rows.

A relations file has one related pair a row: a class, and the identifiers of two entities. Identifiers may be
bare, so that their type follows from a column of its own, from their spelling, or from a class that names two
types, such as ``DISEASE-GENE``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.entities import Entity, EntityTable, canonical_type, class_of_types, parse_entity
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import Format, TableReader, find_column, optional_column

CLASS_COLUMNS = ("class", "relation", "label")
SOURCE_COLUMNS = ("source_id", "source", "head")
TARGET_COLUMNS = ("target_id", "target", "tail")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Relations:
    """A relations file as written; all lists have one item a row."""

    path: str
    class_: list[str]
    """Class of each row."""
    sources: list[Entity]
    """First entity, with its type where the file says it."""
    targets: list[Entity]
    """Second entity."""
    raw_sources: list[str]
    """The first identifier as spelled in the file."""
    raw_targets: list[str]
    """The second identifier as spelled in the file."""
    lines: list[int]
    """Line of each row, from 1 (of a parquet file: the row)."""

    def __len__(self) -> int:
        return len(self.class_)


@dataclass(frozen=True)
class RelationCounts:
    """What became of the rows: ``rows = unknown + ambiguous + self_pairs + duplicates + kept``."""

    rows: int
    """Rows of the file."""
    unknown: int
    """Rows with an entity that is not in the table."""
    ambiguous: int
    """Rows with an identifier of several types, and nothing that says which."""
    self_pairs: int
    """Rows that relate an entity to itself."""
    duplicates: int
    """Rows that repeat a pair and its class, in either order."""
    kept: int
    """Distinct unordered pairs with their class."""


@dataclass(frozen=True)
class ResolvedRelations:
    """Distinct (unordered pair, class), sorted by head, tail, class; a pair may stand there with many
    classes."""

    heads: Ints
    """Entity row [n], smaller than ``tails``."""
    tails: Ints
    """Entity row [n]."""
    classes: Ints
    """Position in ``class_names`` [n]."""
    class_names: list[str]
    """The classes that occur, sorted."""
    counts: RelationCounts


def read_relations(
    path: str | Path, format: Format | None = None, class_columns: Sequence[str] = CLASS_COLUMNS
) -> Relations:
    """Read a relations file: csv, tsv, jsonl or parquet by ending, also compressed.

    Columns by name (case ignored, others are ignored): the class under one of ``class_columns``;
    ``source_id``, ``source`` or ``head``; ``target_id``, ``target`` or ``tail``; optionally ``source_type``
    and ``target_type``. A type column wins over what the identifier's spelling says.

    Raises:
        InputError: a column is missing, a class or an identifier is empty, the file has no rows, or what
            :class:`kgrel.data.tables.TableReader` raises; each with its line.
    """
    relations = Relations(str(path), [], [], [], [], [], [])
    with TableReader(path, format) as reader:
        try:
            wanted = [find_column(reader.columns, names) for names in (class_columns, SOURCE_COLUMNS, TARGET_COLUMNS)]
        except KgrelError as error:
            raise InputError(path, str(error), 1) from None
        types = [optional_column(reader.columns, [name]) for name in ("source_type", "target_type")]
        for numbers, table in reader.numbered():
            lines = numbers.tolist()
            classes, sources, targets = (_required(path, table, name, lines) for name in wanted)
            source_types, target_types = (_strings(path, table, name, lines) for name in types)
            relations.lines.extend(lines)
            relations.class_.extend(classes)
            relations.raw_sources.extend(sources)
            relations.raw_targets.extend(targets)
            relations.sources.extend(map(parse_entity, sources, source_types))
            relations.targets.extend(map(parse_entity, targets, target_types))
    if not relations.lines:
        raise InputError(path, "has no rows; at least one relation is needed")
    return relations


def _strings(path: str | Path, table: pa.Table, name: str | None, lines: list[int]) -> list[str]:
    """A column as text, null as the empty text; all empty for a column that is not there."""
    if name is None:
        return [""] * table.num_rows
    column = table.column(name)
    if pa.types.is_floating(column.type) or pa.types.is_nested(column.type):
        raise InputError(path, f"the column {name!r} holds {column.type}; write it as text", lines[0])
    return [value or "" for value in pc.cast(column, pa.string()).to_pylist()]


def _required(path: str | Path, table: pa.Table, name: str, lines: list[int]) -> list[str]:
    values = [value.strip() for value in _strings(path, table, name, lines)]
    for line, value in zip(lines, values, strict=True):
        if not value:
            raise InputError(path, f"the column {name!r} is empty", line)
    return values


def resolve_relations(
    relations: Relations, entities: EntityTable, by: Literal["class", "types"] = "class"
) -> ResolvedRelations:
    """Find the entities of each row; drop what is not known, self pairs and repetitions, and count them.

    Where the class names two types of the table, an identifier without a type is looked up as either of
    them, in both orientations; a row that gives two different pairs is ambiguous.

    Args:
        by: ``"class"`` keeps the class of the file, ``"types"`` makes it the two types of the pair, sorted
            and joined by ``-``.

    Raises:
        KgrelError: no row names two known entities; shows identifiers of both sides.
    """
    known_types = frozenset(entities.types)
    types_of = {name: _types_of_class(name, known_types) for name in set(relations.class_)}
    counts = dict.fromkeys(("unknown", "ambiguous", "self_pairs"), 0)
    found: list[tuple[int, int, str]] = []
    for name, source, target in zip(relations.class_, relations.sources, relations.targets, strict=True):
        head, tail, status = _find_pair(entities, source, target, types_of[name])
        if status != "ok":
            counts[status] += 1
        elif head == tail:
            counts["self_pairs"] += 1
        else:
            label = name if by == "class" else class_of_types(entities.types[head], entities.types[tail])
            found.append((min(head, tail), max(head, tail), label))
    if not found and not counts["self_pairs"]:
        raise KgrelError(_nothing_resolves(relations, entities, counts["ambiguous"]))
    return _distinct(found, len(relations), counts)


def _types_of_class(name: str, known_types: frozenset[str]) -> tuple[str, str] | None:
    """The two types that a class names, if it names two types of the table."""
    parts = [canonical_type(part) for part in name.split("-")]
    return (parts[0], parts[1]) if len(parts) == 2 and known_types.issuperset(parts) else None


def _find_pair(
    entities: EntityTable, source: Entity, target: Entity, types: tuple[str, str] | None
) -> tuple[int, int, str]:
    """Rows of the two entities and ``"ok"``, or -1, -1 and ``"unknown"`` or ``"ambiguous"``."""
    if types is None or (source.type is not None and target.type is not None):
        (head, first), (tail, second) = entities.find(source), entities.find(target)
        if first == second == "ok":
            return head, tail, "ok"
        return -1, -1, "unknown" if "unknown" in (first, second) else "ambiguous"
    pairs = set()
    for first_type, second_type in (types, types[::-1]):
        head, _ = entities.find(Entity(source.type or first_type, source.id))
        tail, _ = entities.find(Entity(target.type or second_type, target.id))
        fits = source.type in (None, first_type) and target.type in (None, second_type)
        if fits and head >= 0 and tail >= 0:
            pairs.add((min(head, tail), max(head, tail)))
    if len(pairs) == 1:
        return *pairs.pop(), "ok"
    return -1, -1, "ambiguous" if pairs else "unknown"


def _distinct(found: list[tuple[int, int, str]], rows: int, counts: dict[str, int]) -> ResolvedRelations:
    class_names = sorted({label for _, _, label in found})
    position = {label: index for index, label in enumerate(class_names)}
    triples = sorted({(head, tail, position[label]) for head, tail, label in found})
    heads, tails, classes = np.array(triples, np.int64).reshape(-1, 3).T.copy()
    outcome = RelationCounts(rows, **counts, duplicates=len(found) - len(triples), kept=len(triples))
    return ResolvedRelations(heads, tails, classes, class_names, outcome)


def _nothing_resolves(relations: Relations, entities: EntityTable, ambiguous: int) -> str:
    if ambiguous:
        return (
            f"{relations.path}: none of the {len(relations):,} rows names two known entities; "
            f"the identifiers of {ambiguous:,} belong to several types: "
            "add the columns source_type and target_type"
        )
    spelled = [*relations.raw_sources[:3], *relations.raw_targets[:2]]
    return (
        f"{relations.path}: none of the {len(relations):,} rows names two known entities; "
        f"its identifiers look like {', '.join(map(repr, spelled))}, "
        f"those of the artifact like {entities.examples()}: use the same ones"
    )
