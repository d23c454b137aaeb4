"""Scoring a candidate file chunk by chunk, in constant memory.

    read ahead ─▶ score ─▶ written behind: the part, and its rows of the output

The parts stand beside the output until it is whole; a killed run takes its rows from them and goes on behind the last.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from kgrel.data.errors import InputError, KgrelError, PassingError
from kgrel.data.files import compression_of, refuse_existing
from kgrel.data.parts import Parts
from kgrel.data.progress import Progress, Silent
from kgrel.data.tables import Format, TableReader, TableWriter, refuse_output, write_table
from kgrel.model.predictive import TILE
from kgrel.score.candidates import SCORED, Columns, Resolver, find_columns, refuse_types
from kgrel.score.confidence import wanted_of
from kgrel.score.scorer import NO_RELATION, Scored, Scorer, added_columns, refuse_clash, score_chunk
from kgrel.score.settings import ScoreSettings

T = TypeVar("T")
REASON = "probability_reason"
"""A column of the parts alone: counted in the summary, and not written."""


@dataclass
class ScoreSummary:
    """What scoring a list gave."""

    rows_in: int = 0
    rows_out: int = 0
    status: Counter[str] = field(default_factory=Counter)
    """Rows by status."""
    relations: Counter[str] = field(default_factory=Counter)
    """Scored rows by relation."""
    resumed_rows: int = 0
    """Rows that an earlier, killed run had scored already."""
    probability: Counter[str] = field(default_factory=Counter)
    """Scored rows by why they have a probability (calibrated), or have none."""

    def count(self, table: pa.Table, prefix: str) -> None:
        """Add a scored chunk."""
        self.rows_in += table.num_rows
        counters = {"status": self.status, "relation": self.relations, REASON: self.probability}
        for name, counter in counters.items():
            for entry in pc.value_counts(table.column(prefix + name)).to_pylist():
                if entry["values"] is not None:
                    counter[entry["values"]] += entry["counts"]

    def to_json(self) -> dict[str, object]:
        """Plain values for printing."""
        predicted = sum(count for name, count in self.relations.items() if name != NO_RELATION)
        return {
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "resumed_rows": self.resumed_rows,
            "status": dict(sorted(self.status.items())),
            "predicted": predicted,
            "relations": dict(sorted(self.relations.items())),
            "probability": dict(sorted(self.probability.items())),
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
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> ScoreSummary:
    """Score each row of a list: one row out for each row in, in order, every column kept.

    Killed at any time and started again with the same arguments, it goes on behind the last finished chunk and
    writes the same file (not where the list or the output is a stream).

    Args:
        candidates: csv, tsv, jsonl or parquet with a column for each side of the pair; ``-`` is standard input.
        out: likewise; ``-`` is standard output. The file appears whole or not at all.
        engine: what fills the parts; this process by default.

    Raises:
        InputError: the list cannot be read; with ``on_unknown="error"`` the first row that cannot be scored.
        KgrelError: a column is missing or would be overwritten; ``out`` exists and ``overwrite`` is false; an engine
            is given and the list or the output is a stream.
        PassingError: memory does not suffice, or ``out`` came to be there meanwhile.
    """
    settings, progress = settings or ScoreSettings(), progress or Silent()
    if settings.chunk_rows % TILE or settings.chunk_rows < TILE:
        raise KgrelError(f"--chunk-rows must be a multiple of {TILE}, not {settings.chunk_rows}")
    streamed = str(out) == "-"
    if engine is not None and "-" in (str(out), str(candidates)):
        raise KgrelError("standard input and output are scored by the local engine only; give files")
    if not streamed:
        refuse_existing(Path(out), overwrite)
    summary = ScoreSummary()
    with TableReader(candidates, input_format, settings.chunk_rows) as reader:
        job = Job(scorer, reader, settings, progress)
        progress.start("score-pairs", expected_rows(reader))
        if streamed or reader.path == "-":
            with write_table(out, job.schema, output_format, overwrite) as writer:
                tables = (table for _, table in job.scored())
                behind(lambda _, table: emit(table, writer, summary, settings), tables)
            return summary
        format = refuse_output(out, job.schema, output_format, overwrite)  # before the work, not after it
        parts = Parts(Path(out), identity(scorer, reader, settings))
        try:
            with parts.whole(Path(out), overwrite) as path, write_table(path, job.schema, format) as writer:

                def keep(number: int, table: pa.Table | None) -> None:
                    if table is None:
                        table = parts.read(number)
                    else:
                        parts.write(number, table)
                    emit(table, writer, summary, settings)

                behind(keep, (engine or local)(parts, job, summary))
        except PassingError:
            raise
        except KgrelError:
            parts.delete()  # the list or the options are wrong: nothing of this run will be needed again
            raise
        parts.delete()
    return summary


class ChunkScorer:
    """Scores the chunks of one list.

    Args:
        path: the list's file, for messages.
        schema: the list's columns.
    """

    def __init__(
        self, scorer: Scorer, path: str, schema: pa.Schema, settings: ScoreSettings, progress: Progress
    ) -> None:
        self.scorer, self.path, self.settings, self.progress = scorer, path, settings, progress
        self.resolver = Resolver(scorer.entities)
        self.columns = find_columns(schema.names, path)
        refuse_types(schema, self.columns, path)
        self.wanted = wanted_of(scorer, scorer.classes, settings.uncertainty, settings.base_rate)
        types = added_columns(scorer, self.wanted)
        refuse_clash(schema.names, settings.prefix, path, [*types, REASON])
        added = [pa.field(settings.prefix + name, type_) for name, type_ in types.items()]
        self.schema = pa.schema([*schema, *added])
        self.part_schema = self.schema.append(pa.field(settings.prefix + REASON, pa.string()))

    def score(self, lines: np.ndarray, table: pa.Table) -> pa.Table:
        """One chunk, halved as long as memory does not suffice."""
        try:
            scored = score_chunk(self.scorer, self.resolver, table, self.columns, self.wanted)
        except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if table.num_rows <= TILE:
                message = f"memory does not suffice for {table.num_rows} pairs; free some, and the same command goes on"
                raise PassingError(message) from None
            half = -(-table.num_rows // (2 * TILE)) * TILE
            self.progress.say(f"score-pairs: out of memory, going on with {half:,} rows at a time")
            first, second = slice(0, half), slice(half, None)
            tables = [self.score(lines[first], table[first]), self.score(lines[second], table[second])]
            return pa.concat_tables(tables)
        refuse_unscored(self.settings, self.path, lines, table, self.columns, scored)
        columns = [*table.columns, *scored.columns.values(), scored.reasons]
        return pa.table(columns, schema=self.part_schema)


class Job(ChunkScorer):
    """One list on its way through a scorer, in this process."""

    def __init__(self, scorer: Scorer, reader: TableReader, settings: ScoreSettings, progress: Progress) -> None:
        super().__init__(scorer, reader.path, reader.schema, settings, progress)
        self.reader = reader

    def scored(self, finished: Parts | None = None) -> Iterator[tuple[int, pa.Table | None]]:
        """Rows of each chunk, and the chunk with its added columns; None for a chunk that is among ``finished``."""
        for number, (lines, table) in enumerate(read_ahead(self.reader.numbered())):
            done = finished is not None and number in finished
            yield table.num_rows, None if done else self.score(lines, table)
            self.progress.advance(table.num_rows)


Engine = Callable[[Parts, Job, ScoreSummary], Iterable[pa.Table | None]]
"""The scored chunks in order; None for one that stands among the parts."""


def local(parts: Parts, job: Job, summary: ScoreSummary) -> Iterator[pa.Table | None]:
    """The :data:`Engine` of this process."""
    for rows, table in job.scored(parts):
        if table is None:
            summary.resumed_rows += rows
        yield table


def behind(work: Callable[[int, T], None], items: Iterable[T]) -> None:
    """Work on each item and its number, in order, in a thread behind the one that makes the items."""
    with ThreadPoolExecutor(1) as pool:
        before: Future[None] | None = None
        for number, item in enumerate(items):
            if before is not None:
                before.result()
            before = pool.submit(work, number, item)
        if before is not None:
            before.result()


def emit(table: pa.Table, writer: TableWriter, summary: ScoreSummary, settings: ScoreSettings) -> None:
    """Count a scored chunk and write the rows that are wanted."""
    summary.count(table, settings.prefix)
    if settings.on_unknown == "skip":
        table = table.filter(pc.is_in(table.column(settings.prefix + "status"), pa.array(SCORED)))
    writer.write(table.drop_columns([settings.prefix + REASON]))
    summary.rows_out += table.num_rows


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next one being read while the present one is used."""
    nothing = object()
    with ThreadPoolExecutor(1) as pool:
        future: Future[Any] = pool.submit(next, items, nothing)
        while (item := future.result()) is not nothing:
            future = pool.submit(next, items, nothing)
            yield item


