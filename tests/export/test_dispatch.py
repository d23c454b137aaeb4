"""From paths to an export: whole or not there, with what the summary says, and evidence from the corpus."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.export import to_hetero_data, to_networkx
from kgrel.export.adapters import biocypher_edges, biocypher_nodes
from kgrel.export.dispatch import WRITERS, Inputs, export_scored, open_edges, write
from kgrel.export.evidence import Evidence, document_curie
from kgrel.export.records import EdgeRecords
from kgrel.export.settings import FORMATS, ExportSettings, KgxSettings
from kgrel.export.validate import validate_export
from kgrel.text.corpus import Corpus
from kgrel.text.evidence import EvidenceIndex
from kgrel.train import pair_model
from kgrel_cli.export import OUT
from tests.compressing import COMPRESSIONS, compressed
from tests.export.conftest import EDGES, NODES, make_edge
from tests.export.read_back import READERS, read_jsonl

Kgrel = Callable[..., Any]
PUBLISHER = ExportSettings(primary_knowledge_source="infores:lab")
CHECKED = ["kgx", "kgx-tsv", "neo4j-csv", "neptune", "trapi", "rdf", "rdf-nq", "rdf-classic", "rdf-nq-classic"]


@pytest.fixture
def nodes_file(tmp_path: Path) -> Path:
    path = tmp_path / "nodes.tsv"
    path.write_text("id\ttype\tname\n1\tGENE\tABC\n7\tGENE\tDEF\nDOID:2\tDISEASE\tCrohn's\nDOID:3\tDISEASE\tX\n")
    return path


def test_edges_carry_the_model_its_threshold_and_the_documents_of_their_sentences(
    scored_pairs: Path, pairs_path: Path, corpus_path: Path, tmp_path: Path
) -> None:
    inputs = Inputs(scored_pairs, pairs_path, corpus=corpus_path)
    settings = ExportSettings("infores:lab", threshold=0.0, max_evidence=2)
    summary = export_scored("kgx", inputs, tmp_path / "out", settings)
    _, edges = read_jsonl(tmp_path / "out")
    model = pair_model.PairModel.open(pairs_path)
    # Some pairs are of two diseases, which no class relates.
    assert summary["edges"] == len(edges) == 40 - summary["unscored"] > 20
    assert model.artifact is not None
    corpus = Corpus.open(corpus_path)
    index = EvidenceIndex.of(corpus)
    rows = {f"{t}::{i}": row for row, (t, i) in enumerate(zip(corpus.entities.types, corpus.entities.ids, strict=True))}
    prefixes = {"NCBIGene": "GENE", "DOID": "DISEASE", "DRUGBANK": "CHEMICAL"}

    def row_of(curie: str) -> int:
        prefix, _, local = curie.partition(":")
        return rows[f"{prefixes[prefix]}::{curie if prefix == 'DOID' else local}"]

    cut = 0
    for edge in edges.values():
        assert edge["kgrel_model_version"] == model.artifact.hash[:16]
        assert edge["kgrel_threshold"] == 0.0
        assert edge["kgrel_score_kind"] == "posterior_predictive_mean"
        found = index.sentences(row_of(edge["subject"]), row_of(edge["object"]))
        documents = list(dict.fromkeys(f"PMID:{e.doc_id}" for e in found))
        assert edge["publications"] == documents[:2]
        cut += len(documents) > 2
    assert summary.get("evidence_cut", 0) == cut
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["parents"]["pairs"] == model.artifact.hash
    assert manifest["parents"]["corpus"] == corpus.artifact.hash
    assert validate_export(tmp_path / "out").problems == {}


@pytest.mark.parametrize(
    ("doc_id", "curie"),
    [
        ("12345", ("PMID:12345", True)),
        ("PMC77", ("PMC:77", True)),
        ("10.1000/a;b", ("doi:10.1000/a%3Bb", True)),
        ("doi:10.1/x", ("doi:10.1/x", True)),
        ("report 7", ("kgrel.document:report%207", False)),
        ("PMC", (None, False)),
        ("", (None, False)),
    ],
)
def test_documents_become_curies_and_unknown_ones_nothing(doc_id: str, curie: tuple[str | None, bool]) -> None:
    assert document_curie(doc_id) == curie


def test_pairs_that_the_corpus_does_not_know_have_no_evidence(corpus_path: Path) -> None:
    import numpy as np

    entities = EntityTable(["GENE", "GENE"], ["nowhere", "neither"], ["", ""], [[], []])
    found = Evidence(Corpus.open(corpus_path), entities, 0).of(np.array([0, 1]), np.array([1, 0]))
    assert found.publications.to_pylist() == found.others.to_pylist() == [None, None]


def test_the_same_export_has_the_same_bytes_and_another_setting_another_run(
    scored: Path, nodes_file: Path, tmp_path: Path
) -> None:
    inputs = Inputs(scored, nodes=nodes_file)
    settings = ExportSettings("infores:lab", model_version="1")
    first, second = (export_scored("trapi", inputs, tmp_path / f"{n}.json", settings) for n in "ab")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    other = export_scored("trapi", inputs, tmp_path / "c.json", ExportSettings("infores:lab", model_version="1", top=1))
    assert first["run"] == second["run"] != other["run"]


@pytest.mark.parametrize(
    ("settings", "given", "message"),
    [
        (ExportSettings(model_version="1"), {}, "who publishes these edges is not said"),
        (PUBLISHER, {}, "the version of the model is not known"),
        (ExportSettings("infores:lab", model_version="1"), {"nodes": None}, "the nodes are not known"),
        (ExportSettings("infores:lab", model_version="1", date="today"), {}, "must be a day"),
        (ExportSettings("infores:lab", model_version="1"), {"scored": "-"}, "from standard input"),
        (ExportSettings("infores:lab", model_version="1", supporting_data_source=("me",)), {}, "infores:NAME"),
    ],
)
def test_what_is_not_said_is_asked_for(
    scored: Path, nodes_file: Path, tmp_path: Path, settings: ExportSettings, given: dict[str, Any], message: str
) -> None:
    inputs = Inputs(**({"scored": scored, "nodes": nodes_file} | given))
    with pytest.raises(KgrelError, match=message):
        export_scored("kgx", inputs, tmp_path / "out", settings)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("case", READERS)
def test_an_existing_output_is_kept_and_replaced_only_on_demand(case: str, tmp_path: Path) -> None:
    name, read = READERS[case]
    format = case.split("-")[0] if case != "neo4j-csv" else case
    write(EDGES[:1], format, tmp_path / name)
    with pytest.raises(KgrelError, match="exists already"):
        write(EDGES, format, tmp_path / name)
    if format != "kgx" or case == "kgx":
        assert len(read(tmp_path / name)[1]) == 1
        write(EDGES, format, tmp_path / name, overwrite=True)
        assert len(read(tmp_path / name)[1]) == len(EDGES)


FULL = """
import json, resource, shutil, signal, sys
from pathlib import Path
from kgrel.data.errors import KgrelError
from kgrel.export.dispatch import write
from kgrel.export.records import EdgeRecords
from tests.export.conftest import make_edge

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
directory, outcome = Path(sys.argv[1]), {}
with EdgeRecords(make_edge("A:%d" % n, "B:%d" % n) for n in range(3000)) as edges:
    for format, name in json.loads(sys.argv[2]):
        whole, cut = directory / "whole" / name, directory / "cut" / name
        for place in (whole, cut):
            place.parent.mkdir(exist_ok=True)
        write(edges, format, whole)
        files = [whole] if whole.is_file() else whole.iterdir()
        limit = max(path.stat().st_size for path in files) // 2
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            write(edges, format, cut)
            outcome[name] = "written"
        except (OSError, KgrelError) as error:
            outcome[name] = str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        outcome[name] += "".join(" left: " + path.name for path in cut.parent.iterdir())
        shutil.rmtree(whole) if whole.is_dir() else whole.unlink()
