"""Independent readers: what each format holds, as nodes and edges in plain values."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kgrel.export.rdf_terms import RDF, RDFS, XSD
from kgrel.export.record import FIELDS

KINDS = {field.name: field.kind for field in FIELDS}
Values = dict[str, Any]
Graph = tuple[dict[str, Values], dict[str, Values]]
"""(node id → category and name, edge id → fields); what is not there is left out."""


def typed(name: str, text: str, separator: str) -> Any:
    """A cell as the value that was written."""
    kind = KINDS.get(name, "text")
    if name == "category" or kind == "texts":
        return text.split(separator)
    return {"number": float, "whole": int, "flag": lambda t: {"true": True, "false": False}[t]}.get(kind, str)(text)


def keyed(rows: list[Values]) -> dict[str, Values]:
    """By id; nothing may stand twice."""
    by_id = {row["id"]: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def read_jsonl(out: Path) -> Graph:
    nodes, edges = (
        [json.loads(x) for x in (out / f"{n}.jsonl").read_text().split("\n")[:-1]] for n in ("nodes", "edges")
    )
    return keyed(nodes), keyed(edges)


def read_tsv(out: Path) -> Graph:
    def table(name: str) -> list[Values]:
        with (out / name).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
        assert {len(row) for row in rows} == {len(rows[0])}
        return [{k: typed(k, v, "|") for k, v in zip(rows[0], row, strict=True) if v} for row in rows[1:]]

    return keyed(table("nodes.tsv")), keyed(table("edges.tsv"))


def csv_rows(header: list[str], rows: list[list[str]]) -> list[Values]:
    names = {"id:ID": "id", ":ID": "id", ":START_ID": "subject", ":END_ID": "object", ":TYPE": "predicate"}
    columns = [names.get(re.sub(r"\(.*\)", "", name), name.partition(":")[0]) for name in header]
    found = []
    for row in rows:
        assert len(row) == len(columns)
        found.append({k: typed(k, v, ";") for k, v in zip(columns, row, strict=True) if k and v})
    return found


def read_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, strict=True))


def read_neo4j_csv(out: Path) -> Graph:
    def table(name: str) -> list[Values]:
        (header,) = read_rows(out / f"{name}-header.csv")
        return csv_rows(header, [row for part in sorted(out.glob(f"{name}-part-*.csv")) for row in read_rows(part)])

    return keyed(table("nodes")), keyed(table("edges"))


def read_neptune(out: Path) -> Graph:
    def table(name: str) -> list[Values]:
        header, *rows = read_rows(out / name)
        return csv_rows(header, rows)

    return keyed(table("nodes.csv")), keyed(table("edges.csv"))


def read_graphml(out: Path) -> Graph:
    import networkx as nx

    graph = nx.read_graphml(out, force_multigraph=True)
    nodes = {node: {"id": node, **values} for node, values in graph.nodes(data=True)}
    edges = {key: {"id": key, "subject": s, "object": o, **v} for s, o, key, v in graph.edges(data=True, keys=True)}
    for values in (*nodes.values(), *edges.values()):
        values.update({k: v.split("|") for k, v in values.items() if k == "category" or KINDS.get(k) == "texts"})
    return nodes, edges


def read_cx2(out: Path) -> Graph:
    aspects = {key: value for aspect in json.loads(out.read_bytes()) for key, value in aspect.items()}
    counts = {entry["name"]: entry["elementCount"] for entry in aspects["metaData"]}
    assert (counts["nodes"], counts["edges"]) == (len(aspects["nodes"]), len(aspects["edges"]))
    assert [edge["id"] for edge in aspects["edges"]] == list(range(counts["edges"]))
    curies = {node["id"]: node["v"]["id"] for node in aspects["nodes"]}
    edges = [{"subject": curies[e["s"]], "object": curies[e["t"]], **e["v"]} for e in aspects["edges"]]
    return keyed([node["v"] for node in aspects["nodes"]]), keyed(edges)


def read_trapi(out: Path) -> Graph:
    graph = json.loads(out.read_bytes())
    nodes = {key: {"id": key, "category": node["categories"]} for key, node in graph["nodes"].items()}
    for key, node in graph["nodes"].items():
        nodes[key] |= {"name": node["name"]} if "name" in node else {}
    edges = {}
    for key, edge in graph["edges"].items():
        values = {"id": key, **{name: edge[name] for name in ("subject", "predicate", "object")}}
        for attribute in edge["attributes"]:
            prefix, _, name = attribute["attribute_type_id"].partition(":")
            values["kgrel_" * (prefix == "kgrel") + name] = attribute["value"]
        (values["primary_knowledge_source"],) = [
            s["resource_id"] for s in edge["sources"] if s["resource_role"] == "primary_knowledge_source"
        ]
        values |= {q["qualifier_type_id"].partition(":")[2]: q["qualifier_value"] for q in edge["qualifiers"]}
        edges[key] = values
    return nodes, edges


def read_ladybug(out: Path) -> Graph:
    import ladybug

    database = ladybug.Database(str(out), read_only=True, buffer_pool_size=256 << 20)
    connection = ladybug.Connection(database)

    def rows(cypher: str) -> list[list[Any]]:
        answer, found = connection.execute(cypher), []
        while answer.has_next():
            found.append(answer.get_next())
        answer.close()
        return found

    nodes = keyed(
        [{"id": i, "category": c, "name": n} for i, c, n in rows("MATCH (n) RETURN n.id, n.category, n.name")]
    )
    edges = []
    for s, predicate, edge, o in rows("MATCH (s)-[r]->(o) RETURN s.id, label(r), r, o.id"):
        plain = {k: v for k, v in edge.items() if not k.startswith("_")}
        edges.append({**plain, "subject": s, "object": o, "predicate": predicate})
    connection.close()
    database.close()
    return given(nodes), given(keyed(edges))


def given(graph: dict[str, Values]) -> dict[str, Values]:
    return {key: {k: v for k, v in values.items() if v is not None and v != []} for key, values in graph.items()}


def read_rdf(out: Path) -> Graph:
    import pyoxigraph as ox

    format = ox.RdfFormat.N_QUADS if out.suffix == ".nq" else ox.RdfFormat.TRIG
    store = ox.Store()
    store.load(path=str(out), format=format)
    return rdf_graph(lambda sparql: list(store.query(sparql, use_default_graph_as_union=True)))


BIOLINK, KGREL = "https://w3id.org/biolink/vocab/", "urn:kgrel:"
NODES = f"""SELECT ?n ?c ?l WHERE {{ ?n <{RDF}type> ?c FILTER(?c != <{RDF}Statement>)
  OPTIONAL {{ ?n <http://www.w3.org/2000/01/rdf-schema#label> ?l }} }}"""
REIFIED = f"SELECT ?e ?s ?p ?o WHERE {{ ?e <{RDF}reifies> <<( ?s ?p ?o )>> . ?s ?p ?o }}"
CLASSIC = f"SELECT ?e ?s ?p ?o WHERE {{ ?e <{RDF}subject> ?s ; <{RDF}predicate> ?p ; <{RDF}object> ?o . ?s ?p ?o }}"


def rdf_graph(run: Callable[[str], list[Any]]) -> Graph:
    """Nodes and edges by SPARQL; resources become CURIEs again."""
    nodes: dict[str, Values] = {}
    for node, category, label in run(NODES):
        values = nodes.setdefault(curie(node), {"id": curie(node), "category": []})
        values["category"].append(curie(category))
        if label is not None:
            values["name"] = label.value
    edges: dict[str, Values] = {}
    for edge, *triple in run(REIFIED) or run(CLASSIC):
        key = curie(edge)
        assert key not in edges
        edges[key] = {"id": key} | dict(zip(("subject", "predicate", "object"), map(curie, triple), strict=True))
    own = " ".join(f"<{KGREL}{key.partition(':')[2]}>" for key in edges)
    for edge, name, value in run(f"SELECT ?e ?p ?v WHERE {{ VALUES ?e {{ {own} }} ?e ?p ?v }}"):
        if name.value.startswith(RDF):
            continue
        plain = name.value.removeprefix(BIOLINK).replace(KGREL, "kgrel_")
        said = typed(plain, value.value, "\0") if hasattr(value, "datatype") else curie(value)
        if KINDS.get(plain) == "texts":
            said = said if isinstance(said, list) else [said]
            edges[curie(edge)].setdefault(plain, []).extend(said)
        else:
            edges[curie(edge)][plain] = said
    return nodes, edges


PREFIXES = {
    "http://identifiers.org/ncbigene/": "NCBIGene:",
    "http://purl.obolibrary.org/obo/DOID_": "DOID:",
    "http://www.ncbi.nlm.nih.gov/pubmed/": "PMID:",
    "https://doi.org/": "doi:",
    BIOLINK: "biolink:",
    "https://w3id.org/biolink/infores/": "infores:",
    "urn:kgrel:curie:": "",
    KGREL: "kgrel:",
    **{iri: f"{prefix}:" for prefix, iri in (("rdf", RDF), ("rdfs", RDFS), ("xsd", XSD))},
}


def curie(term: Any) -> str:
    """CURIE of an IRI."""
    for iri, prefix in PREFIXES.items():
        if term.value.startswith(iri):
            return prefix + str(term.value).removeprefix(iri)
    raise AssertionError(f"unknown IRI {term.value}")


READERS: dict[str, tuple[str, Callable[[Path], Graph]]] = {
    "kgx": ("x", read_jsonl),
    "kgx-tsv": ("x", read_tsv),
    "neo4j-csv": ("x", read_neo4j_csv),
    "neptune": ("x", read_neptune),
    "graphml": ("x.graphml", read_graphml),
    "cx2": ("x.cx2", read_cx2),
    "trapi": ("x.json", read_trapi),
    "rdf": ("x.trig", read_rdf),
    "rdf-nq": ("x.nq", read_rdf),
    "rdf-classic": ("y.trig", read_rdf),
    "rdf-nq-classic": ("y.nq", read_rdf),
    "ladybug": ("x.lbdb", read_ladybug),
}
"""Case → the name of its output and the reader."""
