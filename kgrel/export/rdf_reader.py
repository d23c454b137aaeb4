"""N-Quads and TriG read back, record by record, as :mod:`kgrel.export.rdf` writes them.

What is said of an edge stands in one place of the file, so that one edge is held at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import open_input
from kgrel.export.mapping import DEFAULT_PREFIXES
from kgrel.export.rdf_terms import KGREL, RDF, RDFS, UNKNOWN_PREFIX, XSD
from kgrel.export.record import EDGE_ID, FIELDS

Record = tuple[str, dict[str, Any]]
Said = Iterable[tuple[str, Any]]
"""(IRI of a property, term) of one subject."""
ENDINGS = (".nq", ".trig")
_LISTS = {field.name for field in FIELDS if field.kind == "texts"}
_TRIPLE = ("subject", "predicate", "object")
_CLASSIC = {f"{RDF}{name}": name for name in _TRIPLE}
_NUMBERS = {f"{XSD}double": float, f"{XSD}integer": int}


class RdfFile:
    """An RDF file of edges; each call of a reader begins anew.

    Raises:
        KgrelError: the extra ``rdf`` is not installed.
        InputError: while iterating: not of the syntax that the ending says.
    """

    def __init__(self, path: Path) -> None:
        try:
            import pyoxigraph
        except ImportError:
            raise KgrelError("checking RDF needs the extra: pip install 'kgrel[rdf]'") from None
        self._module, self._path = pyoxigraph, path
        self._prefixes = _longest_first(DEFAULT_PREFIXES)

    def nodes(self) -> Iterator[Record]:
        """The nodes: id, category, name."""
        for subject, said in self._subjects():
            node = {} if EDGE_ID.fullmatch(subject) else self._node(said)
            if node:  # the triple of an edge alone makes no node
                yield f"node {subject}", {"id": subject, **node}

    def edges(self) -> Iterator[Record]:
        """The edges: what is said of each reifier."""
        for subject, said in self._subjects():
            if EDGE_ID.fullmatch(subject):
                yield f"edge {subject}", {"id": subject, **self._edge(said)}

    def _node(self, said: Said) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, term in said:
            if name == f"{RDF}type":
                values.setdefault("category", []).append(self._value(term))
            elif name == f"{RDFS}label":
                values["name"] = self._value(term)
        return values

    def _edge(self, said: Said) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, term in said:
            if name == f"{RDF}reifies":
                values |= {part: self._value(getattr(term, part)) for part in _TRIPLE}
            elif name in _CLASSIC:
                values[_CLASSIC[name]] = self._value(term)
            elif name != f"{RDF}type":
                key, value = self._key(name), self._value(term)
                if key in _LISTS:
                    values.setdefault(key, []).append(value)
                else:  # a second value of a field that has one is kept, so that a check sees it
                    values[key] = [values[key], value] if key in values else value
        return values

    def _key(self, iri: str) -> str:
        prefix, _, name = self._curie(iri).partition(":")
        return f"kgrel_{name}" if prefix == "kgrel" else name

    def _subjects(self) -> Iterator[tuple[str, Said]]:
        """Each subject as CURIE, with the statements that stand together."""
        for subject, quads in groupby(self._quads(), key=lambda quad: str(quad.subject.value)):
            yield self._curie(subject), ((quad.predicate.value, quad.object) for quad in quads)

    def _quads(self) -> Iterator[Any]:
        formats = self._module.RdfFormat
        format = formats.N_QUADS if self._path.suffix == ".nq" else formats.TRIG
        try:
            with open_input(self._path) as stream:
                parser = self._module.parse(stream, format=format)
                for number, quad in enumerate(parser):
                    if not number:  # the prefixes stand before the first statement
                        self._prefixes = _longest_first(DEFAULT_PREFIXES | parser.prefixes)
                    yield quad
        except SyntaxError as error:
            raise InputError(self._path, f"is no RDF 1.2 ({error.msg})", error.lineno) from None

    def _value(self, term: Any) -> Any:
        """A term as the value that was written; as text where it is none of its kind."""
        datatype = getattr(term, "datatype", None)
        if datatype is None:
            return self._curie(term.value)
        if datatype.value == f"{XSD}boolean":
            return {"true": True, "false": False}.get(term.value, term.value)
        try:
            return _NUMBERS.get(datatype.value, str)(term.value)
        except ValueError:
            return term.value

    def _curie(self, iri: str) -> str:
        """The CURIE of an IRI; an IRI whose prefix is not known stays as it is."""
        if iri.startswith(UNKNOWN_PREFIX):
            return iri.removeprefix(UNKNOWN_PREFIX)
        for begin, prefix in self._prefixes:
            if iri.startswith(begin):
                return f"{prefix}:{iri.removeprefix(begin)}"
        return iri


def _longest_first(prefixes: dict[str, str]) -> list[tuple[str, str]]:
    """(Beginning of the IRI, prefix)."""
    pairs = ((iri, prefix) for prefix, iri in (prefixes | {"kgrel": KGREL}).items())
    return sorted(pairs, key=lambda pair: -len(pair[0]))
