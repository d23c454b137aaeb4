"""One suite for every writer: write, read back with an independent reader, compare."""

from __future__ import annotations

import dataclasses
import math
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.export.biolink import curie_of
from kgrel.export.dispatch import write
from kgrel.export.record import FIELDS, Edge, Node
from kgrel.export.settings import KgxSettings, RdfSettings
from tests.export.conftest import EDGES, NODES, make_edge
from tests.export.read_back import READERS, Graph, Values

OPTIONS: dict[str, dict[str, Any]] = {
    "kgx-tsv": {"settings": KgxSettings("tsv")},
    "rdf-classic": {"settings": RdfSettings("classic")},
    "rdf-nq-classic": {"settings": RdfSettings("classic")},
}
SEPARATELY = ["ladybug"]
"""Formats that take half a second a file."""


def round_trip(case: str, edges: Sequence[Edge], nodes: Sequence[Node], directory: Path) -> Graph:
    """Write and read back."""
    name, read = READERS[case]
    format = re.sub("-(tsv|nq|classic)", "", case)
    counts = write(edges, format, directory / name, nodes=nodes, **OPTIONS.get(case, {}))
    assert counts["edges"] == len({edge.id for edge in edges})
    return read(directory / name)


def expected(case: str, edges: Sequence[Edge], nodes: Sequence[Node]) -> Graph:
    """What the format holds of it."""
    by_id = {node.id: node for node in nodes}
    ends = {end: by_id.get(end, Node(end, ("biolink:NamedThing",))) for e in edges for end in (e.subject, e.object)}
    wanted_nodes = {}
    for node in ends.values():
        name = held(case, node.name)
        wanted_nodes[node.id] = {"id": node.id, "category": list(node.category)} | (
            {} if name is None else {"name": name}
        )
    return wanted_nodes, {edge.id: values_of(edge) for edge in edges}


def held(case: str, name: str | None) -> str | None:
    """A name as the format can hold it: only KGX TSV, CSV and XML have characters that they cannot hold."""
    if case in ("kgx-tsv", "neo4j-csv", "neptune", "graphml") and name == "":
        return None  # these readers do not tell the empty text from none
    if name is None or case not in ("kgx-tsv", "neo4j-csv", "neptune", "graphml"):
        return name
    if case == "kgx-tsv":
        return "".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" else c for c in name)
    forbidden = "\ufffe\uffff" if case == "graphml" else "\x7f"
    return "".join("\ufffd" if (ord(c) < 32 and c not in "\t\n\r") or c in forbidden else c for c in name)


def values_of(edge: Edge) -> Values:
    """The fields that are there: zero and False are, None and empty lists are not."""
    values = {f.name: getattr(edge, f.name) for f in FIELDS} | dict(edge.qualifiers)
    lists = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {name: value for name, value in lists.items() if value is not None and value not in ([], "")}


def normal(graph: Graph) -> Graph:
    """Lists that RDF does not order are sorted, and the set of a value's kinds is that of the record."""
    return tuple(  # type: ignore[return-value]
        {
            key: {k: sorted(v) if isinstance(v, list) else v for k, v in values.items() if v != ""}
            for key, values in part.items()
        }
        for part in graph
    )


@pytest.mark.parametrize("case", READERS)
def test_what_was_written_is_read_back(case: str, tmp_path: Path) -> None:
    found = round_trip(case, EDGES, NODES, tmp_path)
    assert normal(found) == normal(expected(case, EDGES, NODES))


