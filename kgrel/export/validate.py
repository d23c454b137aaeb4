"""Check exported files against Biolink 4.4.4: required fields, enumerations, terms, endpoints, identifiers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kgrel.export.biolink import CURIE, INFORES, biolink, problem_of_term
from kgrel.export.readers import ExportFiles, open_export
from kgrel.export.selection import repeated_places

SHOWN = 20
"""Problems that are kept with their place; all are counted."""
_SCORES = ("has_confidence_score", "kgrel_score", "kgrel_score_std", "kgrel_threshold")


@dataclass
class Report:
    """What a check found."""

    format: str
    nodes: int = 0
    edges: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    """Kind of problem → how often."""
    examples: list[str] = field(default_factory=list)
    """The first problems with their places."""

    def add(self, place: str, kind: str, text: str) -> None:
        """Note a problem."""
        self.problems[kind] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(f"{place}: {text}")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": self.format,
            "biolink": biolink().version,
            "nodes": self.nodes,
            "edges": self.edges,
            "problems": dict(sorted(self.problems.items())),
            "examples": self.examples,
        }


def validate_export(path: str | Path) -> Report:
    """Check what ``kgrel export`` wrote as kgx, neo4j-csv, neptune, trapi or rdf, or KGX files of another program.

    Memory is linear in the nodes, plus 8 bytes for each edge; a TRAPI file is read whole.

    Raises:
        KgrelError: no such file, a format that cannot be checked, a damaged file, or one that cannot be read at all.
    """
    files = open_export(Path(path))
    report = Report(files.format)
    known = _check_nodes(files, report)
    _check_edges(files, known, report)
    return report


def _check_nodes(files: ExportFiles, report: Report) -> set[str]:
    """Check the nodes; returns their identifiers."""
    known: set[str] = set()
    for place, node in files.nodes():
        report.nodes += 1
        identifier = node.get("id")
        if not isinstance(identifier, str) or not CURIE.fullmatch(identifier):
            report.add(place, "node identifier", f"the identifier {identifier!r} is no CURIE")
            continue
        if identifier in known:
            report.add(place, "repeated node", f"the node {identifier} stands twice")
        known.add(identifier)
        for problem in _category_problems(node, biolink().categories, "node category"):
            report.add(place, "node category", problem)
    return known


def _category_problems(values: Mapping[str, Any], known: frozenset[str], what: str) -> Iterator[str]:
    categories = values.get("category")
    if not isinstance(categories, list) or not categories:
        yield "has no category, which must be a list"
        return
    for name in categories:
        problem = problem_of_term(str(name), known, what)
        if problem:
            yield problem


def _check_edges(files: ExportFiles, known: set[str], report: Report) -> None:
    hashes: list[np.ndarray] = []
    waiting: list[int] = []
    for place, edge in files.edges():
        report.edges += 1
        for kind, text in edge_problems(edge, known):
            report.add(place, kind, text)
        waiting.append(hash(str(edge.get("id"))))
        if len(waiting) == 1 << 16:
            hashes.append(np.array(waiting, np.int64))
            waiting = []
    keys = np.concatenate([*hashes, np.array(waiting, np.int64)])
    for row in repeated_places(keys).tolist():
        report.add(f"edge {row + 1}", "repeated edge", "an edge further ahead has the same id")


def edge_problems(edge: Mapping[str, Any], known: set[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with an edge, as (kind, sentence).

    Args:
        known: identifiers of the nodes.
    """
    model = biolink()
    for name in sorted(model.required | {"primary_knowledge_source"}):
        if edge.get(name) in (None, "", []):
            yield "missing field", f"has no {name}"
    for name in ("subject", "object"):
        end = edge.get(name)
        if end is not None and (not isinstance(end, str) or end not in known):
            yield "endpoint", f"the {name} {end!r} is not among the nodes"
    for name, values in (("knowledge_level", model.knowledge_level), ("agent_type", model.agent_type)):
        if name in edge and (not isinstance(edge[name], str) or edge[name] not in values):
            yield "enumeration", f"{name} is {edge[name]!r}, but must be one of {', '.join(sorted(values))}"
    if "predicate" in edge:
        problem = problem_of_term(str(edge["predicate"]), model.predicates, "predicate")
        if problem:
            yield "predicate", problem
    for problem in _category_problems(edge, model.associations, "association category"):
        yield "category", problem
    yield from _value_problems(edge)


def _value_problems(edge: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    source = edge.get("primary_knowledge_source")
    if source is not None and not (isinstance(source, str) and INFORES.fullmatch(source)):
        yield "source", f"primary_knowledge_source is {source!r}, but must be one infores: identifier"
    confidence = edge.get("has_confidence_score")
    if _is_number(confidence) and not 0 <= float(confidence or 0) <= 1:
        yield "number", f"has_confidence_score is {confidence}, which is not within 0 … 1"
    for name in _SCORES:
        if edge.get(name) is not None and not _is_number(edge[name]):
            yield "number", f"{name} is {edge[name]!r}, which is no finite number"
    categories, predicate = edge.get("category") or [], edge.get("predicate")
    limited = biolink().gene_to_disease_predicates
    if "biolink:GeneToDiseaseAssociation" in categories and predicate not in limited:
        yield "predicate", f"a GeneToDiseaseAssociation has one of {', '.join(sorted(limited))}, not {predicate}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
