"""Whatever the format, the graph is the one that was written; what is wrong with it is counted, listed or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kgrel.data.errors import ArtifactError, InputError, KgrelError
from kgrel.data.tables import TableReader
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.graph.readers import type_of_category
from kgrel.graph.settings import ImportSettings
from tests.compressing import COMPRESSIONS, compressed

NODES = {
    ("GENE", "1"): "ABC",
    ("GENE", "7"): '=5"-DEF',
    ("DISEASE", "DOID:2"): "Crohn's",
    ("PATHWAY", "7"): "",
}
EDGES = {
    ("DISEASE", "DOID:2", "DaG", "GENE", "1"),
    ("DISEASE", "DOID:2", "DuG", "GENE", "1"),
    ("GENE", "1", "GiG", "GENE", "7"),
    ("GENE", "7", "GiG", "GENE", "1"),
    ("GENE", "7", "GpPW", "PATHWAY", "7"),
}
"""Parallel edges, both directions, an identifier of two types, a name that begins with = and a quote."""
CATEGORY = {"GENE": "biolink:Gene", "DISEASE": "biolink:Disease", "PATHWAY": "biolink:Pathway"}
PRIMEKG = {"GENE": "gene/protein", "DISEASE": "disease", "PATHWAY": "pathway"}


def tsv(rows: list[tuple[str, ...]]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def curie(type_: str, id_: str) -> str:
    return id_ if ":" in id_ else f"{type_}::{id_}"


def hetionet(directory: Path) -> list[Path]:
    nodes = [(curie(t, i), f'"{n.replace(chr(34), chr(34) * 2)}"', t.title()) for (t, i), n in NODES.items()]
    (directory / "nodes.tsv").write_text(tsv([("id", "name", "kind"), *nodes]))
    edges = [(curie(a, b), r, curie(c, d)) for a, b, r, c, d in sorted(EDGES)]
    (directory / "edges.sif").write_text(tsv([("source", "metaedge", "target"), *edges]))
    return [directory / "nodes.tsv", directory / "edges.sif"]


def kgx_jsonl(directory: Path) -> list[Path]:
    nodes: list[dict[str, Any]] = [
        {"id": curie(t, i), "category": ["biolink:NamedThing", CATEGORY[t]], "name": n, "xref": ["a:1", "b:2"]}
        for (t, i), n in NODES.items()
    ]
    del nodes[-1]["name"]
    edges = [{"subject": curie(a, b), "predicate": r, "object": curie(c, d), r: [1]} for a, b, r, c, d in sorted(EDGES)]
    for name, rows in (("nodes", nodes), ("edges", edges)):
        (directory / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [directory / "nodes.jsonl", directory / "edges.jsonl"]


def kgx_tsv(directory: Path) -> list[Path]:
    nodes = [(curie(t, i), f"{CATEGORY[t]}|biolink:NamedThing", n) for (t, i), n in NODES.items()]
    (directory / "nodes.tsv").write_text(tsv([("id", "category", "name"), *nodes]))
    edges = [(f"e{n}", curie(a, b), r, curie(c, d)) for n, (a, b, r, c, d) in enumerate(sorted(EDGES))]
    (directory / "edges.tsv").write_text(tsv([("id", "subject", "predicate", "object"), *edges]))
    return [directory / "nodes.tsv", directory / "edges.tsv"]


def triples(directory: Path) -> list[Path]:
    rows = [(b, r, d, a, c) for a, b, r, c, d in sorted(EDGES)]
    (directory / "triples.tsv").write_text(tsv([("head", "relation", "tail", "head_type", "tail_type"), *rows]))
    return [directory / "triples.tsv"]


def primekg(directory: Path) -> list[Path]:
    def cells(*end: str) -> str:
        type_, id_ = end
        name = NODES[type_, id_].replace('"', '""')
        return f'0,{id_},{PRIMEKG[type_]},"{name}",source'

    lines = [f"{r},display,{cells(a, b)},{cells(c, d)}\n" for a, b, r, c, d in sorted(EDGES)]
    ends = [f"{side}_{name}" for side in "xy" for name in ("index", "id", "type", "name", "source")]
    (directory / "kg.csv").write_text(",".join(["relation", "display_relation", *ends]) + "\n" + "".join(lines))
    return [directory / "kg.csv"]


WRITERS = {
    "hetionet": (hetionet, True),
    "kgx jsonl": (kgx_jsonl, True),
    "kgx tsv": (kgx_tsv, True),
    "tsv": (triples, False),
    "primekg": (primekg, True),
}
"""Format → how it is written, and whether it says the names of the nodes."""


@pytest.mark.parametrize("compression", ["", *COMPRESSIONS])
@pytest.mark.parametrize("format", WRITERS)
def test_every_format_gives_the_same_graph_also_compressed(format: str, compression: str, tmp_path: Path) -> None:
    write, named = WRITERS[format]
    settings = ImportSettings(format.split(" ")[0], strict=True)  # type: ignore[arg-type]
    files = write(tmp_path)
    if compression:
        files = [compressed(path, compression) for path in files]
    import_graph(files, tmp_path / "graph", settings)
    graph = Graph.open(tmp_path / "graph")
    table = graph.entities
    keys = list(zip(table.types, table.ids, strict=True))
    assert keys == sorted(NODES, key=lambda key: key[0])
    assert table.names == [NODES[key] if named else "" for key in keys]
    found = [
        (*keys[head], type_.relation, *keys[tail])
        for type_ in graph.edge_types
        for head, tail in graph.ends[:, type_.edges].T.tolist()
    ]
    assert set(found) == EDGES
    assert len(found) == len(EDGES)
    assert [type_[:3] for type_ in graph.edge_types] == sorted({(a, r, c) for a, _, r, c, _ in EDGES})
    if format == "kgx jsonl":
        assert graph.properties().column("xref").to_pylist() == ["a:1|b:2"] * 4


FAULTY = """source\tmetaedge\ttarget
Gene::1\tGiG\tGene::7
Gene::1\tGiG\tGene::404
Gene::1\tGiG\tGene::7
1\tGiG\t1
7\tGiG\tGene::1
"""
PROBLEMS = [
    ("repeated_node", "nodes.tsv", 4, "the node GENE::1 stands there already"),
    ("dangling", "edges.sif", 3, "the tail 'Gene::404' is no node"),
    ("ambiguous", "edges.sif", 6, "the head '7' is a node of several types; write it as TYPE::id"),
    ("duplicate", "edges.sif", 4, "the edge GENE::1 GiG GENE::7 stands there already"),
    ("self_loop", "edges.sif", 5, "the edge GENE::1 GiG GENE::1 joins a node with itself"),
]


@pytest.fixture
def faulty(tmp_path: Path) -> list[Path]:
    """A graph with a fault of each kind."""
    (tmp_path / "nodes.tsv").write_text("id\tname\tkind\n1\tA\tGene\n7\tB\tGene\n1\tC\tGene\n7\tD\tPathway\n")
    (tmp_path / "edges.sif").write_text(FAULTY)
    return [tmp_path / "nodes.tsv", tmp_path / "edges.sif"]


def test_faulty_rows_are_counted_and_listed_with_their_lines(faulty: list[Path], tmp_path: Path) -> None:
    summary = import_graph(faulty, tmp_path / "graph").manifest.summary
    assert summary["rows"] == 5 == summary["edges"] + sum(summary[k] for k in ("dangling", "ambiguous", "duplicate"))
    assert (summary["edges"], summary["self_loop"], summary["repeated_node"], summary["shared_ids"]) == (2, 1, 1, 1)
    rows = next(iter(TableReader(tmp_path / "graph" / "problems.tsv"))).to_pylist()
    assert [(r["kind"], r["file"], int(r["line"]), r["text"]) for r in rows] == PROBLEMS
    graph = Graph.open(tmp_path / "graph")
    assert graph.entities.names == ["A", "B", "D"]  # of a node that stands twice the first row


def test_a_row_with_two_unknown_ends_counts_once(faulty: list[Path], tmp_path: Path) -> None:
    faulty[1].write_text(FAULTY + "Gene::405\tGiG\t7\n7\tGiG\tGene::406\n")
    summary = import_graph(faulty, tmp_path / "graph").manifest.summary
    assert (summary["rows"], summary["dangling"], summary["ambiguous"]) == (7, 3, 1)
    assert summary["edges"] + summary["duplicate"] == 3


def test_a_node_is_of_the_type_that_its_file_says_whatever_its_prefix(tmp_path: Path) -> None:
    nodes, edges = tmp_path / "nodes.tsv", tmp_path / "edges.tsv"
    lines = ["DRUGBANK:DB1\tbiolink:Food", "DOID:9\tbiolink:PhenotypicFeature", "NCBIGene:7\tbiolink:Gene",
             "NCBIGene:8\tbiolink:Gene", "NCBIGene:8\tbiolink:Pathway"]  # fmt: skip
    nodes.write_text("\n".join(["id\tcategory", *lines]) + "\n")
    triples = [
        ("NCBIGene:7", "drugbank:DB1"),
        ("DOID:9", "NCBIGene:7"),
        ("NCBIGene:8", "NCBIGene:7"),
        ("DOID:9", "DOID:8"),
    ]
    rows = [f"{subject}\tbiolink:related_to\t{object_}" for subject, object_ in triples]
    edges.write_text("\n".join(["subject\tpredicate\tobject", *rows]) + "\n")
    summary = import_graph([nodes, edges], tmp_path / "graph", ImportSettings(format="kgx")).manifest.summary
    assert (summary["edges"], summary["ambiguous"], summary["dangling"]) == (2, 1, 1)
    types = {(type_.head, type_.tail) for type_ in Graph.open(tmp_path / "graph").edge_types}
    assert types == {("GENE", "FOOD"), ("PHENOTYPICFEATURE", "GENE")}


def test_strict_refuses_a_faulty_graph_and_leaves_nothing(faulty: list[Path], tmp_path: Path) -> None:
    sentence = (
        r"nodes\.tsv, line 4: the node GENE::1 stands there already; in all 1 dangling, 1 ambiguous, 1 duplicate, "
        "1 self loop, 1 repeated node; correct the files"
    )
    with pytest.raises(KgrelError, match=sentence):
        import_graph(faulty, tmp_path / "graph", ImportSettings(strict=True))
    assert not (tmp_path / "graph").exists()


NODE_LINES = "id\tname\tkind\n1\tA\tGene\n"
EDGE_LINES = "source\tmetaedge\ttarget\nGene::1\tGiG\tGene::1\n"


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ("id\tname\tkind\n", EDGE_LINES, r"nodes\.tsv: holds no node"),
        (NODE_LINES, "source\tmetaedge\ttarget\n", r"edges\.sif: holds no edge"),
        ("id\tname\tkind\n1\tA\t\n", EDGE_LINES, r"nodes\.tsv, line 2: the node '1' has no type; add it in a column"),
        ("id\tname\tkind\n\tA\tGene\n", EDGE_LINES, r"nodes\.tsv, line 2: the identifier of a node is empty"),
        ("id\tname\n", EDGE_LINES, r"nodes\.tsv, line 1: no column 'kind'; the columns are 'id', 'name'"),
        (NODE_LINES, "a\tb\n", r"edges\.sif, line 1: no column 'source'"),
        (NODE_LINES, EDGE_LINES + "Gene::1\t\tGene::1\n", r"edges\.sif, line 3: the relation of an edge is empty"),
        (NODE_LINES, EDGE_LINES + "\tGiG\tGene::1\n", r"edges\.sif, line 3: the identifier of an end is empty"),
        (NODE_LINES, EDGE_LINES + "Gene::1\tGiG\n", r"edges\.sif, line 3: has 2 fields, but the header names 3"),
        (
            NODE_LINES,
            "source\tmetaedge\ttarget\nP1\tr\tP2\n",
            r"edges\.sif: none of the 1 edges joins two nodes.*like 'P1', 'P2', those of the nodes like 'GENE::1'",
        ),
    ],
)
def test_what_is_no_graph_is_told_in_one_sentence(nodes: str, edges: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "nodes.tsv").write_text(nodes)
    (tmp_path / "edges.sif").write_text(edges)
    with pytest.raises(InputError, match=message):
        import_graph([tmp_path / "nodes.tsv", tmp_path / "edges.sif"], tmp_path / "graph")
    assert not (tmp_path / "graph").exists()


def test_triples_without_types_and_objects_without_ends_are_refused(tmp_path: Path) -> None:
    (tmp_path / "triples.tsv").write_text("head\trelation\ttail\nGene::1\tGiG\t7\n")
    with pytest.raises(InputError, match=r"triples\.tsv, line 2: the node '7' has no type"):
        import_graph([tmp_path / "triples.tsv"], tmp_path / "graph", ImportSettings("tsv"))
    nodes, edges = kgx_jsonl(tmp_path)
    edges.write_text('{"subject": "a:1", "predicate": "p"}\n')
    with pytest.raises(InputError, match=r"edges\.jsonl, line 1: the object has no 'object'; KGX needs it"):
        import_graph([nodes, edges], tmp_path / "graph", ImportSettings("kgx"))


def test_a_compressed_file_that_is_cut_short_and_a_wrong_number_of_files_are_refused(tmp_path: Path) -> None:
    nodes, edges = (compressed(path, ".gz") for path in hetionet(tmp_path))
    edges.write_bytes(edges.read_bytes()[:-12])
    with pytest.raises(InputError, match=r"edges\.sif\.gz.*damaged or cut short"):
        import_graph([nodes, edges], tmp_path / "graph")
    for format, files, wanted in [
        ("hetionet", [nodes], "two files, NODES and EDGES, not 1"),
        ("primekg", [nodes, edges], "one file, EDGES, not 2"),
        ("tsv", [], "two files, NODES and EDGES, or EDGES alone, not 0"),
    ]:
        with pytest.raises(KgrelError, match=wanted):
            import_graph(files, tmp_path / "graph", ImportSettings(format))  # type: ignore[arg-type]


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    files = hetionet(tmp_path)
    first, second = (import_graph(files, tmp_path / name) for name in ("a", "b"))
    assert first.hash == second.hash
    with pytest.raises(KgrelError, match="exists already"):
        import_graph(files, tmp_path / "a")


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    import_graph(hetionet(tmp_path), tmp_path / "graph")
    (tmp_path / "graph" / "edges.parquet").write_bytes(b"PAR1")
    with pytest.raises(ArtifactError, match=r"edges\.parquet is damaged"):
        Graph.open(tmp_path / "graph")


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("biolink:Gene", "Gene"),
        ("biolink:Entity|biolink:NamedThing|biolink:PhenotypicFeature", "PhenotypicFeature"),
        ("biolink:NamedThing", "NamedThing"),
        ("", ""),
    ],
)
def test_the_most_telling_category_is_the_type(text: str, type_: str) -> None:
    assert type_of_category(text) == type_
