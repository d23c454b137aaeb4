"""RDF files in a real triple store: loaded and asked over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kgrel.export.dispatch import write
from kgrel.export.rdf_terms import graph_iri
from kgrel.export.scored import select_edges
from tests.export.conftest import EDGES, ENTITIES, NODES, Server, make_provenance
from tests.export.read_back import rdf_graph
from tests.export.test_round_trip import expected, normal

TYPES = {".nq": "application/n-quads", ".trig": "application/trig"}


def call(server: Server, path: str, method: str, body: bytes = b"", content: str = "") -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", body or None, method=method)
    if content:
        request.add_header("Content-Type", content)
    request.add_header("Accept", "application/sparql-results+json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: bytes = answer.read()
        return found


def ask(server: Server, sparql: str) -> list[list[Any]]:
    """Rows of terms: anything with ``value``, and ``datatype`` if it is a literal."""
    answer = json.loads(call(server, "/query?union-default-graph", "POST", sparql.encode(), "application/sparql-query"))

    def term(value: dict[str, str] | None) -> Any:
        if value is None:
            return None
        kinds = {"datatype": value.get("datatype")} if value["type"] == "literal" else {}
        return SimpleNamespace(value=value["value"], **kinds)

    names = answer["head"]["vars"]
    return [[term(row.get(name)) for name in names] for row in answer["results"]["bindings"]]


@pytest.fixture
def store(oxigraph: Server) -> Server:
    call(oxigraph, "/store", "DELETE")
    return oxigraph


@pytest.mark.parametrize("ending", TYPES)
def test_a_triple_store_holds_the_same_edges_and_loading_again_changes_nothing(
    store: Server, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"x{ending}"
    write(EDGES, "rdf", out, nodes=NODES)
    counts = []
    for _ in range(2):
        call(store, "/store", "POST", out.read_bytes(), TYPES[ending])
        counts.append(ask(store, "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")[0][0].value)
        assert normal(rdf_graph(lambda sparql: ask(store, sparql))) == normal(expected("rdf", EDGES, NODES))
    assert counts[0] == counts[1]


def test_dropping_the_graph_of_a_run_leaves_the_other_run(store: Server, scored: Path, tmp_path: Path) -> None:
    for run in ("a b", "c"):
        out = tmp_path / f"{run}.trig"
        with select_edges(scored, ENTITIES, make_provenance(run_id=run, model_version=run)) as edges:
            write(edges, "rdf", out)
        call(store, "/store", "POST", out.read_bytes(), TYPES[".trig"])
    graphs = {row[0].value for row in ask(store, "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }")}
    assert graphs == {graph_iri("a b"), graph_iri("c")}
    call(store, "/store?graph=" + urllib.parse.quote(graph_iri("a b"), safe=""), "DELETE")
    _, left = rdf_graph(lambda sparql: ask(store, sparql))
    assert {edge["kgrel_model_version"] for edge in left.values()} == {"c"}
    assert len(left) == 3
