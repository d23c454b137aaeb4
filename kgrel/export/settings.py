"""Settings of the export. Loads neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FORMATS = {
    "kgx": "KGX: nodes and edges as JSON Lines or TSV, in a directory.",
    "neo4j-csv": "CSV files, headers and scripts for neo4j-admin database import, and for LOAD CSV.",
    "neo4j": "Load into a running database over Bolt: Neo4j, Aura, Memgraph, ArcadeDB.",
    "ladybug": "One Ladybug database file (an embedded graph database, successor of Kùzu).",
    "rdf": "RDF 1.2: N-Quads or TriG by the ending of --out (.nq, .trig).",
    "graphml": "GraphML for viewers such as Cytoscape, yEd and Gephi.",
    "cx2": "CX2 for Cytoscape and NDEx.",
    "neptune": "CSV files for the bulk loader of Amazon Neptune (openCypher).",
    "trapi": "A TRAPI knowledge_graph as JSON.",
}
"""Format → one line for the overview."""
VIEWERS = frozenset({"graphml", "cx2"})
"""Formats that are opened as a picture."""
VIEWER_EDGES = 10_000
"""Best edges that a viewer gets where ``top`` is not given."""


@dataclass(frozen=True)
class ExportSettings:
    """Which scored pairs become edges, and what every edge says."""

    primary_knowledge_source: str = ""
    """Who publishes the edges: one identifier infores:NAME. Required, here or in the mapping file."""
    threshold: float | None = None
    """Export pairs whose score exceeds this, instead of the threshold that scoring used."""
    top: int = 0
    """Export the best so many edges in all. 0 = no limit (10,000 for graphml and cx2)."""
    per_head: int = 0
    """Export the best so many edges of each entity on the source side. 0 = no limit."""
    novel_only: bool = False
    """Leave out pairs that the relations table lists, and with --graph those that any edge joins."""
    supporting_data_source: tuple[str, ...] = ()
    """Resources whose data the model was trained on, as infores:NAME."""
    supporting_data_set: tuple[str, ...] = ()
    """Data sets that the model was trained on, with their version or date."""
    model_id: str = "kgrel-pairs"
    """Name of the model; edges of another model stand beside these."""
    model_version: str = ""
    """Version of the model. Empty = the first 16 digits of the hash of PAIRS."""
    run_id: str = ""
    """Name of this export. Empty = derived from the model, the list and the settings, so that the same export has the
    same name."""
    date: str = ""
    """Date of the predictions, as 2026-01-31. Empty = the day, UTC, on which the list was last changed."""
    max_evidence: int = 100
    """Documents given as evidence of an edge at most; the summary counts edges that have more. 0 = no limit."""
    prefix: str = ""
    """What score-pairs put before the names of its columns with --prefix."""


@dataclass(frozen=True)
class KgxSettings:
    """How KGX is written."""

    table: Literal["jsonl", "tsv"] = "jsonl"
    """JSON Lines, or tab-separated tables with | between the items of a list."""


@dataclass(frozen=True)
class RdfSettings:
    """How RDF is written."""

    reification: Literal["rdf-1.2", "classic"] = "rdf-1.2"
    """How properties are said of an edge: by rdf:reifies of a triple term, or by rdf:subject, rdf:predicate and
    rdf:object for stores that know no RDF 1.2."""


@dataclass(frozen=True)
class LadybugSettings:
    """How a Ladybug file is built."""

    buffer_pool: int = 2048
    """Memory that the database may take while it builds, MiB; a million edges need more than 512."""


@dataclass(frozen=True)
class BoltSettings:
    """Which database is loaded over Bolt, and how."""

    uri: str = "bolt://localhost:7687"
    """Address of the database: bolt, neo4j, bolt+s or neo4j+s."""
    user: str = "neo4j"
    """Name to log in with; the password is read from KGREL_NEO4J_PASSWORD or asked for."""
    database: str = ""
    """Name of the database. Empty = the server's default."""
    batch: int = 5_000
    """Rows of a transaction."""
    base_label: str = "NamedThing"
    """Label that every node has; a unique constraint on it and id is made if it is not there."""
    create_missing_nodes: bool = False
    """Create nodes that the database does not have. Otherwise a missing one is an error, and nothing is written."""
    replace_run: bool = False
    """First take this run off the edges that an earlier load gave it, and delete those that no other run has."""
    journal: str = ""
    """File that notes how far the load is; after an interruption the same command goes on there."""
