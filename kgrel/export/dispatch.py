"""From a scored list to a file, in one call; and edges of one's own to any format."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError, did_you_mean
from kgrel.data.files import refuse_existing, sha256_of
from kgrel.data.progress import Progress
from kgrel.data.tables import Format
from kgrel.export import cx2, graphml, kgx, ladybug, neo4j_csv, neptune, rdf, trapi
from kgrel.export.batch import EdgeSource
from kgrel.export.bundle import Bundle
from kgrel.export.evidence import Evidence
from kgrel.export.mapping import Mapping, read_mapping
from kgrel.export.model import PairArtifact
from kgrel.export.nodes import NodeSource, of_types, others_of, read_nodes, with_names
from kgrel.export.novelty import JoinedPairs, refuse_strangers
from kgrel.export.provenance import provenance_of
from kgrel.export.record import Edge, Node
from kgrel.export.records import EdgeRecords
from kgrel.export.scored import ScoredEdges, select_edges
from kgrel.export.settings import FORMATS, VIEWER_EDGES, VIEWERS, ExportSettings
from kgrel.graph.graph import Graph
from kgrel.text.corpus import Corpus

WRITERS: dict[str, Callable[..., Any]] = {
    "kgx": kgx.write,
    "neo4j-csv": neo4j_csv.write,
    "ladybug": ladybug.write,
    "rdf": rdf.write,
    "graphml": graphml.write,
    "cx2": cx2.write,
    "neptune": neptune.write,
    "trapi": trapi.write,
}
"""Format → its writer, for formats that are files."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What the edges are made of, as paths; None where it is not given."""

    scored: str | Path
    """What ``score-pairs`` wrote; ``-`` is standard input."""
    pairs: str | Path | None = None
    """The PAIRS artifact that scored it: nodes, model version, thresholds."""
    nodes: str | Path | None = None
    """A nodes file; gives names, and without PAIRS the nodes."""
    graph: str | Path | None = None
    """A GRAPH; says which pairs are known, and like a nodes file names and nodes, which ``nodes`` overrules."""
    corpus: str | Path | None = None
    """The corpus whose documents are the evidence."""
    mapping: str | Path | None = None
    """A mapping file."""
    input_format: Format | None = None
    """Format of the list where its ending does not say it."""


