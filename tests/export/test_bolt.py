"""A running database: loads are idempotent, touch nothing else, survive kills, and fail in one sentence."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from kgrel.data.errors import KgrelError
from kgrel.export.bolt import delete_run, load, plan
from kgrel.export.connection import Database
from kgrel.export.dispatch import write
from kgrel.export.record import Edge, Node
from kgrel.export.records import EdgeRecords
from kgrel.export.scored import ScoredEdges, select_edges
from kgrel.export.settings import BoltSettings
from tests.export.conftest import EDGES, ENTITIES, NODES, PASSWORD, free_port, make_edge, make_provenance, query
from tests.export.read_back import Values, keyed
from tests.export.read_back import given as present
from tests.export.test_round_trip import expected, graphs, normal


@contextmanager
def selected(scored: Path, **values: Any) -> Iterator[ScoredEdges]:
    with select_edges(scored, ENTITIES, make_provenance(**values)) as edges:
        yield edges


def creating(bolt: BoltSettings, **values: Any) -> BoltSettings:
    return dataclasses.replace(bolt, create_missing_nodes=True, **values)


def read_edges(bolt: BoltSettings) -> dict[str, Values]:
    rows = query(bolt, "MATCH (s:NamedThing)-[r]->(o:NamedThing) RETURN s.id, type(r), o.id, properties(r)")
    return present(keyed([{"subject": s, "predicate": p, "object": o, **values} for s, p, o, values in rows]))


def read_nodes(bolt: BoltSettings) -> dict[str, Values]:
    rows = query(bolt, "MATCH (n:NamedThing) RETURN properties(n)")
    return present(keyed([values for (values,) in rows]))


def runs(bolt: BoltSettings) -> list[list[str]]:
    return sorted(edge.get("kgrel_run_ids", []) for edge in read_edges(bolt).values())


def test_what_was_loaded_is_read_back_and_loading_again_creates_nothing(bolt: BoltSettings) -> None:
    with EdgeRecords(EDGES, NODES) as source:
        first = load(source, creating(bolt), PASSWORD)
        assert (first.nodes_created, first.relationships_created) == (4, len(EDGES))
        found = read_nodes(bolt), read_edges(bolt)
        assert normal(found) == normal(expected("neo4j", EDGES, NODES))
        again = load(source, creating(bolt), PASSWORD)
    assert (again.nodes_created, again.relationships_created, again.edges) == (0, 0, len(EDGES))
    assert (read_nodes(bolt), read_edges(bolt)) == found


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs())
def test_hostile_texts_and_extreme_numbers_come_back(bolt: BoltSettings, graph: tuple[list[Edge], list[Node]]) -> None:
    query(bolt, "MATCH (n) DETACH DELETE n")
    with EdgeRecords(*graph) as source:
        load(source, creating(bolt), PASSWORD)
    found = read_nodes(bolt), read_edges(bolt)
    assert normal(found) == normal(expected("neo4j", *graph))


def test_a_second_model_stands_beside_the_first(bolt: BoltSettings, scored: Path) -> None:
    for version in ("1", "2"):
        with selected(scored, model_version=version, run_id=f"run-{version}") as edges:
            assert load(edges, creating(bolt), PASSWORD).relationships_created == 3
    versions = [(e["subject"], e["object"], e["kgrel_model_version"]) for e in read_edges(bolt).values()]
    assert len(versions) == len(set(versions)) == 6
    assert len({pair[:2] for pair in versions}) == 3


def test_an_edge_keeps_all_its_runs_and_deleting_one_run_leaves_the_other(bolt: BoltSettings, scored: Path) -> None:
    for run in ("a", "b"):
        with selected(scored, run_id=run) as edges:
            load(edges, creating(bolt), PASSWORD)
    assert runs(bolt) == [["a", "b"]] * 3
    ends = "MATCH (a:NamedThing {id: 'NCBIGene:1'}), (b:NamedThing {id: 'DOID:2'})"
    query(bolt, ends + " CREATE (a)-[:`biolink:associated_with` {id: 'asserted'}]->(b)")
    gone = delete_run("a", bolt, PASSWORD)
    assert (gone.runs_taken_off, gone.relationships_deleted) == (3, 0)
    assert runs(bolt) == [[], ["b"], ["b"], ["b"]]
    gone = delete_run("b", bolt, PASSWORD)
    assert (gone.runs_taken_off, gone.relationships_deleted) == (0, 3)
    assert list(read_edges(bolt)) == ["asserted"]
    assert len(read_nodes(bolt)) == 3


def test_replacing_a_run_deletes_what_it_no_longer_has(bolt: BoltSettings, scored: Path) -> None:
    with selected(scored) as edges:
        load(edges, creating(bolt), PASSWORD)
    other = make_edge("NCBIGene:1", "DOID:2", kgrel_model_version="other", kgrel_run_ids=("other",))
    with EdgeRecords([other]) as edges:
        load(edges, bolt, PASSWORD)
    lines = scored.read_text().splitlines()
    scored.write_text("\n".join([lines[0], lines[1]]) + "\n")
    with selected(scored) as edges:
        done = load(edges, dataclasses.replace(bolt, replace_run=True), PASSWORD)
    assert (done.relationships_deleted, done.relationships_created) == (3, 1)
    assert runs(bolt) == [["other"], ["run-1"]]


def test_missing_nodes_are_counted_and_nothing_is_written(bolt: BoltSettings, scored: Path) -> None:
    query(bolt, "CREATE (:NamedThing {id: 'DOID:2', name: 'kept'})")
    with selected(scored) as edges, pytest.raises(KgrelError, match="2 of 3 nodes are not in the database") as failure:
        load(edges, bolt, PASSWORD)
    assert "NCBIGene:1" in str(failure.value)
    assert read_nodes(bolt) == {"DOID:2": {"id": "DOID:2", "name": "kept"}}
    with selected(scored) as edges:
        load(edges, creating(bolt), PASSWORD)
    assert read_nodes(bolt)["DOID:2"] == {"id": "DOID:2", "name": "kept"}, "a node that is there stays as it is"
    assert len(read_edges(bolt)) == 3


KILLED = """
import sys
from pathlib import Path
from kgrel.export.bolt import load
from kgrel.export.records import EdgeRecords
from kgrel.export.settings import BoltSettings
from tests.export.test_bolt import many

