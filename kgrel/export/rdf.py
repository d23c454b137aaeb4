"""RDF 1.2 as N-Quads or TriG: one named graph a run.

An edge is asserted in the graph of its run, and everything else is said of its identifier, a reifier of the triple::

    NCBIGene:1 biolink:associated_with DOID:2 .
    kgrel:6c1f… rdf:reifies <<( NCBIGene:1 biolink:associated_with DOID:2 )>> ;
        biolink:knowledge_level "prediction" ; kgrel:score "0.7"^^xsd:double .

https://www.w3.org/TR/rdf12-concepts/. For stores that know no triple terms, ``classic`` says the same with
rdf:subject, rdf:predicate and rdf:object.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.errors import KgrelError
from kgrel.data.files import atomic_file
from kgrel.export.batch import NODE_ROWS, Coded, Column, Constant, EdgeBatch, EdgeSource, groups
from kgrel.export.fragments import Fragment, blocks_of_lines, concatenated, fragment
from kgrel.export.mapping import DEFAULT_PREFIXES
from kgrel.export.overlap import Overlapped
from kgrel.export.rdf_terms import Terms, graph_iri, literal
from kgrel.export.record import FIELDS, Field, Node
from kgrel.export.settings import RdfSettings

_TRIPLE = ("id", "subject", "predicate", "object")
_CLASSIC = ("rdf:subject", "rdf:predicate", "rdf:object")


def write(
    source: EdgeSource,
    out: Path,
    settings: RdfSettings | None = None,
    overwrite: bool = False,
    prefixes: dict[str, str] | None = None,
) -> None:
    """Write ``out``: N-Quads if it ends in ``.nq``, TriG if in ``.trig``.

    Args:
        prefixes: CURIE prefix → beginning of the IRI; others become ``urn:kgrel:curie:…``.

    Raises:
        KgrelError: another ending; see :func:`kgrel.data.files.atomic_file`.
    """
    if out.suffix not in (".nq", ".trig"):
        raise KgrelError(f"{out}: the ending does not tell the syntax; use .nq for N-Quads or .trig for TriG")
    settings = settings or RdfSettings()
    prefixes = DEFAULT_PREFIXES if prefixes is None else prefixes
    graph = graph_iri(source.origin.get("run_id") or "edges")
    with atomic_file(out, overwrite) as partial, partial.open("wb") as file, Overlapped(file) as stream:
        if out.suffix == ".nq":
            _write_quads(source, stream, Terms(prefixes, False), f" <{graph}> .\n", settings)
        else:
            _write_trig(source, stream, Terms(prefixes, True), graph, settings)


class _ObjectStyle:
    """Texts of one field as terms, several parted by commas."""

    def __init__(self, terms: Terms, field: Field) -> None:
        self._terms, self._field = terms, field

    def text(self, value: str) -> str:
        return self._terms.object(self._field, value)

    def texts(self, values: Sequence[str]) -> str:
        return ", ".join(map(self.text, values))


class _CurieStyle:
    """CURIEs as terms."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms

    def text(self, value: str) -> str:
        return self._terms.curie(value)

    def texts(self, values: Sequence[str]) -> str:
        return ", ".join(map(self.text, values))


def _triple(batch: EdgeBatch, terms: Terms) -> list[pa.Array]:
    """The terms of subject, predicate and object (n,)."""
    fields = {field.name: field for field in FIELDS}
    style = _CurieStyle(terms)
    return [concatenated([fragment(fields[n], batch.columns[n], style)], batch.size) for n in _TRIPLE[1:]]


def _subject(batch: EdgeBatch, terms: Terms) -> pa.Array:
    """The term of the edge (n,)."""
    identifier = fragment(FIELDS[0], batch.columns["id"], _CurieStyle(terms))
    if terms.abbreviated:
        return concatenated([identifier], batch.size)
    local = pc.utf8_slice_codeunits(concatenated([identifier], batch.size), len("kgrel:"))
    return concatenated(["<" + terms.prefixes["kgrel"], local, ">"], batch.size)


def _reification(triple: list[pa.Array], terms: Terms, settings: RdfSettings) -> list[tuple[str, list[Fragment]]]:
    """What makes the edge stand for the triple, as (property, fragments of the object)."""
    s, p, o = triple
    if settings.reification == "rdf-1.2":
        return [(terms.reifies, ["<<( ", s, " ", p, " ", o, " )>>"])]
    ends: list[tuple[str, list[Fragment]]] = [(terms.curie(n), [t]) for n, t in zip(_CLASSIC, triple, strict=True)]
    return [(terms.type, [terms.curie("rdf:Statement")]), *ends]


