"""The Cypher of the exports. Values are parameters; labels and types cannot be, so they are quoted."""

from __future__ import annotations

BASE_LABEL = "NamedThing"
"""Label of every node."""


def quoted(name: str) -> str:
    """A label, type or property name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def constraint(label: str) -> str:
    """A unique identifier for every node: it makes the index that loading needs."""
    return f"CREATE CONSTRAINT kgrel_node_id IF NOT EXISTS FOR (n:{quoted(label)}) REQUIRE n.id IS UNIQUE"


def missing_nodes(label: str) -> str:
    """Which of ``$ids`` no node has."""
    found = f"UNWIND $ids AS id OPTIONAL MATCH (n:{quoted(label)} {{id: id}})"
    return f"{found} WITH id, n WHERE n IS NULL RETURN id AS missing"


def merge_nodes(label: str) -> str:
    """Create the nodes of ``$rows`` that are not there; a node that is there stays as it is."""
    return f"UNWIND $rows AS row MERGE (n:{quoted(label)} {{id: row.id}}) ON CREATE SET n += row.properties"


def add_label(label: str, category: str) -> str:
    """Give the nodes of ``$ids`` a second label."""
    return f"UNWIND $ids AS id MATCH (n:{quoted(label)} {{id: id}}) SET n:{quoted(category)}"


def merge_edges(label: str, predicate: str) -> str:
    """Create or refresh the edges of ``$rows``, each by its id, so that edges of two models do not become one.

    The run is added to the list of those that gave the edge.
    """
    base = quoted(label)
    return (
        f"UNWIND $rows AS row MATCH (s:{base} {{id: row.subject}}) MATCH (o:{base} {{id: row.object}}) "
        f"MERGE (s)-[r:{quoted(predicate)} {{id: row.id}}]->(o) SET r += row.properties "
        f"SET r.kgrel_run_ids = {with_runs('row.runs')} RETURN count(*) AS merged"
    )


def with_runs(runs: str) -> str:
    """The runs of the edge ``r`` and those of the expression ``runs`` that it does not have yet."""
    has = "coalesce(r.kgrel_run_ids, [])"
    return f"{has} + [run IN coalesce({runs}, []) WHERE NOT run IN {has}]"


def take_off_run(label: str, predicate: str) -> str:
    """Take ``$run`` off up to ``$limit`` edges that other runs gave as well."""
    return (
        f"{_edges_of_run(label, predicate)} AND size(r.kgrel_run_ids) > 1 WITH r LIMIT $limit "
        "SET r.kgrel_run_ids = [run IN r.kgrel_run_ids WHERE run <> $run] RETURN count(r) AS touched"
    )


def delete_run(label: str, predicate: str) -> str:
    """Delete up to ``$limit`` edges that ``$run`` alone gave."""
    return (
        f"{_edges_of_run(label, predicate)} AND size(r.kgrel_run_ids) = 1 WITH r LIMIT $limit "
        "DELETE r RETURN count(*) AS touched"
    )


def _edges_of_run(label: str, predicate: str) -> str:
    base = quoted(label)
    return f"MATCH (:{base})-[r:{quoted(predicate)}]->(:{base}) WHERE $run IN r.kgrel_run_ids"


RELATIONSHIP_TYPES = "CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType AS type"
