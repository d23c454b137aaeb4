"""``import-graph``: from the files of a graph to a GRAPH artifact.

nodes ─▶ rows by type ┐
                      ├─▶ edges sorted by type, each once ─▶ artifact
edges ─▶ rows of ends ┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgrel.data.artifact import Artifact, Kind, Manifest, create_artifact, open_artifact
from kgrel.data.entities import EntityTable
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import refuse_existing, sha256_of
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.graph.edges import EdgeCollector
from kgrel.graph.graph import EdgeType, Graph, Ints
from kgrel.graph.nodes import NodeCollector
from kgrel.graph.problems import KINDS, Problems
from kgrel.graph.readers import DIALECTS, read_edges, read_nodes
from kgrel.graph.settings import ImportSettings


def import_graph(
    files: Sequence[str | Path],
    out: str | Path,
    settings: ImportSettings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Read a graph, check it, and write GRAPH.

    Args:
        files: nodes and edges; or the edges alone, which then say the types of their ends.

    Raises:
        InputError: a column is missing, a node has no type, an identifier or a relation is empty, no node or no edge
            is there, a compressed file is cut short; with its line.
        KgrelError: ``settings.strict`` and a row is faulty; ``out`` exists and ``overwrite`` is false.
    """
    settings, progress = settings or ImportSettings(), progress or Silent()
    nodes_path, edges_path = _roles(files, settings)
    refuse_existing(Path(out), overwrite)
    problems, nodes = Problems(), NodeCollector()
    if nodes_path is not None:
        progress.start("read nodes", None)
        for lines, table in read_nodes(nodes_path, settings.format):
            nodes.add(nodes_path, lines, table, problems)
            progress.advance(table.num_rows)
        if not len(nodes):
            raise InputError(nodes_path, "holds no node; at least one is needed")
    given = EntityTable(nodes.types, nodes.ids, nodes.names, [[]] * len(nodes)) if nodes_path is not None else None
    edges = EdgeCollector(edges_path, nodes, given, problems)
    progress.start("read edges", None)
    for lines, table in read_edges(edges_path, settings.format):
        edges.add(lines, table)
        progress.advance(table.num_rows)
    entities, renumbered, properties = nodes.by_type()
    graph = _assemble(edges, entities, renumbered, edges_path, problems)
    if settings.strict:
        problems.refuse()
    parents = {role: sha256_of(Path(path)) for role, path in (("nodes", nodes_path), ("edges", edges_path)) if path}
    with create_artifact(out, Manifest(Kind.GRAPH, to_json(settings), parents=parents), overwrite) as draft:
        graph.write(draft.path, properties)
        problems.write(draft.path)
        draft.summary |= summary_of(graph, edges.rows, problems)
    return open_artifact(out, Kind.GRAPH, verify=False)


def _roles(files: Sequence[str | Path], settings: ImportSettings) -> tuple[str | Path | None, str | Path]:
    """The nodes file, or None, and the edges file."""
    alone = {"hetionet": False, "kgx": False, "tsv": True, "primekg": True}[settings.format]
    if len(files) == 1 and alone:
        return None, files[0]
    if len(files) == 2 and DIALECTS[settings.format].nodes:
        return files[0], files[1]
    wanted = "one file, EDGES" if not DIALECTS[settings.format].nodes else "two files, NODES and EDGES"
    wanted += ", or EDGES alone" if settings.format == "tsv" else ""
    raise KgrelError(f"--format {settings.format} reads {wanted}, not {len(files)}")


def _assemble(
    edges: EdgeCollector, entities: EntityTable, renumbered: Ints, path: str | Path, problems: Problems
) -> Graph:
    """The edges in rows of the sorted nodes, sorted by type, of equal ones the first."""
    lines, heads, relations, tails = edges.columns()
    if not edges.rows:
        raise InputError(path, "holds no edge; at least one is needed")
    if not len(lines):
        _refuse_strangers(edges, entities, path)
    heads, tails = renumbered[heads], renumbered[tails]
    numbers, types = _edge_type_numbers(entities, edges.relations, heads, relations, tails)
    order = np.lexsort((tails, heads, numbers))  # stable, so that of equal edges the first line comes first
    lines, heads, tails, numbers = lines[order], heads[order], tails[order], numbers[order]
    again = np.zeros(len(order), np.bool_)
    again[1:] = (np.diff(numbers) == 0) & (np.diff(heads) == 0) & (np.diff(tails) == 0)

    def note(kind: Any, where: Ints, text: str) -> None:
        shown = where[np.argsort(lines[where])][: problems.room(kind)]
        rows = [(int(lines[row]), text.format(*_spelled(entities, types[numbers[row]], heads[row], tails[row])))
                for row in shown.tolist()]  # fmt: skip
        problems.add(kind, path, rows, len(where))

    note("duplicate", np.flatnonzero(again), "the edge {0} {1} {2} stands there already")
    heads, tails, numbers, lines = heads[~again], tails[~again], numbers[~again], lines[~again]
    note("self_loop", np.flatnonzero(heads == tails), "the edge {0} {1} {2} joins a node with itself")
    begins = np.searchsorted(numbers, np.arange(len(types) + 1)).tolist()
    stretches = [EdgeType(*type_, b, e) for type_, b, e in zip(types, begins, begins[1:], strict=False)]
    return Graph(entities, np.stack([heads, tails]), stretches)


def _edge_type_numbers(
    entities: EntityTable, relations: list[str], heads: Ints, relation: Ints, tails: Ints
) -> tuple[Ints, list[tuple[str, str, str]]]:
    """The edge type of each edge (n,), and the edge types, sorted."""
    names, codes = np.unique(np.array(entities.types), return_inverse=True)
    alphabetic = np.argsort(np.argsort(np.array(relations)))
    combined = (codes[heads] * len(relations) + alphabetic[relation]) * len(names) + codes[tails]
    distinct, numbers = np.unique(combined, return_inverse=True)
    ordered = sorted(relations)
    types = []
    for value in distinct.tolist():
        rest, tail = divmod(value, len(names))
        head, middle = divmod(rest, len(relations))
        types.append((str(names[head]), ordered[middle], str(names[tail])))
    return numbers.reshape(-1), types


def _spelled(entities: EntityTable, type_: tuple[str, str, str], head: int, tail: int) -> tuple[str, str, str]:
    ends = [f"{entities.types[row]}::{entities.ids[row]}" for row in (head, tail)]
    return ends[0], type_[1], ends[1]


def _refuse_strangers(edges: EdgeCollector, entities: EntityTable, path: str | Path) -> None:
    raise InputError(
        path,
        f"none of the {edges.rows:,} edges joins two nodes of the nodes file; its identifiers look like "
        f"{', '.join(map(repr, edges.spellings[:5]))}, those of the nodes like {entities.examples()}: "
        "use the same ones",
    )


def summary_of(graph: Graph, rows: int, problems: Problems) -> dict[str, Any]:
    """Counts: ``rows = dangling + ambiguous + duplicate + edges``."""
    several = sum(count - 1 for count in Counter(graph.entities.ids).values())
    return {
        "nodes": len(graph.entities),
        "node_types": len(graph.node_types),
        "rows": rows,
        "edges": graph.edge_count,
        "edge_types": len(graph.edge_types),
        **{kind: problems.counts[kind] for kind in KINDS},
        "shared_ids": several,
    }