def _write_trig(source: EdgeSource, stream: Overlapped, terms: Terms, graph: str, settings: RdfSettings) -> None:
    lines = [f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in sorted(terms.prefixes.items())]
    stream.write("".join([*lines, f"GRAPH <{graph}> {{\n"]).encode())
    for nodes in groups(source.nodes(), NODE_ROWS):
        stream.write("".join(_trig_node(node, terms) for node in nodes).encode())
    for batch in source.batches():
        triple, subject = _triple(batch, terms), _subject(batch, terms)
        parts: list[Fragment] = [triple[0], " ", triple[1], " ", triple[2], " .\n"]
        for place, (name, said) in enumerate(_reification(triple, terms, settings)):
            parts += [" ; " if place else subject, f" {name} ", *said]
        for field in _properties(source.fields):
            before, after = ("", "") if field.kind in ("text", "texts") else terms.around(field)
            before = f" ; {terms.property(field)} {before}"
            parts.append(fragment(field, batch.columns[field.name], _ObjectStyle(terms, field), before, after))
        stream.writelines(blocks_of_lines([*parts, " .\n"], batch.size))
    stream.write(b"}\n")


def _trig_node(node: Node, terms: Terms) -> str:
    types = ", ".join(map(terms.curie, node.category))
    label = "" if node.name is None else f" ; {terms.label} {literal(node.name)}"
    return f"{terms.curie(node.id)} {terms.type} {types}{label} .\n"


def _quads_of_node(node: Node, terms: Terms, end: str) -> str:
    subject = terms.curie(node.id)
    label = "" if node.name is None else f"{subject} {terms.label} {literal(node.name)}{end}"
    return "".join(f"{subject} {terms.type} {terms.curie(category)}{end}" for category in node.category) + label


def _properties(fields: Sequence[Field]) -> list[Field]:
    return [field for field in fields if field.name not in _TRIPLE]


def _write_quads(source: EdgeSource, stream: Overlapped, terms: Terms, end: str, settings: RdfSettings) -> None:
    for nodes in groups(source.nodes(), NODE_ROWS):
        stream.write("".join(_quads_of_node(node, terms, end) for node in nodes).encode())
    for batch in source.batches():
        triple, subject = _triple(batch, terms), _subject(batch, terms)
        parts: list[Fragment] = [triple[0], " ", triple[1], " ", triple[2]]
        for name, said in _reification(triple, terms, settings):
            parts += [end, subject, f" {name} ", *said]
        parts.append(end)
        for field in _properties(source.fields):
            parts += _quads_of(field, batch.columns[field.name], subject, terms, end)
        stream.writelines(blocks_of_lines(parts, batch.size))


def _quads_of(field: Field, column: Column, subject: pa.Array, terms: Terms, end: str) -> Iterator[Fragment]:
    """A statement for each value of a field; of a list for each item."""
    style, name = _ObjectStyle(terms, field), f" {terms.property(field)} "
    if field.kind != "texts":
        before, after = ("", "") if field.kind == "text" else terms.around(field)
        yield from _guarded(subject, fragment(field, column, style, name + before, after + end))
    elif isinstance(column, Constant):
        for item in column.value or ():
            yield from (subject, f"{name}{style.text(item)}{end}")
    elif isinstance(column, Coded):
        for place in range(max(map(len, column.values), default=0)):
            items = [value[place] if place < len(value) else None for value in column.values]
            single = Field(field.name, "text", field.slot)
            yield from _guarded(subject, fragment(single, Coded(column.codes, items), style, name, end))
    else:
        lists = column.array.to_pylist()
        if any(lists):
            rows = zip(subject.to_pylist(), lists, strict=True)
            said = ["".join(f"{s}{name}{style.text(item)}{end}" for item in items or ()) for s, items in rows]
            yield pa.array(said, pa.large_string())


def _guarded(subject: pa.Array, said: Fragment) -> list[Fragment]:
    """The subject and what is said of it, nothing where nothing is said."""
    if isinstance(said, str):
        return [subject, said] if said else []
    empty = pc.equal(said, "")
    if not pc.any(empty).as_py():
        return [subject, said]
    return [pc.if_else(empty, pa.scalar("", pa.large_string()), subject), said]
