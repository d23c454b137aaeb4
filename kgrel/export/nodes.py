"""Where nodes get their identifiers, types and names: from an artifact's entity table, or a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from kgrel.data.entities import Entity, EntityTable, parse_entity
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import TableReader, find_column, optional_column
from kgrel.export.mapping import Mapping
from kgrel.export.record import Node

ID, TYPE, NAME = ("id", "node_id", "identifier"), ("type", "kind", "category"), ("name", "label", "symbol")


class NodeSource(Protocol):
    """Anything that knows entities: a nodes file, an opened artifact, a graph."""

    @property
    def entities(self) -> EntityTable:
        """Its entities."""
        ...


@dataclass(frozen=True)
class GivenNodes:
    """Entities at hand."""

    entities: EntityTable


def read_nodes(path: str | Path) -> GivenNodes:
    """A nodes file: csv, tsv, jsonl or parquet with the columns id, type and name (or kind, label …), also compressed.

    Args:
        path: identifiers may be bare, ``Kind::id`` or CURIEs; a type column wins over what they say.

    Raises:
        InputError: a column is missing, an identifier is empty, without a type, or stands twice; with its line.
    """
    types, ids, names, seen = [], [], [], set()
    with TableReader(path) as reader:
        try:
            id_column, name_column = find_column(reader.columns, ID), find_column(reader.columns, NAME)
        except KgrelError as error:
            raise InputError(path, str(error), 1) from None
        type_column = optional_column(reader.columns, TYPE)
        for numbers, table in reader.numbered():
            columns = [table.column(name).to_pylist() for name in (id_column, name_column)]
            kinds = table.column(type_column).to_pylist() if type_column else [None] * table.num_rows
            for line, text, name, kind in zip(numbers.tolist(), *columns, kinds, strict=True):
                entity = parse_entity(str(text or ""), kind)
                if not entity.id or entity.type is None:
                    raise InputError(path, f"the node {text!r} has no {'type' if entity.id else 'identifier'}", line)
                if entity in seen:
                    raise InputError(path, f"the node {entity.type}::{entity.id} stands twice", line)
                seen.add(entity)
                types.append(entity.type)
                ids.append(entity.id)
                names.append(name or "")
    return GivenNodes(EntityTable(types, ids, names, [[] for _ in ids]))


def with_names(entities: EntityTable, source: NodeSource) -> EntityTable:
    """The same entities, under the names of ``source`` where it has one."""
    other = source.entities
    names = {key: name for *key_, name in zip(other.types, other.ids, other.names, strict=True) if (key := tuple(key_))}
    keys = zip(entities.types, entities.ids, strict=True)
    renamed = [names.get(key) or old for key, old in zip(keys, entities.names, strict=True)]
    return EntityTable(entities.types, entities.ids, renamed, entities.alternatives)


def of_types(source: NodeSource, types: Collection[str]) -> EntityTable:
    """The entities of some types: a graph has many that no scored pair is of, and that a mapping need not have."""
    table = source.entities
    rows = [row for row, type_ in enumerate(table.types) if type_ in types]
    columns = (table.types, table.ids, table.names, table.alternatives)
    return EntityTable(*([column[row] for row in rows] for column in columns))  # type: ignore[arg-type]


def others_of(source: NodeSource, entities: EntityTable, mapping: Mapping) -> EntityTable:
    """The nodes of a graph that are not among some entities; without those whose CURIE another node has as well."""
    table = of_types(source, mapping.types)
    found = table.rows([row for row, key in enumerate(zip(table.types, table.ids, strict=True))
                        if entities.find(Entity(*key))[0] < 0])  # fmt: skip
    curies, taken = NodeList(found, mapping).spelled, Counter(NodeList(entities, mapping).curies)
    taken.update(curies)
    return found.rows([row for row, curie in enumerate(curies) if taken[curie] == 1])


@dataclass(frozen=True)
class NodeList:
    """The entities as nodes.

    Attributes:
        entities: by row.
        mapping: says their categories and CURIEs.
    """

    entities: EntityTable
    mapping: Mapping

    @property
    def spelled(self) -> list[str]:
        """CURIE of each row, whether or not another has it too.

        Raises:
            KgrelError: a type that the mapping does not have.
        """
        keys = zip(self.entities.types, self.entities.ids, strict=True)
        return [self.mapping.curie(*key) for key in keys]

    @cached_property
    def curies(self) -> list[str]:
        """CURIE of each row.

        Raises:
            KgrelError: a type that the mapping does not have; two entities with one CURIE.
        """
        curies = self.spelled
        if len(set(curies)) < len(curies):
            self._refuse_twins(curies)
        return curies

    def _refuse_twins(self, curies: list[str]) -> None:
        first: dict[str, int] = {}
        for row, curie in enumerate(curies):
            if curie in first:
                one, two = (f"{self.entities.types[r]}::{self.entities.ids[r]}" for r in (first[curie], row))
                raise KgrelError(
                    f"{one} and {two} would both become {curie}; give their types different prefixes in the mapping"
                )
            first[curie] = row

    def node(self, row: int) -> Node:
        """The node of a row."""
        category = self.mapping.type_of(self.entities.types[row]).category
        return Node(self.curies[row], (category,), self.entities.names[row] or None)
