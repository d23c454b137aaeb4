"""Terms of RDF 1.2 as N-Quads writes them, and abbreviated as TriG may."""

from __future__ import annotations

import re
from urllib.parse import quote

from kgrel.export.record import Field

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
KGREL = "urn:kgrel:"
UNKNOWN_PREFIX = "urn:kgrel:curie:"
"""Stands before a CURIE whose prefix has no IRI, so that nothing is lost."""
RESOURCES = frozenset(
    {"category", "primary_knowledge_source", "supporting_data_source", "publications", "has_evidence"}
)
"""Fields whose values are CURIEs."""

_UNSAFE = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,=:@/?%]|%(?![0-9A-Fa-f]{2})")
_LOCAL = re.compile(r"[A-Za-z0-9_]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f]')


def literal(text: str) -> str:
    """A text as a literal."""
    return '"' + _ESCAPED.sub(lambda m: _ESCAPES.get(m[0], f"\\u{ord(m[0]):04X}"), text) + '"'


class Terms:
    """How terms are written.

    Args:
        prefixes: CURIE prefix → beginning of the IRI.
        abbreviated: write ``prefix:local`` where that is allowed.
    """

    def __init__(self, prefixes: dict[str, str], abbreviated: bool) -> None:
        self.prefixes = {**prefixes, "rdf": RDF, "rdfs": RDFS, "xsd": XSD, "kgrel": KGREL}
        self.abbreviated = abbreviated
        self.reifies, self.type, self.label = (self.curie(name) for name in ("rdf:reifies", "rdf:type", "rdfs:label"))
        self.double = self.curie("xsd:double")

    def curie(self, curie: str) -> str:
        """A CURIE as a term; characters that an IRI may not hold are percent-encoded."""
        prefix, _, local = curie.partition(":")
        if prefix not in self.prefixes:
            return f"<{UNKNOWN_PREFIX}{_encoded(curie)}>"
        if self.abbreviated and ((local.isascii() and local.isalnum()) or _LOCAL.fullmatch(local)):
            return curie
        return f"<{self.prefixes[prefix]}{_encoded(local)}>"

    def property(self, field: Field) -> str:
        """The predicate that says a field of an edge: Biolink's where it has one."""
        return self.curie(f"biolink:{field.name}" if field.slot else f"kgrel:{field.name.removeprefix('kgrel_')}")

    def object(self, field: Field, value: str) -> str:
        """A text of a field as a term."""
        if field.name in RESOURCES:
            return self.curie(value)
        return literal(value) + (f"^^{self.curie('xsd:date')}" if field.name == "update_date" else "")

    def around(self, field: Field) -> tuple[str, str]:
        """What stands before and behind a number or a flag."""
        names = {"number": "xsd:double", "whole": "xsd:integer", "flag": "xsd:boolean"}
        return '"', f'"^^{self.curie(names[field.kind])}'


def _encoded(text: str) -> str:
    return _UNSAFE.sub(lambda match: quote(match[0], safe=""), text)


def graph_iri(run_id: str) -> str:
    """The named graph of a run."""
    return f"{KGREL}{_encoded(run_id)}"