hostile = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "Crohn's",
        "5'-ABC-3'",
        '"',
        '""',
        "a\\",
        '\\"',
        "=1+1",
        "\ttab\n",
        "\r\n",
        "\0",
        "\u0085\u2028",
        "]]>",
        "{};|,",
        "''",
        "日本\U0001f9ec",
    ]
)
number = (
    st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308])
)
identifier = st.builds(curie_of, hostile.filter(bool), st.sampled_from(["NCBIGene", "DOID", "X.y-1"]))
document = st.builds(lambda n: f"PMID:{n}", st.integers(1, 10**9)) | st.builds(
    curie_of, hostile.filter(bool), st.just("doi")
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Edge], list[Node]]:
    """Edges with hostile identifiers, names and numbers, some of them parallel."""
    ids = draw(st.lists(identifier, min_size=2, max_size=5, unique=True))
    nodes = [Node(id_, ("biolink:Gene",), draw(st.none() | hostile)) for id_ in ids]
    edges = [
        make_edge(
            draw(st.sampled_from(ids)),
            draw(st.sampled_from(ids)),
            predicate=draw(st.sampled_from(["biolink:affects", "biolink:associated_with"])),
            kgrel_model_version=draw(st.sampled_from(["1", "2 (β)", 'it\'s "3"'])),
            kgrel_score=draw(number),
            kgrel_threshold=draw(number),
            has_confidence_score=draw(st.none() | st.floats(0, 1)),
            kgrel_rank=draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
            kgrel_known_edge=draw(st.none() | st.booleans()),
            publications=tuple(draw(st.lists(document, max_size=3, unique=True))),
            qualifiers=draw(st.sampled_from([(), (("object_direction_qualifier", "increased"),)])),
        )
        for _ in range(draw(st.integers(1, 6)))
    ]
    return list({edge.id: edge for edge in reversed(edges)}.values())[::-1], nodes


@pytest.mark.parametrize("case", [case for case in READERS if case not in SEPARATELY])
@settings(max_examples=20)
@given(graph=graphs())
def test_hostile_texts_and_extreme_numbers_come_back(case: str, graph: tuple[list[Edge], list[Node]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        found = round_trip(case, *graph, Path(directory))
    wanted = expected(case, *graph)
    if case.startswith("rdf"):
        # A resource is named by its IRI, in which everything but the plainest characters is percent-encoded.
        found, wanted = unquoted(found), unquoted(wanted)
    assert normal(found) == normal(wanted)


@pytest.mark.parametrize("case", SEPARATELY)
@settings(max_examples=4)
@given(graph=graphs())
def test_hostile_texts_come_back_from_slow_formats(case: str, graph: tuple[list[Edge], list[Node]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        found = round_trip(case, *graph, Path(directory))
    assert normal(found) == normal(expected(case, *graph))


def unquoted(graph: Graph) -> Graph:
    from urllib.parse import unquote

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [unquote(item) for item in value]
        return unquote(value) if isinstance(value, str) else value

    def part(values: dict[str, Values]) -> dict[str, Values]:
        return {
            unquote(k): {n: v if n == "name" else plain(v) for n, v in entry.items()} for k, entry in values.items()
        }

    return part(graph[0]), part(graph[1])


@pytest.mark.parametrize("case", READERS)
def test_an_export_without_edges_is_a_valid_file(case: str, tmp_path: Path) -> None:
    assert round_trip(case, [], NODES, tmp_path) == ({}, {})


def test_minus_zero_and_the_smallest_number_keep_their_sign_and_digits(tmp_path: Path) -> None:
    edges = [make_edge(kgrel_score=-0.0, kgrel_threshold=5e-324)]
    (edge,) = round_trip("kgx", edges, [], tmp_path)[1].values()
    assert math.copysign(1, edge["kgrel_score"]) == -1
    assert edge["kgrel_threshold"] == 5e-324


def test_of_edges_with_one_id_the_first_is_kept(tmp_path: Path) -> None:
    twice = [EDGES[0], dataclasses.replace(EDGES[0], kgrel_score=0.9), *EDGES[1:]]
    _, edges = round_trip("kgx", twice, NODES, tmp_path)
    assert len(edges) == len(EDGES)
    assert edges[EDGES[0].id]["kgrel_score"] == 0.0
