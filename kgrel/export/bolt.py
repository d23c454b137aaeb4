"""Load edges into a running database over Bolt: Neo4j, Aura, Memgraph, ArcadeDB.

Every statement is idempotent: a load that was killed is repeated, and a second identical load creates nothing. An edge
is found by its own id, so that asserted edges and those of other models are never touched.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kgrel.data.errors import KgrelError
from kgrel.data.files import canonical_json, write_text
from kgrel.data.json_values import parse_json
from kgrel.data.progress import Progress, Silent
from kgrel.export.batch import EdgeSource, groups
from kgrel.export.connection import Database
from kgrel.export.cypher import (
    RELATIONSHIP_TYPES,
    add_label,
    constraint,
    merge_edges,
    merge_nodes,
    missing_nodes,
    take_off_run,
)
from kgrel.export.cypher import (
    delete_run as delete_run_cypher,
)
from kgrel.export.record import Node
from kgrel.export.settings import BoltSettings

_NOT_PROPERTIES = ("subject", "predicate", "object", "id", "kgrel_run_ids")
_SHOWN_MISSING = 5


@dataclass
class Loaded:
    """What a load did."""

    nodes_created: int = 0
    relationships_created: int = 0
    relationships_deleted: int = 0
    runs_taken_off: int = 0
    """Edges that another run has as well, and that stay."""
    edges: int = 0
    """Edges of the export, loaded now or before the interruption."""
    resumed_edges: int = 0
    """Of them those that the journal says were loaded before."""
    retries: int = 0
    """Transactions that were repeated, for example after a deadlock."""
    labels: bool = True
    """Whether nodes have their category as a second label; a database may refuse it."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


@dataclass(frozen=True)
class Rows:
    """The edges of one transaction."""

    predicate: str
    edges: list[dict[str, Any]] = field(default_factory=list)


def load(source: EdgeSource, settings: BoltSettings, password: str, progress: Progress | None = None) -> Loaded:
    """Load the edges of an export.

    Nodes of the database stay as they are. Its nodes are checked before anything is written.

    Raises:
        KgrelError: the driver (extra ``neo4j``) is not installed, the server cannot be reached, refuses the login or a
            statement; nodes are missing and ``create_missing_nodes`` is false; the journal is of another load.
    """
    progress = progress or Silent()
    if settings.batch < 1:
        raise KgrelError(f"--batch must be at least 1, not {settings.batch}")
    journal = Journal(settings, source)
    done = Loaded()
    with Database.open(settings, password) as database:
        database.run(constraint(settings.base_label))
        _prepare_nodes(database, source, settings, done, progress)
        if settings.replace_run and not journal.batches:
            _take_off(database, settings, run_of(source), done)
        _load_edges(database, source, settings, journal, done, progress)
        done.retries = database.retries
    journal.remove()
    return done


def delete_run(run_id: str, settings: BoltSettings, password: str) -> Loaded:
    """Take a run off every edge that has it, and delete the edges that no other run has; nodes stay.

    Raises:
        KgrelError: see :func:`load`.
    """
    done = Loaded()
    with Database.open(settings, password) as database:
        _take_off(database, settings, run_id, done)
        done.retries = database.retries
    return done


def run_of(source: EdgeSource) -> str:
    """The run that the whole export is.

    Raises:
        KgrelError: the edges were given one by one and have no run in common.
    """
    run = source.origin.get("run_id")
    if not run:
        raise KgrelError("these edges belong to no one run, so that none can be replaced; select them from a list")
    return str(run)


def _prepare_nodes(
    database: Database, source: EdgeSource, settings: BoltSettings, done: Loaded, progress: Progress
) -> None:
    """Check that the nodes are there; create those that are missing if that is wanted."""
    label, count = settings.base_label, 0
    missing: list[str] = []
    progress.start("check nodes", source.node_count)
    for nodes in groups(source.nodes(), settings.batch):
        by_id = {node.id: node for node in nodes}
        found = database.rows(missing_nodes(label), ids=list(by_id))
        absent = [by_id[row["missing"]] for row in found]
        progress.advance(len(nodes))
        if not settings.create_missing_nodes:
            missing += [node.id for node in absent][: _SHOWN_MISSING - len(missing)]
            count += len(absent)
        elif absent:
            _create_nodes(database, label, absent, done)
    if count:
        raise KgrelError(
            f"{count:,} of {source.node_count:,} nodes are not in the database as ({label} {{id}}), for example "
            f"{', '.join(missing)}; nothing was written: load them first, or pass --create-missing-nodes"
        )


def _create_nodes(database: Database, label: str, nodes: list[Node], done: Loaded) -> None:
    rows = [{"id": node.id, "properties": _node_properties(node)} for node in nodes]
    done.nodes_created += database.count(merge_nodes(label), rows=rows)["nodes_created"]
    by_category: dict[str, list[str]] = {}
    for node in nodes:
        for category in node.category:
            by_category.setdefault(category, []).append(node.id)
    for category, ids in by_category.items():
        if done.labels:
            done.labels = database.accepts(add_label(label, category), ids=ids)