print(json.dumps(outcome))
"""
"""Writes each format whole, then again where no file may be larger than half of the largest that it has."""
FILES = [*((format, OUT[format]) for format in WRITERS), ("rdf", "predictions.nq")]


def test_a_disk_that_is_full_leaves_nothing_behind_in_any_format(tmp_path: Path) -> None:
    pytest.importorskip("ladybug", reason="the embedded database is not installed")
    command = [sys.executable, "-c", FULL, str(tmp_path), json.dumps(FILES)]
    done = subprocess.run(command, capture_output=True, cwd=Path(__file__).parents[2], text=True)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome.keys() == {name for _, name in FILES}
    for name, message in outcome.items():
        assert "written" not in message, name
        assert "left:" not in message, (name, message)
        assert re.search("too large|could not be built|Error writing", message), (name, message)


def test_a_format_that_is_none_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="did you mean 'graphml'"):
        write(EDGES, "graphm", tmp_path / "x")
    with pytest.raises(KgrelError, match=r"use kgrel\.export\.load"):
        write(EDGES, "neo4j", tmp_path / "x")
    assert {*WRITERS, "neo4j"} == FORMATS.keys()


def test_a_networkx_graph_keeps_parallel_edges_zeros_and_lists() -> None:
    with EdgeRecords(EDGES, NODES) as source:
        graph = to_networkx(source)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (4, 4)
    assert graph.number_of_edges("NCBIGene:1", "DOID:2") == 2
    first = graph.edges["NCBIGene:1", "DOID:2", EDGES[0].id]
    assert (first["kgrel_score"], first["kgrel_known_edge"]) == (0.0, False)
    assert first["publications"] == ["PMID:1", "doi:10.1/a,b"]
    assert graph.nodes["DOID:2"] == {"category": ["biolink:Disease"], "name": "Crohn's"}


def test_hetero_data_numbers_the_nodes_of_each_type() -> None:
    pytest.importorskip("torch_geometric")
    with EdgeRecords(EDGES, NODES) as source:
        data = to_hetero_data(source)
    data.validate()
    assert set(data.node_types) == {"Gene", "Disease"}
    found = set()
    for head, relation, tail in data.edge_types:
        store = data[head, relation, tail]
        for place, (a, b) in enumerate(store.edge_index.t().tolist()):
            found.add((store.edge_id[place], data[head].node_id[a], relation, data[tail].node_id[b]))
    assert found == {(e.id, e.subject, e.predicate.removeprefix("biolink:"), e.object) for e in EDGES}
    assert data["Gene", "associated_with", "Disease"].edge_score.tolist() == [0.0, 0.25, 0.5]


def test_biocypher_gets_tuples_one_at_a_time() -> None:
    with EdgeRecords(EDGES, NODES) as source:
        edges, nodes = list(biocypher_edges(source)), list(biocypher_nodes(source))
    assert [edge[:4] for edge in edges][:1] == [(EDGES[0].id, "NCBIGene:1", "DOID:2", "associated with")]
    assert edges[0][4]["kgrel_score"] == 0.0
    assert ("DOID:2", "disease", {"name": "Crohn's"}) in nodes
    assert ("DOID:3", "disease", {}) in nodes


@pytest.mark.parametrize("case", CHECKED)
def test_what_is_exported_is_valid(case: str, tmp_path: Path) -> None:
    from tests.export.test_round_trip import round_trip

    round_trip(case, EDGES, NODES, tmp_path)
    report = validate_export(tmp_path / READERS[case][0])
    assert (report.nodes, report.edges, dict(report.problems)) == (4, 4, {}), report.examples


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"knowledge_level": None}, "missing field"),
        ({"agent_type": "robot"}, "enumeration"),
        ({"agent_type": ["manual_agent"]}, "enumeration"),
        ({"object": ["DOID:2"]}, "endpoint"),
        ({"predicate": "biolink:causez"}, "predicate"),
        ({"category": ["biolink:Gene"]}, "category"),
        ({"category": "biolink:Association"}, "category"),
        ({"subject": "NCBIGene:404"}, "endpoint"),
        ({"primary_knowledge_source": ["infores:a"]}, "source"),
        ({"has_confidence_score": 1.2}, "number"),
        ({"kgrel_score": "high"}, "number"),
        ({"category": ["biolink:GeneToDiseaseAssociation"], "predicate": "biolink:treats"}, "predicate"),
    ],
)
def test_foreign_kgx_files_with_a_problem_are_not_valid(tmp_path: Path, change: dict[str, Any], kind: str) -> None:
    write([make_edge()], "kgx", tmp_path / "made", nodes=NODES)
    edge = json.loads((tmp_path / "made" / "edges.jsonl").read_text())
    changed = {name: value for name, value in (edge | change).items() if value is not None}
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "my_edges.jsonl").write_text(json.dumps(changed) + "\n")
    (foreign / "my_nodes.jsonl").write_bytes((tmp_path / "made" / "nodes.jsonl").read_bytes())
    report = validate_export(foreign)
    assert report.problems == {kind: 1}, report.examples
    assert "my_edges.jsonl, line 1" in report.examples[0]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("table", ["jsonl", "tsv"])
def test_foreign_kgx_files_may_be_compressed(tmp_path: Path, table: str, compression: str) -> None:
    write(EDGES, "kgx", tmp_path / "made", nodes=NODES, settings=KgxSettings(table=table))
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for name in ("nodes", "edges"):
        packed = compressed(tmp_path / "made" / f"{name}.{table}", compression)
        packed.rename(foreign / f"my_{packed.name}")
    report = validate_export(foreign)
    assert (report.nodes, report.edges, dict(report.problems)) == (4, 4, {}), report.examples


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (("<https://w3id.org/biolink/infores/test-lab>", '"me"'), {"source": 1}),
        (('"prediction"', '"guess"'), {"enumeration": 1}),
        (("/negated>", "/agent_type>"), {"enumeration": 1}),
        (("vocab/Gene>", "vocab/Jean>"), {"node category": 1}),
        (('0.5"^^<http://www.w3.org/2001/XMLSchema#double>', 'high"'), {"number": 1}),
    ],
)
def test_rdf_with_a_problem_is_not_valid(tmp_path: Path, change: tuple[str, str], problems: dict[str, int]) -> None:
    write([make_edge(kgrel_score=0.5)], "rdf", tmp_path / "x.nq", nodes=NODES)
    text = (tmp_path / "x.nq").read_text()
    assert change[0] in text
    (tmp_path / "x.nq").write_text(text.replace(*change))
    report = validate_export(tmp_path / "x.nq")
    assert report.problems == problems, report.examples
    (tmp_path / "x.nq").write_text(text + "<a> .\n")
    with pytest.raises(KgrelError, match=rf"x\.nq, line {text.count(chr(10)) + 1}: is no RDF 1\.2"):
        validate_export(tmp_path / "x.nq")


def test_repeated_edges_and_damaged_files_are_found(tmp_path: Path, kgrel: Kgrel) -> None:
    write(EDGES, "kgx", tmp_path / "x", nodes=NODES)
    edges = tmp_path / "x" / "edges.jsonl"
    edges.write_text(edges.read_text() * 2)
    with pytest.raises(KgrelError, match="damaged"):
        validate_export(tmp_path / "x")
    (tmp_path / "x" / "manifest.json").unlink()
    assert validate_export(tmp_path / "x").problems == {"repeated edge": 4}
    outcome = kgrel("validate-export", tmp_path / "x")
    assert outcome.code == 1
    assert "4 problems; the first: edge 5" in outcome.err


def test_the_command_exports_and_validates(kgrel: Kgrel, scored: Path, nodes_file: Path, tmp_path: Path) -> None:
    words = [scored, "--nodes", nodes_file, "--model-version", "1", "--primary-knowledge-source", "infores:lab"]
    summary = kgrel("export", "kgx", *words, "--out", tmp_path / "x", "--table", "tsv", "--json").json
    assert (summary["rows"], summary["edges"], summary["nodes"], summary["repeated"]) == (6, 3, 3, 1)
    report = kgrel("validate-export", tmp_path / "x", "--json").json
    assert (report["edges"], report["problems"]) == (3, {})
    again = kgrel("export", "kgx", *words, "--out", tmp_path / "x")
    assert (again.code, "exists already" in again.err) == (1, True)
    plan = kgrel("export", "neo4j", *words, "--dry-run")
    assert plan.code == 0, plan.err
    assert "MERGE (s)-[r:`biolink:associated_with` {id: row.id}]->(o)" in plan.out.decode()


def test_a_standard_input_can_be_exported(kgrel: Kgrel, scored: Path, nodes_file: Path, tmp_path: Path) -> None:
    words = ["--nodes", nodes_file, "--model-version", "1", "--primary-knowledge-source", "infores:lab"]
    words += ["--input-format", "csv", "--run-id", "r", "--date", "2026-01-31"]
    outcome = kgrel("export", "cx2", "-", *words, "--out", tmp_path / "x.cx2", "--json", stdin=scored.read_bytes())
    assert outcome.json["edges"] == 3


def test_temporary_files_are_gone_afterwards(
    scored: Path, nodes_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    settings = ExportSettings("infores:lab", model_version="1")
    with open_edges(Inputs(scored, nodes=nodes_file), settings):
        assert os.listdir(place)
    with pytest.raises(KgrelError), open_edges(Inputs(nodes_file, nodes=nodes_file), settings):
        pass
    write(EDGES, "kgx", tmp_path / "x")
    assert os.listdir(place) == []


def test_an_export_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match=r"none\.nq: no such file"):
        validate_export(tmp_path / "none.nq")
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(KgrelError, match="others are not checked"):
        validate_export(tmp_path / "notes.txt")
