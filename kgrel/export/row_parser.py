"""From the rows of a scored list to rows of numbers, with a sentence for each that cannot be an edge."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.entities import EntityTable
from kgrel.data.errors import InputError, KgrelError, NonFiniteError
from kgrel.data.tables import TableReader, find_column, optional_column
from kgrel.export.mapping import Mapping
from kgrel.export.nodes import NodeList
from kgrel.export.novelty import JoinedPairs
from kgrel.export.selection import SCHEMA
from kgrel.export.settings import ExportSettings
from kgrel.score.candidates import SCORED, Resolved, Resolver, find_columns

NO_RELATION = "NO-RELATION"
"""As kgrel.score.scorer has it, which loads torch with what it needs."""
Rows = npt.NDArray[np.int64]


@dataclass
class Counts:
    """What became of the rows of the list: ``rows = unscored + below + known + repeated + beyond_top + edges``."""

    rows: int = 0
    unscored: int = 0
    """Rows that scoring could not score."""
    below: int = 0
    """Rows whose score does not exceed the threshold."""
    known: int = 0
    """Rows left out by ``novel_only``."""
    repeated: int = 0
    """Rows that repeat an edge, in either order."""
    beyond_top: int = 0
    """Rows left out by ``top`` and ``per_head``."""
    edges: int = 0
    nodes: int = 0
    relations: dict[str, int] = field(default_factory=dict)
    """Edges by relation."""


class RowParser:
    """Turns chunks of the list into rows of :data:`SCHEMA`.

    Args:
        known: the first of the nodes, which ends of all rows are looked up in; the others are ends of ``inductive``
            rows alone.
    """

    def __init__(
        self,
        reader: TableReader,
        nodes: NodeList,
        mapping: Mapping,
        settings: ExportSettings,
        joined: JoinedPairs | None = None,
        known: EntityTable | None = None,
    ) -> None:
        self.path, self.settings, self.mapping, self.nodes = reader.path, settings, mapping, nodes
        self.joined = joined
        self.pairs = find_columns(reader.columns, self.path)
        self.resolver = Resolver(nodes.entities if known is None else known)
        self.of_predicted = Resolver(nodes.entities)
        self.relations = list(mapping.relations)
        try:
            self.required = {
                name: find_column(reader.columns, [settings.prefix + name])
                for name in ("relation", "best_relation", "score")
            }
        except KgrelError as error:
            raise KgrelError(f"{self.path}: {error}; is this the output of score-pairs?") from None
        names = ("score_std", "probability", "status", "known_relation")
        self.optional = {name: optional_column(reader.columns, [settings.prefix + name]) for name in names}
        self.optional["rank"] = optional_column(reader.columns, ["rank"])
        order = sorted(range(len(nodes.entities)), key=nodes.curies.__getitem__)
        self.curie_rank = np.empty(len(order), np.int64)
        self.curie_rank[order] = np.arange(len(order))

    def rows(self, lines: Rows, table: pa.Table, counts: Counts) -> pa.Table:
        """The rows of a chunk that are kept, counting the others."""
        counts.rows += table.num_rows
        lines, table = self._scored(lines, table, counts)
        lines, table, scores = self._above(lines, table, counts)
        heads, tails = self._ends(lines, table)
        known = self._known(table, heads, tails)
        if self.settings.novel_only:
            counts.known += int(known.sum())
            lines, table, scores = lines[~known], table.filter(pa.array(~known)), scores[~known]
            heads, tails, known = heads[~known], tails[~known], known[~known]
        relation = self._relation(lines, table)
        swap = self._swapped(lines, heads, tails, relation)
        columns = {
            "head": heads,
            "subject": np.where(swap, tails, heads),
            "object": np.where(swap, heads, tails),
            "relation": relation,
            "score": scores,
            "score_std": self._numbers(lines, table, self.optional["score_std"]),
            "confidence": self._confidence(lines, table),
            "rank": self._ranks(lines, table),
            "known": pa.array(known) if self._says_known else pa.nulls(len(lines), pa.bool_()),
        }
        arrays = [v if isinstance(v, pa.Array) else pa.array(v) for v in columns.values()]
        return pa.table([a.cast(f.type) for a, f in zip(arrays, SCHEMA, strict=True)], schema=SCHEMA)

    def _scored(self, lines: Rows, table: pa.Table, counts: Counts) -> tuple[Rows, pa.Table]:
        name = self.optional["status"]
        if name is None:
            return lines, table
        ok = pc.is_in(table.column(name).cast(pa.string()), pa.array(SCORED)).to_numpy()
        counts.unscored += int((~ok).sum())
        return lines[ok], table.filter(pa.array(ok))

    def _above(self, lines: Rows, table: pa.Table, counts: Counts) -> tuple[Rows, pa.Table, npt.NDArray[np.float64]]:
        """Rows above the given threshold, or those that scoring gave a relation."""
        scores = self._numbers(lines, table, self.required["score"])
        if scores.null_count:
            row = pc.index(pc.is_null(scores), True).as_py()
            raise InputError(self.path, "the score is empty, but the row counts as scored", int(lines[row]))
        values = scores.to_numpy()
        if self.settings.threshold is not None:
            above = values > self.settings.threshold
        else:
            relation = pc.fill_null(table.column(self.required["relation"]), NO_RELATION)
            above = pc.not_equal(relation, NO_RELATION).to_numpy()
        counts.below += int((~above).sum())
        return lines[above], table.filter(pa.array(above)), values[above]

    @property
    def _says_known(self) -> bool:
        """Whether the list or a graph says which pairs are known."""
        return self.optional["known_relation"] is not None or self.joined is not None

    def _known(self, table: pa.Table, heads: Rows, tails: Rows) -> npt.NDArray[np.bool_]:
        """Whether the list names a known relation of each pair, or an edge of the graph joins it."""
        if self.settings.novel_only and not self._says_known:
            raise KgrelError(f"{self.path}: no column 'known_relation', which --novel-only needs, and no --graph")
        known: npt.NDArray[np.bool_] = np.zeros(table.num_rows, np.bool_)
        name = self.optional["known_relation"]
        if name is not None:
            known = pc.not_equal(pc.fill_null(table.column(name), ""), "").to_numpy()
        return known if self.joined is None else known | self.joined.of(heads, tails)

    def _ends(self, lines: Rows, table: pa.Table) -> tuple[Rows, Rows]:
        resolved = self.resolver.resolve(table, self.pairs)
        self._predicted(table, resolved)
        bad = np.flatnonzero(resolved.status != "ok")
        if len(bad):
            row, reason = int(bad[0]), resolved.status[bad[0]]
            pair = " and ".join(repr(table.column(c)[row].as_py()) for c in (self.pairs.source, self.pairs.target))
            message = f"the pair {pair} cannot be exported ({reason}); give the PAIRS or nodes that it was scored with"
            if self.optional["status"] and table.column(self.optional["status"])[row].as_py() != "ok":
                message += ", and as --graph the GRAPH that its entities were predicted from"
            raise InputError(self.path, message, int(lines[row]))
        return resolved.heads, resolved.tails

    def _predicted(self, table: pa.Table, resolved: Resolved) -> None:
        """Fill in the ends of ``inductive`` rows that the model does not know."""
        name = self.optional["status"]
        if name is None or len(self.of_predicted.entities) == len(self.resolver.entities):
            return
        status = table.column(name).cast(pa.string())
        mine = np.flatnonzero(pc.fill_null(pc.equal(status, "inductive"), False).to_numpy())
        if not len(mine):
            return
        found = self.of_predicted.resolve(table.take(pa.array(mine)), self.pairs)
        for ends, others in ((resolved.heads, found.heads), (resolved.tails, found.tails)):
            ends[mine] = np.where(ends[mine] < 0, others, ends[mine])
        good = mine[(resolved.heads[mine] >= 0) & (resolved.tails[mine] >= 0)]
        resolved.status[good] = "ok"

    def _relation(self, lines: Rows, table: pa.Table) -> Rows:
        """Number of the best relation of each row."""
        column = pc.dictionary_encode(table.column(self.required["best_relation"]).combine_chunks())
        numbers = {name: number for number, name in enumerate(self.relations)}
        found = np.array([numbers.get(name, -1) for name in column.dictionary.to_pylist()], np.int64)
        codes = pc.fill_null(column.indices, -1).to_numpy()
        relation = found[codes] if len(found) else np.full(len(codes), -1)
        relation[codes < 0] = -1
        bad = np.flatnonzero(relation < 0)
        if len(bad):
            name = table.column(self.required["best_relation"])[int(bad[0])].as_py()
            try:
                self.mapping.relation_of(name or "")
            except KgrelError as error:
                raise InputError(self.path, str(error), int(lines[bad[0]])) from None
        return relation

    def _swapped(self, lines: Rows, heads: Rows, tails: Rows, relation: Rows) -> npt.NDArray[np.bool_]:
        """Whether the edge runs from target to source."""
        types = np.array(self.nodes.entities.types, dtype=object)
        swap = np.zeros(len(heads), np.bool_)
        for number in np.unique(relation).tolist():
            mapped, mine = self.mapping.relations[self.relations[number]], np.flatnonzero(relation == number)
            head, tail = heads[mine], tails[mine]
            backwards = self.curie_rank[tail] < self.curie_rank[head] if mapped.symmetric else np.zeros(len(mine), bool)
            if mapped.subject:
                forth = (types[head] == mapped.subject) & (types[tail] == mapped.object)
                back = (types[head] == mapped.object) & (types[tail] == mapped.subject)
                if not (forth | back).all():
                    bad = int(np.flatnonzero(~(forth | back))[0])
                    pair = f"{types[head[bad]]} and {types[tail[bad]]}"
                    message = f"the relation {self.relations[number]!r} is mapped to {mapped.subject} and "
                    message += f"{mapped.object}, but joins {pair} here; correct the mapping"
                    raise InputError(self.path, message, int(lines[mine[bad]]))
                backwards = np.where(forth & back, backwards, back)
            swap[mine] = backwards
        return swap

    def _confidence(self, lines: Rows, table: pa.Table) -> pa.Array:
        values = self._numbers(lines, table, self.optional["probability"])
        outside = pc.fill_null(pc.or_(pc.less(values, 0.0), pc.greater(values, 1.0)), False)
        if pc.any(outside, min_count=0).as_py():
            row = pc.index(outside, True).as_py()
            raise InputError(self.path, f"the probability {values[row]} is not within 0 … 1", int(lines[row]))
        return values

    def _ranks(self, lines: Rows, table: pa.Table) -> pa.Array:
        values = self._numbers(lines, table, self.optional["rank"])
        fraction = pc.fill_null(pc.not_equal(values, pc.floor(values)), False)
        if pc.any(fraction, min_count=0).as_py():
            row = pc.index(fraction, True).as_py()
            raise InputError(self.path, f"the rank {values[row]} is no whole number", int(lines[row]))
        return values.cast(pa.int64())

    def _numbers(self, lines: Rows, table: pa.Table, name: str | None) -> pa.Array:
        """A column as numbers, null where it is empty; all null for a column that is not there."""
        if name is None:
            return pa.nulls(table.num_rows, pa.float64())
        column = table.column(name).combine_chunks()
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
        try:
            values = pc.cast(column, pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            row = next((row for row, value in enumerate(column.to_pylist()) if not _is_number(value)), 0)
            message = f"{name!r} is no number: {column[row].as_py()!r}" if len(column) else f"{name!r} holds no numbers"
            raise InputError(self.path, message, int(lines[row]) if len(lines) else None) from None
        finite = pc.fill_null(pc.is_finite(values), True)
        if not pc.all(finite, min_count=0).as_py():
            row = pc.index(finite, False).as_py()
            raise NonFiniteError(f"{self.path}, line {lines[row]}: {name!r} is {values[row]}; score the list again")
        return values


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return value is None
    return True