def _node_properties(node: Node) -> dict[str, Any]:
    named = {"name": node.name} if node.name is not None else {}
    return {"category": list(node.category), **named}


def _load_edges(
    database: Database, source: EdgeSource, settings: BoltSettings, journal: Journal, done: Loaded, progress: Progress
) -> None:
    progress.start("load edges", source.edge_count)
    for number, rows in enumerate(transactions(source, settings.batch)):
        done.edges += len(rows.edges)
        progress.advance(len(rows.edges))
        if number < journal.batches:
            done.resumed_edges += len(rows.edges)
            continue
        counted = database.count(merge_edges(settings.base_label, rows.predicate), rows=rows.edges)
        if counted["merged"] != len(rows.edges):
            lost = len(rows.edges) - counted["merged"]
            raise KgrelError(f"{lost:,} edges found no endpoints: nodes were deleted during the load; repeat it")
        done.relationships_created += counted["relationships_created"]
        journal.note(number + 1)


def transactions(source: EdgeSource, size: int) -> Iterator[Rows]:
    """The edges in groups of one predicate and at most ``size`` edges, always the same groups in the same order."""
    waiting: dict[str, list[dict[str, Any]]] = {}
    for batch in source.batches():
        for row in batch.rows():
            edges = waiting.setdefault(row["predicate"], [])
            edges.append(_edge_row(row))
            if len(edges) == size:
                yield Rows(row["predicate"], waiting.pop(row["predicate"]))
    for predicate, edges in waiting.items():
        yield Rows(predicate, edges)


def _edge_row(row: dict[str, Any]) -> dict[str, Any]:
    properties = {name: value for name, value in row.items() if name not in _NOT_PROPERTIES}
    ends = {name: row[name] for name in ("id", "subject", "object")}
    return {**ends, "runs": row.get("kgrel_run_ids", []), "properties": properties}


def _take_off(database: Database, settings: BoltSettings, run_id: str, done: Loaded) -> None:
    for row in database.rows(RELATIONSHIP_TYPES):
        steps: list[tuple[Callable[[str, str], str], str]] = [
            (take_off_run, "runs_taken_off"),
            (delete_run_cypher, "relationships_deleted"),
        ]
        for statement, counter in steps:
            cypher = statement(settings.base_label, row["type"])
            while touched := database.count(cypher, run=run_id, limit=settings.batch)["touched"]:
                setattr(done, counter, getattr(done, counter) + touched)


class Journal:
    """Notes how many transactions of a load are committed, in a file; without one it notes nothing.

    Raises:
        KgrelError: the file is of another load, or no journal.
    """

    def __init__(self, settings: BoltSettings, source: EdgeSource) -> None:
        self._path = Path(settings.journal) if settings.journal else None
        self._load = {"uri": settings.uri, "database": settings.database, "batch": settings.batch}
        self._load |= {"label": settings.base_label, "edges": source.edge_count, "origin": source.origin}
        self.batches = 0
        """Transactions that are committed."""
        if self._path is not None and self._path.exists():
            self.batches = self._read(self._path)

    def _read(self, path: Path) -> int:
        try:
            noted = parse_json(path.read_bytes())
            batches, load = noted["batches"], noted["load"]
        except (ValueError, KeyError, TypeError):
            raise KgrelError(f"{path} is no journal of a load; give another file") from None
        if load != json.loads(canonical_json(self._load)) or not isinstance(batches, int):
            raise KgrelError(f"{path} is the journal of another load; finish that, or delete the file")
        return batches

    def note(self, batches: int) -> None:
        """So many transactions are committed."""
        if self._path is not None:
            write_text(self._path, canonical_json({"batches": batches, "load": self._load}))

    def remove(self) -> None:
        """The load is whole."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def plan(source: EdgeSource, settings: BoltSettings) -> dict[str, Any]:
    """What a load would do, without a database: the statements in order, and counts by statement."""
    label = settings.base_label
    categories = Counter(category for node in source.nodes() for category in node.category)
    steps: list[dict[str, Any]] = [{"cypher": constraint(label), "rows": 1}]
    steps.append({"cypher": missing_nodes(label), "rows": source.node_count})
    if settings.create_missing_nodes:
        steps.append({"cypher": merge_nodes(label), "rows": source.node_count})
        steps += [{"cypher": add_label(label, name), "rows": n} for name, n in sorted(categories.items())]
    if settings.replace_run:
        for predicate in source.predicates:
            steps += [{"cypher": make(label, predicate), "rows": 0} for make in (take_off_run, delete_run_cypher)]
    counts: Counter[str] = Counter()
    for batch in source.batches():
        counts.update(batch.values("predicate"))
    steps += [{"cypher": merge_edges(label, name), "rows": n} for name, n in sorted(counts.items())]
    return {"nodes": source.node_count, "edges": source.edge_count, "statements": steps}