def write(
    edges: EdgeSource | Iterable[Edge],
    format: str,
    out: str | Path,
    *,
    nodes: Iterable[Node] = (),
    overwrite: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Write edges in a format that is a file or a directory.

    Args:
        edges: from :func:`kgrel.export.scored.select_edges`, or :class:`~kgrel.export.record.Edge` objects, which are
            read once and never all held in memory.
        format: one of :data:`WRITERS`.
        nodes: what the ends of ``Edge`` objects are called.
        options: of the writer: ``settings``, and ``prefixes`` of rdf.

    Returns:
        Counts: ``nodes``, ``edges``, and where a format cannot hold some characters ``replaced``.

    Raises:
        KgrelError: an unknown format; ``out`` exists and ``overwrite`` is false; what the writer cannot write.
    """
    if format not in WRITERS:
        what = "loads a database: use kgrel.export.load" if format == "neo4j" else "is no format"
        raise KgrelError(f"{format!r} {what}{did_you_mean(format, WRITERS)}; files are {', '.join(WRITERS)}")
    with EdgeRecords(edges, nodes) if isinstance(edges, Iterable) else nullcontext(edges) as source:
        made = WRITERS[format](source, Path(out), overwrite=overwrite, **options)
        counts = {"nodes": source.node_count, "edges": source.edge_count}
    return counts | (made.counts if isinstance(made, Bundle) else made or {})


@contextmanager
def open_edges(
    inputs: Inputs, settings: ExportSettings, progress: Progress | None = None
) -> Iterator[tuple[ScoredEdges, Mapping]]:
    """The edges of a scored list and the mapping that named them, from paths.

    Raises:
        KgrelError: neither PAIRS nor a nodes file is given; see :func:`kgrel.export.provenance.provenance_of` and
            :func:`kgrel.export.scored.select_edges`.
    """
    mapping = read_mapping(inputs.mapping)
    graph = Graph.open(inputs.graph) if inputs.graph is not None else None
    model = PairArtifact.open(inputs.pairs) if inputs.pairs is not None else None
    entities, parents = _nodes(model, inputs, graph, mapping)
    of_model = (model.thresholds, model.score_kind) if model is not None else ({}, None)
    provenance = provenance_of(settings, mapping, inputs.scored, of_model[0], parents, of_model[1])
    every = entities
    if graph is not None and model is not None:  # score-pairs --inductive scores nodes of a graph as well
        every = entities.joined(others_of(graph, entities, mapping))
    joined = JoinedPairs(graph, every) if graph is not None else None
    evidence = None
    if inputs.corpus is not None:
        corpus = Corpus.open(inputs.corpus)
        evidence = Evidence(corpus, every, settings.max_evidence)
        provenance.parents["corpus"] = corpus.artifact.hash
    if inputs.mapping is not None:
        provenance.parents["mapping"] = sha256_of(Path(inputs.mapping))
    with select_edges(
        inputs.scored, every, provenance, mapping, settings, known=entities,
        evidence=evidence, joined=joined, input_format=inputs.input_format, progress=progress,
    ) as edges:  # fmt: skip
        yield edges, mapping


def _nodes(
    model: PairArtifact | None, inputs: Inputs, graph: Graph | None, mapping: Mapping
) -> tuple[EntityTable, dict[str, str]]:
    """The entities, and the hashes of what gave them and of the model.

    Of PAIRS, a nodes file and a graph the first that is given says what nodes there are, and the others name them, a
    nodes file before a graph. Of a graph only the nodes of the mapping's types are nodes of the export.
    """
    parents: dict[str, str] = {}
    sources: list[NodeSource] = []
    if graph is not None and graph.artifact is not None:
        sources.append(graph)
        parents["graph"] = graph.artifact.hash
    if inputs.nodes is not None:
        sources.append(read_nodes(inputs.nodes))
        parents["nodes"] = sha256_of(Path(inputs.nodes))
    if model is not None:
        parents["pairs"] = model.hash
    base = model or (sources[-1] if sources else None)
    if base is None:
        raise KgrelError("the nodes are not known; give --pairs PAIRS, which scored the list, or --nodes or --graph")
    entities = of_types(base, mapping.types) if isinstance(base, Graph) else base.entities
    if graph is not None and base is not graph:
        refuse_strangers(graph, entities)
    for source in sources:
        entities = with_names(entities, source)
    return entities, parents


def export_scored(
    format: str,
    inputs: Inputs,
    out: str | Path,
    settings: ExportSettings | None = None,
    *,
    writer_settings: Any = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Export a scored list as a file or a directory.

    Returns:
        What became of the rows, see :class:`kgrel.export.row_parser.Counts`; the run; evidence; what was replaced.

    Raises:
        KgrelError: see :func:`open_edges` and :func:`write`.
    """
    if format not in WRITERS:
        raise KgrelError(f"{format!r} is no format of a file{did_you_mean(format, FORMATS)}")
    settings = settings or ExportSettings()
    refuse_existing(Path(out), overwrite)
    if format in VIEWERS and not settings.top:
        settings = dataclasses.replace(settings, top=VIEWER_EDGES)
    options: dict[str, Any] = {} if writer_settings is None else {"settings": writer_settings}
    with open_edges(inputs, settings, progress) as (edges, mapping):
        if format == "rdf":
            options["prefixes"] = mapping.prefixes
        written = write(edges, format, out, overwrite=overwrite, **options)
        return summary_of(edges, written)


def summary_of(edges: ScoredEdges, written: dict[str, Any]) -> dict[str, Any]:
    """What is told after an export."""
    evidence = {f"evidence_{name}": count for name, count in edges.evidence_counts.items()}
    return asdict(edges.counts) | {"run": edges.origin["run_id"]} | evidence | written
