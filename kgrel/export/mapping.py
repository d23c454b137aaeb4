"""From kgrel's types, relations and identifiers to Biolink categories, predicates and CURIEs.

A mapping file, TOML or YAML, says only what differs from the default::

    primary_knowledge_source = "infores:my-lab"

    [types.DISEASE]
    category = "biolink:Disease"
    prefix = "DOID"

    [relations.DISEASE-GENE]
    predicate = "biolink:associated_with"
    category = "biolink:GeneToDiseaseAssociation"
    subject = "GENE"
    object = "DISEASE"

    [prefixes]
    DOID = "http://purl.obolibrary.org/obo/DOID_"
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from kgrel.data.entities import canonical_type
from kgrel.data.errors import InputError, KgrelError, did_you_mean
from kgrel.data.files import decode_line, open_input
from kgrel.data.settings import from_json
from kgrel.export.biolink import biolink, curie_of, problem_of_term, require_infores, require_text
from kgrel.export.record import Qualifiers

T = TypeVar("T")
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")


@dataclass(frozen=True)
class TypeMapping:
    """What nodes of a type are called."""

    category: str
    """Biolink category of the nodes."""
    prefix: str
    """CURIE prefix of identifiers that have none."""


@dataclass(frozen=True)
class RelationMapping:
    """What edges of a relation are called."""

    predicate: str
    """Biolink predicate."""
    category: str = "biolink:Association"
    """Biolink association category."""
    subject: str = ""
    """Type of the node that edges begin at. Empty = for a symmetric predicate the identifier that sorts first, for
    another the source side of the list."""
    object: str = ""
    """Type of the node that edges end at."""
    qualifiers: dict[str, str] = field(default_factory=dict)
    """Qualifier → value, for every edge of the relation."""

    @property
    def qualifier_pairs(self) -> Qualifiers:
        """The qualifiers, sorted."""
        return tuple(sorted(self.qualifiers.items()))

    @property
    def symmetric(self) -> bool:
        """Whether subject and object may be exchanged."""
        return self.predicate in biolink().symmetric_predicates


_ASSOCIATED = "biolink:associated_with"
# A class that is named by two types says that two entities are related and not how.
DEFAULT_TYPES = {
    "GENE": TypeMapping("biolink:Gene", "NCBIGene"),
    "DISEASE": TypeMapping("biolink:Disease", "DOID"),
    "CHEMICAL": TypeMapping("biolink:ChemicalEntity", "DRUGBANK"),
}
DEFAULT_RELATIONS = {
    "DISEASE-GENE": RelationMapping(_ASSOCIATED, "biolink:GeneToDiseaseAssociation", "GENE", "DISEASE"),
    "GENE-GENE": RelationMapping(_ASSOCIATED, "biolink:GeneToGeneAssociation", "GENE", "GENE"),
    "CHEMICAL-GENE": RelationMapping(_ASSOCIATED, "biolink:Association", "CHEMICAL", "GENE"),
    "CHEMICAL-DISEASE": RelationMapping(
        _ASSOCIATED, "biolink:ChemicalEntityToDiseaseOrPhenotypicFeatureAssociation", "CHEMICAL", "DISEASE"
    ),
}
DEFAULT_PREFIXES = {
    "NCBIGene": "http://identifiers.org/ncbigene/",
    "DOID": "http://purl.obolibrary.org/obo/DOID_",
    "DRUGBANK": "http://identifiers.org/drugbank/",
    "PMID": "http://www.ncbi.nlm.nih.gov/pubmed/",
    "PMC": "http://europepmc.org/articles/PMC",
    "doi": "https://doi.org/",
    "biolink": "https://w3id.org/biolink/vocab/",
    "infores": "https://w3id.org/biolink/infores/",
}
"""CURIE prefix → beginning of the IRI."""


@dataclass(frozen=True)
class Mapping:
    """A whole mapping."""

    types: dict[str, TypeMapping] = field(default_factory=lambda: dict(DEFAULT_TYPES))
    """Type in upper case → what its nodes are called."""
    relations: dict[str, RelationMapping] = field(default_factory=lambda: dict(DEFAULT_RELATIONS))
    """Relation → what its edges are called."""
    prefixes: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_PREFIXES))
    """CURIE prefix → beginning of the IRI, for RDF."""
    primary_knowledge_source: str = ""
    """Who publishes the edges, where the settings do not say it."""
    origin: str = "the default mapping"
    """For messages: the file."""

    def type_of(self, name: str) -> TypeMapping:
        """What nodes of a type are called.

        Raises:
            KgrelError: the mapping does not have the type.
        """
        if name not in self.types:
            hint = did_you_mean(name, self.types)
            raise KgrelError(f"{self.origin} has no type {name!r}{hint}; give a mapping file with [types.{name}]")
        return self.types[name]

    def relation_of(self, name: str) -> RelationMapping:
        """What edges of a relation are called.

        Raises:
            KgrelError: the mapping does not have the relation.
        """
        if name not in self.relations:
            hint = did_you_mean(name, self.relations)
            place = f'[relations."{name}"]'
            raise KgrelError(f"{self.origin} has no relation {name!r}{hint}; give a mapping file with {place}")
        return self.relations[name]

    def curie(self, type_: str, identifier: str) -> str:
        """CURIE of an entity; see :func:`kgrel.export.biolink.curie_of`."""
        return curie_of(identifier, self.type_of(type_).prefix)


def read_mapping(path: str | Path | None) -> Mapping:
    """Read a mapping file, ``.toml``, ``.yaml`` or ``.yml``; what it does not say is as in the default.

    Raises:
        InputError: the file cannot be read, an unknown key (with the nearest known one), a predicate, category or
            qualifier that Biolink does not have.
    """
    if path is None:
        return Mapping()
    values = _load(Path(path))
    known = [entry.name for entry in dataclasses.fields(Mapping) if entry.name != "origin"]
    try:
        for key in values:
            if key not in known:
                raise KgrelError(f"unknown key {key!r}{did_you_mean(str(key), known)}; known are {', '.join(known)}")
        types = {canonical_type(str(name)): entry for name, entry in _tables(values, "types", TypeMapping).items()}
        relations = _tables(values, "relations", RelationMapping)
        prefixes = {str(key): value for key, value in _table(values, "prefixes").items()}
        source = values.get("primary_knowledge_source", "")
        mapping = Mapping(
            DEFAULT_TYPES | types, DEFAULT_RELATIONS | relations, DEFAULT_PREFIXES | prefixes, source, str(path)
        )
        _check(mapping)
    except KgrelError as error:
        raise InputError(path, str(error)) from None
    return mapping


def _load(path: Path) -> dict[str, Any]:
    """The file as a table of tables."""
    ending = path.suffix.lower()
    if ending not in (".toml", ".yaml", ".yml"):
        raise InputError(path, "the ending does not tell the format; a mapping file is .toml, .yaml or .yml")
    with open_input(path) as stream:
        content = stream.read()
    text = "".join(decode_line(path, number, line) for number, line in enumerate(content.splitlines(True), 1))
    try:
        values = tomllib.loads(text) if ending == ".toml" else _NoTwins.value_of(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise InputError(path, f"cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(values, dict):
        raise InputError(path, "is no table of keys; it needs types, relations or prefixes")
    return values


class _NoTwins(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses a key that stands twice, of which YAML would silently keep the last."""

    @classmethod
    def value_of(cls, text: str) -> Any:
        """The value of a YAML text; nothing in it makes objects other than plain values."""
        loader = cls(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (self.construct_object(key, deep=True) for key, _ in node.value):
            if not isinstance(key, Hashable):
                continue  # refused below
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
            seen.add(key)
        values: dict[Any, Any] = super().construct_mapping(node, deep)
        return values


def _table(values: dict[str, Any], key: str) -> dict[Any, Any]:
    table = values.get(key, {})
    if not isinstance(table, dict):
        raise KgrelError(f"{key} must be a table, not {table!r}")
    return table


def _tables(values: dict[str, Any], key: str, cls: type[T]) -> dict[str, T]:
    """A table of tables, each as ``cls``."""
    entries = {}
    for name, entry in _table(values, key).items():
        if not isinstance(entry, dict):
            raise KgrelError(f"{key}.{name} must be a table, not {entry!r}")
        try:
            entries[str(name)] = from_json(cls, entry)
        except KgrelError as error:
            raise KgrelError(f"{key}.{name}: {str(error).partition(': ')[2]}") from None
    return entries


def _check(mapping: Mapping) -> None:
    """Raise for a term that Biolink does not have, or a prefix that is none."""
    model = biolink()
    terms = [(f"types.{key}", t.category, model.categories, "node category") for key, t in mapping.types.items()]
    for key, relation in mapping.relations.items():
        terms.append((f"relations.{key}", relation.predicate, model.predicates, "predicate"))
        terms.append((f"relations.{key}", relation.category, model.associations, "association category"))
        _check_relation(mapping, key, relation)
    for place, term, known, what in terms:
        problem = problem_of_term(term, known, what)
        if problem:
            raise KgrelError(f"{place}: {problem}")
    for prefix in [*mapping.prefixes, *(t.prefix for t in mapping.types.values())]:
        if not _PREFIX.fullmatch(prefix):
            raise KgrelError(f"{prefix!r} is no CURIE prefix; it has letters, digits, _ - and . only")
    for prefix, iri in mapping.prefixes.items():
        if not isinstance(iri, str) or not re.fullmatch(r'[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>"{}|\\^`]+', iri):
            raise KgrelError(f"prefixes.{prefix}: {iri!r} is no beginning of an IRI")
    if mapping.primary_knowledge_source:
        require_infores(mapping.primary_knowledge_source, "primary_knowledge_source")


def _check_relation(mapping: Mapping, key: str, relation: RelationMapping) -> None:
    if bool(relation.subject) != bool(relation.object):
        raise KgrelError(f"relations.{key}: give both subject and object, or neither")
    for side in filter(None, (relation.subject, relation.object)):
        if side not in mapping.types:
            raise KgrelError(f"relations.{key}: no type {side!r}{did_you_mean(side, mapping.types)}")
    for name, value in relation.qualifiers.items():
        problem = problem_of_term(f"biolink:{name}", biolink().qualifiers, "qualifier")
        if problem:
            raise KgrelError(f"relations.{key}: {problem}")
        if not isinstance(value, str):
            raise KgrelError(f"relations.{key}: the qualifier {name} must be a text, not {value!r}")
        require_text(value, f"relations.{key}: the qualifier {name}")
