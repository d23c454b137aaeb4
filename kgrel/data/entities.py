"""Entity identity: an entity is (TYPE, id).

Outside kgrel an entity is written as a bare id (``10144``, ``DB00001``), in Hetionet's way
(``Gene::10144``) or as a CURIE (``NCBIGene:10144``); :func:`parse_entity` reads all three. Inside, it is a
row number (int64) of an :class:`EntityTable`. Ids are unique within a type only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.data.errors import KgrelError

TYPE_ALIASES = {
    "CHEMICALENTITY": "CHEMICAL",
    "COMPOUND": "CHEMICAL",
    "DRUG": "CHEMICAL",
    "GENE/PROTEIN": "GENE",
    "PROTEIN": "GENE",
    "SMALLMOLECULE": "CHEMICAL",
}
"""Other names of the types, in upper case."""

CURIE_TYPES = {
    "NCBIGENE": ("GENE", False),
    "ENTREZ": ("GENE", False),
    "DRUGBANK": ("CHEMICAL", False),
    "DOID": ("DISEASE", True),
}
"""CURIE prefix in upper case → its type, and whether the prefix is part of the bare id."""


class Entity(NamedTuple):
    """An entity as written: its type, or None where the text does not say it, and its id."""

    type: str | None
    id: str


def canonical_type(name: str) -> str:
    """Upper case, with aliases resolved: ``Compound`` → ``CHEMICAL``."""
    upper = name.strip().upper()
    return TYPE_ALIASES.get(upper, upper)


def class_of_types(first: str, second: str) -> str:
    """The class of an unordered pair of types: sorted and joined, e.g. ``DISEASE-GENE``."""
    return "-".join(sorted((first, second)))


def parse_entity(text: str, type_hint: str | None = None) -> Entity:
    """Read an identifier in any of the accepted spellings.

    Args:
        text: bare id, ``Kind::id``, or CURIE. Unknown prefixes are kept as part of the id.
        type_hint: the type from a column of its own; it wins over what the spelling says.

    Examples:
        >>> parse_entity("Gene::10144")
        Entity(type='GENE', id='10144')
        >>> parse_entity("DOID:9917")
        Entity(type='DISEASE', id='DOID:9917')
    """
    hint = canonical_type(type_hint) if type_hint and type_hint.strip() else None
    text = text.strip()
    kind, separator, rest = text.partition("::")
    if separator and kind and rest:
        return Entity(hint or canonical_type(kind), rest)
    prefix, separator, rest = text.partition(":")
    if separator and rest and prefix.upper() in CURIE_TYPES:
        type_, keeps_prefix = CURIE_TYPES[prefix.upper()]
        return Entity(hint or type_, f"{prefix.upper()}:{rest}" if keeps_prefix else rest)
    return Entity(hint, text)


@dataclass(frozen=True)
class EntityTable:
    """The entities of an artifact, by row number.

    Attributes:
        types: upper-case type of each entity.
        ids: identifier of each, unique within its type.
        names: preferred name of each, for people.
        alternatives: other identifiers of each (merged or secondary ids).
    """

    types: list[str]
    ids: list[str]
    names: list[str]
    alternatives: list[list[str]]

    def __post_init__(self) -> None:
        if not len(self.types) == len(self.ids) == len(self.names) == len(self.alternatives):
            raise ValueError("types, ids, names and alternatives must be equally long")
        by_key: dict[tuple[str, str], int] = {}
        by_id: dict[str, list[int]] = {}
        # Primary identifiers first, so that an alternative id never hides a primary one.
        for row, key in enumerate(zip(self.types, self.ids, strict=True)):
            if key in by_key:
                raise ValueError(f"entity {key} stands twice")
            by_key[key] = row
            by_id.setdefault(key[1], []).append(row)
        for row, others in enumerate(self.alternatives):
            for other in others:
                if (self.types[row], other) not in by_key:
                    by_key[self.types[row], other] = row
                    by_id.setdefault(other, []).append(row)
        object.__setattr__(self, "_by_key", by_key)
        object.__setattr__(self, "_by_id", by_id)

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, entity: Entity) -> tuple[int, str]:
        """Row of an entity and ``"ok"``, or -1 and ``"unknown"`` or ``"untyped"`` (id in several types)."""
        if entity.type is not None:
            row = self._by_key.get((entity.type, entity.id), -1)  # type: ignore[attr-defined]
            return row, "ok" if row >= 0 else "unknown"
        rows = self._by_id.get(entity.id, ())  # type: ignore[attr-defined]
        if len(rows) == 1:
            return rows[0], "ok"
        return -1, "untyped" if rows else "unknown"

    def examples(self, count: int = 5) -> str:
        """Some of its identifiers, for a message."""
        pairs = zip(self.types[:count], self.ids[:count], strict=True)
        return ", ".join(repr(f"{type_}::{id_}") for type_, id_ in pairs)

    def named(self, text: str, known: str) -> int:
        """Row of an entity given by its identifier in any spelling, or by its name in any case.

        Args:
            known: what all entities of the table do, for the message: "stands in a context of …".

        Raises:
            KgrelError: there is no such entity, or several; the message names some.
        """
        row, status = self.find(parse_entity(text))
        if status == "ok":
            return row
        wanted = text.strip().lower()
        if status == "untyped":
            found = [row for row, identifier in enumerate(self.ids) if identifier == text.strip()]
        else:
            found = [row for row, name in enumerate(self.names) if name.lower() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            some = ", ".join(f"{self.types[row]}::{self.ids[row]}" for row in found[:5])
            raise KgrelError(f"{text!r} may be {some}; give the identifier with its type")
        raise KgrelError(f"no entity {text!r} {known}; give an identifier or a name")

    def rows(self, rows: Sequence[int]) -> EntityTable:
        """Some of the entities, in the order of ``rows``."""
        columns = (self.types, self.ids, self.names, self.alternatives)
        return EntityTable(*([column[row] for row in rows] for column in columns))  # type: ignore[arg-type]

    def joined(self, other: EntityTable) -> EntityTable:
        """These entities and behind them others; an alternative identifier never hides one that stands there.

        Raises:
            ValueError: an entity stands in both.
        """
        return EntityTable(
            self.types + other.types, self.ids + other.ids, self.names + other.names,
            self.alternatives + other.alternatives,
        )  # fmt: skip

    def write(self, path: Path) -> None:
        """Write as Parquet with the columns type, id, name, alternatives."""
        columns = {"type": self.types, "id": self.ids, "name": self.names}
        table = pa.table(columns | {"alternatives": pa.array(self.alternatives, pa.list_(pa.string()))})
        pq.write_table(table, path)

    @classmethod
    def read(cls, path: Path) -> EntityTable:
        """Read what :meth:`write` wrote."""
        columns = pq.read_table(path).to_pydict()
        return cls(columns["type"], columns["id"], columns["name"], columns["alternatives"])