def identity(scorer: Scorer, reader: TableReader, settings: ScoreSettings) -> dict[str, Any]:
    """Everything that the scored chunks depend on."""
    path = Path(reader.path).resolve()
    state = path.stat()
    artifacts = [getattr(one, "artifact", None) for one in (scorer, *getattr(scorer, "members", ()))]
    names = [artifact.hash if artifact is not None else type(scorer).__name__ for artifact in artifacts]
    weights = hashlib.sha256(np.asarray(scorer.thresholds).tobytes()).hexdigest()
    return {
        "scorer": [*names, weights],
        "list": [str(path), state.st_size, state.st_mtime_ns, reader.format],
        "settings": asdict(settings),
    }


def expected_rows(reader: TableReader) -> int | None:
    """About how many rows a file has, for the time left; None where counting would cost too much."""
    if reader.path == "-" or compression_of(reader.path):
        return None
    if reader.format == "parquet":
        rows: int = pq.read_metadata(reader.path).num_rows
        return rows
    with Path(reader.path).open("rb") as stream:
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    return max(0, lines - (reader.format != "jsonl"))


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice; torch's CPU allocator raises a plain RuntimeError."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def refuse_unscored(
    settings: ScoreSettings, path: str, lines: np.ndarray, table: pa.Table, columns: Columns, scored: Scored
) -> None:
    """With ``on_unknown="error"``, raise for the first row that cannot be scored."""
    bad = np.flatnonzero(~np.isin(scored.status, SCORED))
    if settings.on_unknown != "error" or not len(bad):
        return
    row = int(bad[0])
    source, target = (table.column(name)[row].as_py() for name in (columns.source, columns.target))
    message = f"the pair {source!r}, {target!r} cannot be scored: {scored.status[row]}"
    raise InputError(path, message, int(lines[row]))
