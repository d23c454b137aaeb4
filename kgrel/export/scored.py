"""From a scored list to edges.

list ─▶ rows above the threshold, as numbers ─▶ (all, or the best) ─▶ edges by columns
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.entities import EntityTable
from kgrel.data.progress import Progress, Silent
from kgrel.data.tables import Format, TableReader
from kgrel.export.batch import Coded, Column, Constant, EdgeBatch, Plain
from kgrel.export.edge_ids import edge_ids
from kgrel.export.evidence import Evidence
from kgrel.export.mapping import Mapping, RelationMapping
from kgrel.export.nodes import NodeList
from kgrel.export.novelty import JoinedPairs
from kgrel.export.provenance import Provenance
from kgrel.export.record import FIELDS, Field, Node, qualifier_fields
from kgrel.export.row_parser import Counts, RowParser
from kgrel.export.selection import Best, Selected, Streamed
from kgrel.export.settings import ExportSettings

Rows = npt.NDArray[np.int64]


class ScoredEdges:
    """The edges of a scored list; a context manager that frees its temporary file. See :func:`select_edges`."""

    def __init__(
        self,
        nodes: NodeList,
        mapping: Mapping,
        relations: list[str],
        provenance: Provenance,
        selected: Selected,
        counts: Counts,
        used: Rows,
        evidence: Evidence | None,
    ) -> None:
        self._nodes, self._relations, self._provenance = nodes, relations, provenance
        self._mapped = [mapping.relation_of(name) for name in relations]
        self._selected, self.counts, self._used, self._evidence = selected, counts, used, evidence
        self.evidence_counts: Counter[str] = Counter()
        """Edges with more documents than given; contexts whose document is unknown. Of the last pass."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return FIELDS + qualifier_fields(name for mapped in self._mapped for name in mapped.qualifiers)

    @property
    def edge_count(self) -> int:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return self.counts.edges

    @property
    def node_count(self) -> int:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return self.counts.nodes

    @property
    def predicates(self) -> list[str]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        used = [m for m, n in zip(self._mapped, self._relations, strict=True) if self.counts.relations.get(n)]
        return sorted({mapped.predicate for mapped in used})

    @property
    def origin(self) -> dict[str, Any]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return self._provenance.to_json()

    def nodes(self) -> Iterator[Node]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        return map(self._nodes.node, self._used.tolist())

    def batches(self) -> Iterator[EdgeBatch]:
        """See :class:`kgrel.export.batch.EdgeSource`."""
        self.evidence_counts = Counter()
        return (self._batch(rows) for rows in self._selected.tables() if rows.num_rows)

    def _batch(self, rows: pa.Table) -> EdgeBatch:
        relation = rows.column("relation").to_numpy().astype(np.int64)
        subject, object_ = (rows.column(name).to_numpy().astype(np.int64) for name in ("subject", "object"))
        columns = self._constants() | self._of_relation(relation)
        columns |= {"subject": self._ends(subject), "object": self._ends(object_)}
        numbers = {"kgrel_score": "score", "kgrel_score_std": "score_std", "has_confidence_score": "confidence"}
        numbers |= {"kgrel_rank": "rank", "kgrel_known_edge": "known"}
        columns |= {name: Plain(rows.column(column).combine_chunks()) for name, column in numbers.items()}
        if self._evidence is not None:
            found = self._evidence.of(subject, object_)
            columns |= {"publications": Plain(found.publications), "has_evidence": Plain(found.others)}
            self.evidence_counts += Counter({"cut": found.cut, "contexts_of_unknown_document": found.unknown})
        columns["id"] = Plain(edge_ids(columns, len(relation), self._statement, relation, self._provenance.model))
        return EdgeBatch(len(relation), {entry.name: columns[entry.name] for entry in self.fields})

    def _constants(self) -> dict[str, Column]:
        """What every edge of the export says."""
        values = {entry.name: None for entry in FIELDS} | self._provenance.constants()
        return {name: Constant(value) for name, value in values.items()}

    def _of_relation(self, relation: Rows) -> dict[str, Column]:
        """What the relation decides."""
        mapped, thresholds = self._mapped, self._provenance.thresholds
        values: dict[str, list[Any]] = {
            "predicate": [m.predicate for m in mapped],
            "category": [(m.category,) for m in mapped],
            "kgrel_threshold": [thresholds.get(name) for name in self._relations],
        }
        for name, _, _ in qualifier_fields(name for m in mapped for name in m.qualifiers):
            values[name] = [m.qualifiers.get(name) for m in mapped]
        return {name: Coded(relation, column) for name, column in values.items()}

    def _ends(self, rows: Rows) -> Coded:
        distinct, codes = np.unique(rows, return_inverse=True)
        curies = self._nodes.curies
        return Coded(codes, [curies[row] for row in distinct.tolist()])

    def _statement(self, relation: int) -> RelationMapping:
        return self._mapped[relation]

    def close(self) -> None:
        """Delete the temporary file."""
        self._selected.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def select_edges(
    scored: str | Path,
    entities: EntityTable,
    provenance: Provenance,
    mapping: Mapping | None = None,
    settings: ExportSettings | None = None,
    *,
    known: EntityTable | None = None,
    evidence: Evidence | None = None,
    joined: JoinedPairs | None = None,
    input_format: Format | None = None,
    progress: Progress | None = None,
) -> ScoredEdges:
    """Read what ``score-pairs`` or ``rank-pairs`` wrote and keep the rows that become edges.

    Memory does not depend on the length of the list; with ``top`` or ``per_head`` it is linear in the rows kept.

    Args:
        scored: csv, tsv, jsonl or parquet, ``-`` for standard input.
        entities: the nodes that the list's identifiers are looked up in.
        known: those of them that ends of all rows are looked up in, by default all; the others, which stand behind
            them, are ends of rows with the status ``inductive`` alone.
        evidence: gives the documents of each edge.
        joined: pairs that count as known beside those that the list calls so.

    Raises:
        InputError: a column is missing, a score is no finite number, an entity is not known, a relation is not in the
            mapping or does not fit the types of its pair; each with its line.
    """
    settings, mapping, progress = settings or ExportSettings(), mapping or Mapping(), progress or Silent()
    nodes = NodeList(entities, mapping)
    counts, used = Counts(), np.zeros(len(entities), np.bool_)
    with TableReader(scored, input_format) as reader:
        parse = RowParser(reader, nodes, mapping, settings, joined, entities if known is None else known)
        size = len(entities), max(1, len(mapping.relations))
        limited = settings.top or settings.per_head
        selected: Selected = Best(*size, settings.top, settings.per_head) if limited else Streamed(*size)
        try:
            progress.start("select", None)
            for lines, table in reader.numbered():
                selected.add(parse.rows(lines, table, counts))
                progress.advance(table.num_rows)
            counts.edges = selected.finish()
            counts.repeated = selected.repeated
            by_relation = count_rows(selected, used, len(parse.relations))
        except BaseException:
            selected.close()
            raise
    counts.beyond_top = counts.rows - sum((counts.unscored, counts.below, counts.known, counts.repeated, counts.edges))
    counts.nodes = int(used.sum())
    counts.relations = {name: n for name, n in zip(parse.relations, by_relation.tolist(), strict=True) if n}
    rows = np.flatnonzero(used)
    return ScoredEdges(nodes, mapping, parse.relations, provenance, selected, counts, rows, evidence)


def count_rows(selected: Selected, used: npt.NDArray[np.bool_], relations: int) -> Rows:
    """Mark the entities of the kept rows in ``used``; returns the number of rows of each relation."""
    by_relation = np.zeros(relations, np.int64)
    for rows in selected.tables():
        for side in ("subject", "object"):
            used[rows.column(side).to_numpy()] = True
        by_relation += np.bincount(rows.column("relation").to_numpy(), minlength=relations)
    return by_relation
