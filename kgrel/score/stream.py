"""Scoring a candidate file chunk by chunk, in constant memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import refuse_existing
from kgrel.data.progress import Progress, Silent
from kgrel.data.tables import Format, TableReader, write_table
from kgrel.model.predictive import TILE
from kgrel.score.candidates import Columns, Resolver, find_columns
from kgrel.score.scorer import ADDED, NO_RELATION, Scored, Scorer, refuse_clash, score_chunk
from kgrel.score.settings import ScoreSettings


@dataclass
class ScoreSummary:
    """What scoring a list gave."""

    rows_in: int = 0
    rows_out: int = 0
    status: Counter[str] = field(default_factory=Counter)
    """Rows by status."""
    relations: Counter[str] = field(default_factory=Counter)
    """Scored rows by relation."""

    def count(self, scored: Scored, rows_out: int) -> None:
        """Add a chunk."""
        self.rows_in += len(scored.status)
        self.rows_out += rows_out
        self.status.update(scored.status.tolist())
        self.relations.update(name for name in scored.columns["relation"].to_pylist() if name is not None)

    def to_json(self) -> dict[str, object]:
        """Plain values for printing."""
        predicted = sum(count for name, count in self.relations.items() if name != NO_RELATION)
        return {
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "status": dict(sorted(self.status.items())),
            "predicted": predicted,
            "relations": dict(sorted(self.relations.items())),
        }


def score_file(
    scorer: Scorer,
    candidates: str | Path,
    out: str | Path,
    settings: ScoreSettings | None = None,
    *,
    input_format: Format | None = None,
    output_format: Format | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ScoreSummary:
    """Score each row of a list: one row out for each row in, in order, every column kept.

    Args:
        candidates: csv, tsv, jsonl or parquet with a column for each side of the pair; ``-`` is standard input.
        out: likewise; ``-`` is standard output. The file appears whole or not at all.

    Raises:
        InputError: the list cannot be read; with ``on_unknown="error"`` the first row that cannot be scored.
        KgrelError: a column is missing or would be overwritten; ``out`` exists and ``overwrite`` is false.
    """
    settings, progress = settings or ScoreSettings(), progress or Silent()
    if settings.chunk_rows % TILE or settings.chunk_rows < TILE:
        raise KgrelError(f"--chunk-rows must be a multiple of {TILE}, not {settings.chunk_rows}")
    if str(out) != "-":
        refuse_existing(Path(out), overwrite)
    summary, resolver = ScoreSummary(), Resolver(scorer.entities)
    with TableReader(candidates, input_format, settings.chunk_rows) as reader:
        columns = find_columns(reader.columns, reader.path)
        refuse_clash(reader.columns, settings.prefix, reader.path)
        added = [pa.field(settings.prefix + name, type_) for name, type_ in ADDED.items()]
        schema = pa.schema([*reader.schema, *added])
        progress.start("score-pairs", None)
        with write_table(out, schema, output_format, overwrite) as writer:
            for lines, table in reader.numbered():
                scored = score_chunk(scorer, resolver, table, columns)
                refuse_unscored(settings, reader.path, lines, table, columns, scored)
                answer = joined(table, scored, schema)
                if settings.on_unknown == "skip":
                    answer = answer.filter(pa.array(scored.status == "ok"))
                writer.write(answer)
                summary.count(scored, answer.num_rows)
                progress.advance(table.num_rows)
    return summary


def joined(table: pa.Table, scored: Scored, schema: pa.Schema) -> pa.Table:
    """The chunk with its added columns."""
    return pa.table([*table.columns, *scored.columns.values()], schema=schema)


def refuse_unscored(
    settings: ScoreSettings, path: str, lines: np.ndarray, table: pa.Table, columns: Columns, scored: Scored
) -> None:
    """With ``on_unknown="error"``, raise for the first row that cannot be scored."""
    bad = np.flatnonzero(scored.status != "ok")
    if settings.on_unknown != "error" or not len(bad):
        return
    row = int(bad[0])
    source, target = (table.column(name)[row].as_py() for name in (columns.source, columns.target))
    message = f"the pair {source!r}, {target!r} cannot be scored: {scored.status[row]}"
    raise InputError(path, message, int(lines[row]))
