"""Edges made by hand, a scored list, and real servers on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kgrel.data.entities import EntityTable
from kgrel.export.provenance import Provenance
from kgrel.export.record import Edge, Node
from kgrel.export.settings import BoltSettings
from tests.cli.conftest import kgrel

__all__ = ["kgrel"]
SOURCE = "infores:test-lab"
PASSWORD = "testpass123"
ARCADE = """
import signal, sys
import arcadedb_embedded as arc
root, bolt, http = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
server = arc.create_server(root_path=root, root_password=sys.argv[4], config={
    "host": "127.0.0.1", "http_port": http, "bolt_port": bolt, "bolt_defaultDatabase": "kg",
    "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin"})
server.start()
server.create_database("kg")
print("\\nREADY", flush=True)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
server.stop()
"""


def make_edge(subject: str = "NCBIGene:1", object: str = "DOID:2", **values: Any) -> Edge:
    """An edge with everything that it needs."""
    given = {"predicate": "biolink:associated_with", "primary_knowledge_source": SOURCE, "kgrel_model_id": "m"}
    return Edge(subject=subject, object=object, **(given | {"kgrel_model_version": "1", **values}))


NODES = [
    Node("NCBIGene:1", ("biolink:Gene",), "5'-ABC-3'"),
    Node("NCBIGene:7", ("biolink:Gene",), '=cmd|"x"\t\n;,'),
    Node("DOID:2", ("biolink:Disease",), "Crohn's"),
    Node("DOID:3", ("biolink:Disease",), None),
]
EDGES = [
    make_edge(kgrel_score=0.0, kgrel_known_edge=False, publications=("PMID:1", "doi:10.1/a,b"), kgrel_run_ids=("r",)),
    make_edge("NCBIGene:7", kgrel_score=0.25, has_confidence_score=1.0, kgrel_rank=1),
    make_edge("NCBIGene:7", "DOID:3", predicate="biolink:affects", kgrel_score=1e-300),
    make_edge(kgrel_model_version="2", kgrel_score=0.5, update_date="2026-01-31"),
]
"""Zero and False, lists, missing values, a list separator's neighbours, and parallel edges of two models."""

SCORED = """source,target,note,relation,best_relation,score,score_std,probability,status,seen_in_text,known_relation
1,DOID:2,a,DISEASE-GENE,DISEASE-GENE,0.9,0.1,0.5,ok,3,
DOID:2,Gene::1,repeats the first in the other order,DISEASE-GENE,DISEASE-GENE,0.9,0.1,0.5,ok,3,
DOID:2,7,b,DISEASE-GENE,DISEASE-GENE,0.7,0.1,,ok,0,DISEASE-GENE
7,1,c,GENE-GENE,GENE-GENE,0.6,0.2,,ok,0,
1,DOID:3,d,NO-RELATION,DISEASE-GENE,0.2,0.2,,ok,0,
nobody,1,e,,,,,,unknown_source,,
"""
ENTITIES = EntityTable(
    ["DISEASE", "DISEASE", "GENE", "GENE"],
    ["DOID:2", "DOID:3", "1", "7"],
    ["Crohn's", "none", "ABC", "DEF"],
    [[], [], [], []],
)


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """A scored list of six rows: two are one edge, one is below the threshold, one could not be scored."""
    path = tmp_path / "scored.csv"
    path.write_text(SCORED)
    return path


def make_provenance(**values: Any) -> Provenance:
    """What the edges of a list have in common."""
    given = {"model_id": "m", "model_version": "1", "run_id": "run-1", "date": "2026-01-31"}
    return Provenance(SOURCE, **(given | {"thresholds": {"DISEASE-GENE": 0.5}, **values}))


def free_port() -> int:
    """A port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def start(command: list[str], directory: Path, port: int, ready: Any) -> Server:
    """Start a server and wait until ``ready(log)``; skips, with the reason, where it does not start."""
    log = directory / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=directory, stdout=stream, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 60
    while not ready(log):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            pytest.skip(f"the server {command[0]} does not start here: {last}")
        time.sleep(0.1)
    return Server(process, port, log)


@pytest.fixture(scope="session")
def arcadedb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """ArcadeDB, which speaks Bolt. It is not Neo4j."""
    pytest.importorskip("arcadedb_embedded", reason="the property graph server is not installed")
    pytest.importorskip("neo4j", reason="the Bolt driver is not installed")
    directory = tmp_path_factory.mktemp("arcadedb")
    port = free_port()
    command = [sys.executable, "-c", ARCADE, str(directory), str(port), str(free_port()), PASSWORD]
    server = start(command, directory, port, lambda log: b"\nREADY" in log.read_bytes())
    yield server
    server.stop()


@pytest.fixture
def bolt(arcadedb: Server) -> BoltSettings:
    """An empty database over Bolt."""
    settings = BoltSettings(uri=f"bolt://127.0.0.1:{arcadedb.port}", user="root", database="kg", batch=2)
    query(settings, "MATCH (n) DETACH DELETE n")
    return settings


def query(settings: BoltSettings, cypher: str, **parameters: Any) -> list[Any]:
    """The answer of a database, as lists, by the official driver."""
    import neo4j

    with neo4j.GraphDatabase.driver(settings.uri, auth=(settings.user, PASSWORD)) as driver:
        records, _, _ = driver.execute_query(cypher, parameters, database_=settings.database)
        return [list(record.values()) for record in records]


@pytest.fixture(scope="session")
def oxigraph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Oxigraph, a triple store with SPARQL over HTTP."""
    program = Path(sys.executable).with_name("oxigraph")
    if not os.access(program, os.X_OK):
        pytest.skip("the triple store oxigraph is not installed")
    directory, port = tmp_path_factory.mktemp("oxigraph"), free_port()
    command = [str(program), "serve", "--location", str(directory / "store"), "--bind", f"127.0.0.1:{port}"]
    server = start(command, directory, port, lambda _: reachable(port))
    yield server
    server.stop()


def reachable(port: int) -> bool:
    """Whether something listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def scored_pairs(pairs_path: Path, world_files: dict[str, Path], tmp_path: Path) -> Path:
    """Pairs of the small world that stand in a sentence together, scored by its barely trained model."""
    from kgrel.score.stream import score_file
    from kgrel.train.pair_model import PairModel

    entities, pairs = PairModel.open(pairs_path), tmp_path / "candidates.csv"
    heads, tails, _ = entities.comentions
    names = [f"{t}::{i}" for t, i in zip(entities.entities.types, entities.entities.ids, strict=True)]
    lines = [f"{names[h]},{names[t]}" for h, t in zip(heads[:40].tolist(), tails[:40].tolist(), strict=True)]
    pairs.write_text("source,target\n" + "\n".join(lines) + "\n")
    score_file(entities, pairs, tmp_path / "scored-pairs.csv")
    return tmp_path / "scored-pairs.csv"