class Slow:
    def start(self, *_): pass
    def say(self, *_): pass
    def advance(self, units, note=""): print(units, flush=True)

with EdgeRecords(many()) as source:
    settings = BoltSettings(sys.argv[1], "root", "kg", 5, create_missing_nodes=True, journal=sys.argv[2])
    load(source, settings, sys.argv[3], Slow())
"""


def many(count: int = 150) -> list[Edge]:
    """Edges of one hub."""
    return [make_edge("NCBIGene:1", f"DOID:{n}", kgrel_score=0.5) for n in range(count)]


@pytest.mark.parametrize("journalled", [False, True])
def test_a_load_that_was_killed_is_finished_by_repeating_it(
    bolt: BoltSettings, tmp_path: Path, journalled: bool
) -> None:
    journal = tmp_path / "journal.json"
    command = [sys.executable, "-c", KILLED, bolt.uri, str(journal), PASSWORD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        for _ in range(42):  # 31 groups of nodes, and then some of edges
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    (loaded,) = query(bolt, "MATCH ()-[r]->() RETURN count(r)")[0]
    assert 0 < loaded < 150
    again = creating(bolt, batch=5, journal=str(journal) if journalled else "")
    with EdgeRecords(many()) as source:
        done = load(source, again, PASSWORD)
    assert (done.edges, done.relationships_created) == (150, 150 - loaded)
    assert (done.resumed_edges > 0) == journalled
    assert set(read_edges(bolt)) == {edge.id for edge in many()}
    assert journal.exists() == (not journalled)


def test_the_journal_of_another_load_is_refused(bolt: BoltSettings, tmp_path: Path) -> None:
    journal = tmp_path / "journal.json"
    journal.write_text('{"batches": 1, "load": {"uri": "elsewhere"}}')
    with EdgeRecords(EDGES, NODES) as source, pytest.raises(KgrelError, match="journal of another load"):
        load(source, creating(bolt, journal=str(journal)), PASSWORD)
    journal.write_text("not a journal")
    with EdgeRecords(EDGES, NODES) as source, pytest.raises(KgrelError, match="is no journal"):
        load(source, creating(bolt, journal=str(journal)), PASSWORD)
    assert read_nodes(bolt) == {}


def test_deadlocks_of_four_loads_at_once_are_retried_and_nothing_is_lost(bolt: BoltSettings) -> None:
    hubs = [f"NCBIGene:{n}" for n in range(4)]

    def edges(thread: int) -> list[Edge]:
        order = hubs[thread:] + hubs[:thread]
        return [
            make_edge(hub, other, kgrel_model_version=f"{thread}-{n}", kgrel_run_ids=("r",))
            for n in range(30)
            for hub in order
            for other in hubs
            if hub != other
        ]

    with EdgeRecords([make_edge(a, b) for a in hubs for b in hubs if a != b]) as source:
        load(source, creating(bolt), PASSWORD)
    barrier = threading.Barrier(4)

    def one(thread: int) -> Any:
        with EdgeRecords(edges(thread)) as source:
            barrier.wait()
            return load(source, dataclasses.replace(bolt, batch=40), PASSWORD)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(one, range(4)))
    assert sum(d.retries for d in done) > 0, "the threads never met"
    assert len(read_edges(bolt)) == 12 + 4 * 30 * 12


def test_the_run_that_is_repeated_after_a_deadlock_counts_its_edges_once(bolt: BoltSettings) -> None:
    import neo4j.exceptions

    failures = [neo4j.exceptions.TransientError("once"), None]

    class Flaky:
        def __init__(self, session: Any) -> None:
            self.session = session

        def execute_write(self, work: Any) -> Any:
            def failing(transaction: Any) -> Any:
                found = work(transaction)
                error = failures.pop(0) if failures else None
                if error is not None:
                    raise error
                return found

            return self.session.execute_write(failing)

    with Database.open(bolt, PASSWORD) as database:
        database._session = Flaky(database._session)
        counted = database.count("CREATE (n:NamedThing {id: 'X:1'}) RETURN 1 AS merged")
        assert (counted["nodes_created"], database.retries) == (1, 1)
    assert len(read_nodes(bolt)) == 1


def test_a_wrong_password_and_a_server_that_is_down_are_one_sentence_without_the_password(bolt: BoltSettings) -> None:
    with EdgeRecords(EDGES, NODES) as source:
        with pytest.raises(KgrelError, match="the login of root was refused") as refused:
            load(source, bolt, "a-wrong-password")
        down = dataclasses.replace(bolt, uri=f"bolt://127.0.0.1:{free_port()}")
        started = time.monotonic()
        with pytest.raises(KgrelError, match="cannot be reached") as unreachable:
            load(source, down, "a-wrong-password")
    assert time.monotonic() - started < 30
    for failure in (refused, unreachable):
        assert "a-wrong-password" not in str(failure.value)
        assert "\n" not in str(failure.value)


@pytest.mark.parametrize("uri", ["127.0.0.1:7687", "http://127.0.0.1", ""])
def test_what_is_no_address_of_a_database_is_refused(uri: str) -> None:
    with EdgeRecords(EDGES) as source, pytest.raises(KgrelError, match="is no address of a database"):
        load(source, BoltSettings(uri=uri), PASSWORD)


def test_a_plan_names_every_statement_and_its_rows_without_a_database(scored: Path) -> None:
    with selected(scored) as edges:
        steps = plan(edges, BoltSettings(uri="bolt://127.0.0.1:1", create_missing_nodes=True, replace_run=True))
    assert (steps["nodes"], steps["edges"]) == (3, 3)
    rows = {step["cypher"].split(" ")[0] + str(step["rows"]): step["cypher"] for step in steps["statements"]}
    assert rows["CREATE1"].startswith("CREATE CONSTRAINT")
    merged = [step for step in steps["statements"] if "MERGE (s)" in step["cypher"]]
    assert [step["rows"] for step in merged] == [3]
    assert all("MATCH (s:`NamedThing` {id: row.subject})" in step["cypher"] for step in merged)


def test_the_command_prints_no_password(
    bolt: BoltSettings, scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = tmp_path / "nodes.tsv"
    nodes.write_text("id\ttype\tname\n1\tGENE\tABC\n7\tGENE\tDEF\nDOID:2\tDISEASE\tCrohn's\nDOID:3\tDISEASE\tX\n")
    words = ["export", "neo4j", scored, "--nodes", nodes, "--model-version", "1", "--create-missing-nodes"]
    words += ["--primary-knowledge-source", "infores:x", "--uri", bolt.uri, "--user", "root", "--database", "kg"]
    environment = {**os.environ, "KGREL_NEO4J_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "kgrel_cli", *map(str, words)]
    for wanted in (3, 0):
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("relationships_created")]
        assert int(line.split()[1]) == wanted
    wrong = subprocess.run(
        command, capture_output=True, text=True, env={**environment, "KGREL_NEO4J_PASSWORD": "secret1234"}
    )
    assert wrong.returncode == 1
    assert "the login of root was refused" in wrong.stderr
    assert "secret1234" not in wrong.stdout + wrong.stderr


def test_the_script_of_the_csv_files_loads_them_and_again_creates_nothing(bolt: BoltSettings, tmp_path: Path) -> None:
    import neo4j

    out = tmp_path / "x"
    write(EDGES, "neo4j-csv", out, nodes=NODES)
    script = (out / "load.cypher").read_text().replace("file:///", f"file://{out}/")
    lines = [line for line in script.splitlines() if not line.startswith("//")]
    statements = [statement for statement in "\n".join(lines).split(";\n") if statement.strip()]
    for _ in range(2):
        driver = neo4j.GraphDatabase.driver(bolt.uri, auth=(bolt.user, PASSWORD))
        with driver, driver.session(database=bolt.database) as session:
            for statement in statements:
                session.run(statement).consume()
        assert normal((read_nodes(bolt), read_edges(bolt))) == normal(expected("neo4j", EDGES, NODES))
