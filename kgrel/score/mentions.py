"""``classify-mentions``: one row out for each sentence in, every column kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.errors import InputError, KgrelError, PassingError
from kgrel.data.files import refuse_existing
from kgrel.data.parts import Parts
from kgrel.data.progress import Progress, Silent
from kgrel.data.tables import Format, TableWriter, refuse_output, write_table
from kgrel.score.scorer import refuse_clash, spread
from kgrel.score.settings import ClassifySettings
from kgrel.text.mention_readers import MentionChunk, MentionReader
from kgrel.text.mentions import context_words, said_of
from kgrel.train.mention_data import Encoded
from kgrel.train.mention_model import MentionModel

ADDED = {
    "relation": pa.string(),
    "best_relation": pa.string(),
    "score": pa.float64(),
    "score_std": pa.float64(),
    "status": pa.string(),
}
"""The columns that classifying adds, in order."""
UNKNOWN_TYPES = {"unknown_types": "no relation between entities of these two types was there in training"}
"""The status that depends on the model, beside :data:`kgrel.text.mentions.PROBLEMS`."""

Rows = npt.NDArray[np.int64]


@dataclass
class ClassifySummary:
    """What classifying an input gave."""

    rows_in: int = 0
    rows_out: int = 0
    status: Counter[str] = field(default_factory=Counter)
    """Rows by status."""
    relations: Counter[str] = field(default_factory=Counter)
    """Classified rows by relation."""
    sentences_cut: int = 0
    """Sentences that were cut around their mentions, being too long; not counted in chunks of an earlier run."""

    def to_json(self) -> dict[str, Any]:
        """Plain values for printing."""
        plain = asdict(self)
        return plain | {key: dict(sorted(plain[key].items())) for key in ("status", "relations")}


@dataclass(frozen=True)
class Prepared:
    """The readable sentences of a chunk in the rows of a model."""

    rows: Rows
    """Their places in the chunk."""
    encoded: Encoded
    status: npt.NDArray[np.object_]
    """Of every row of the chunk."""
    cut: int


def prepare(model: MentionModel, chunk: MentionChunk) -> Prepared:
    """Encode what can be read of a chunk, and say why the rest cannot."""
    status = np.full(len(chunk.read), "ok", dtype=object)
    rows, contexts, types, cut = [], [], [], 0
    for row, statement in enumerate(chunk.read):
        words = None if isinstance(statement, str) else context_words(statement)
        if isinstance(statement, str) or words is None:
            status[row] = statement if isinstance(statement, str) else "too_far"
            continue
        rows.append(row)
        contexts.append(words[0])
        types.append(statement.types)
        cut += words[1]
    encoded, places = model.encode(contexts, types), np.array(rows, np.int64)
    known = model.known(encoded)
    status[places[~known]] = "unknown_types"
    kept = np.flatnonzero(known).tolist()
    if len(kept) < len(rows):
        encoded = model.encode([contexts[row] for row in kept], [types[row] for row in kept])
    return Prepared(places[known], encoded, status, cut)


def refuse_bad(path: str, chunk: MentionChunk, prepared: Prepared) -> None:
    """Raise :class:`InputError` for the first row that cannot be classified."""
    bad = np.flatnonzero(prepared.status != "ok")
    if len(bad):
        row = int(bad[0])
        raise InputError(path, said_of(prepared.status[row], UNKNOWN_TYPES), int(chunk.lines[row]))


class MentionScorer:
    """Classifies the chunks of one input."""

    def __init__(self, model: MentionModel, reader: MentionReader, settings: ClassifySettings) -> None:
        self.model, self.reader, self.settings = model, reader, settings
        refuse_clash(reader.schema.names, settings.prefix, reader.path, ADDED)
        self.schema = pa.schema([*reader.schema, *(pa.field(settings.prefix + n, t) for n, t in ADDED.items())])

    def classify(self, chunk: MentionChunk) -> tuple[pa.Table, int]:
        """A chunk with its added columns, and how many of its sentences were cut."""
        prepared = prepare(self.model, chunk)
        if self.settings.on_bad == "error":
            refuse_bad(self.reader.path, chunk, prepared)
        table = chunk.table
        for name, values in self.answers(prepared, len(chunk.read)).items():
            table = table.append_column(self.settings.prefix + name, pa.array(values, ADDED[name]))
        return table.cast(self.schema), prepared.cut

    def answers(self, prepared: Prepared, size: int) -> dict[str, npt.NDArray[np.object_]]:
        """The added columns of a chunk of ``size`` rows."""
        mean, std = self.model.predict(prepared.encoded)
        given, number, score = self.model.decide(mean)
        names = np.array(self.model.classes, dtype=object)
        columns = {
            "relation": names[given],
            "best_relation": names[number],
            "score": score,
            "score_std": std[np.arange(len(number)), number],
        }
        spread_out = {name: spread(values, prepared.rows, size) for name, values in columns.items()}
        return spread_out | {"status": prepared.status}


def classify_file(
    model: MentionModel,
    reader: MentionReader,
    out: str | Path,
    settings: ClassifySettings | None = None,
    *,
    output_format: Format | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ClassifySummary:
    """Classify each row of an input: one row out for each row in, in order, every column kept.

    Killed at any time and started again with the same arguments, it goes on behind the last finished chunk and writes
    the same file (not where input or output is a stream).

    Raises:
        InputError: the input cannot be read; with ``on_bad="error"`` the first row that cannot be classified.
        KgrelError: a column would be overwritten; ``out`` exists and ``overwrite`` is false.
    """
    settings, progress, summary = settings or ClassifySettings(), progress or Silent(), ClassifySummary()
    if str(out) != "-":
        refuse_existing(Path(out), overwrite)
    scorer = MentionScorer(model, reader, settings)
    progress.start("classify-mentions", None)
    if "-" in (str(out), reader.path):
        with write_table(out, scorer.schema, output_format, overwrite) as writer:
            for table in classified(scorer, None, summary, progress):
                emit(table, writer, summary, settings)
        return summary
    format = refuse_output(out, scorer.schema, output_format, overwrite)  # before the work, not after it
    parts = Parts(Path(out), identity(model, reader, settings))
    try:
        with parts.whole(Path(out), overwrite) as path, write_table(path, scorer.schema, format) as writer:
            for table in classified(scorer, parts, summary, progress):
                emit(table, writer, summary, settings)
    except PassingError:
        raise
    except KgrelError:
        parts.delete()  # the input or the options are wrong: nothing of this run will be needed again
        raise
    parts.delete()
    return summary


def classified(
    scorer: MentionScorer, parts: Parts | None, summary: ClassifySummary, progress: Progress
) -> Iterator[pa.Table]:
    """The chunks in order, each classified or taken from the finished parts."""
    for number, chunk in enumerate(scorer.reader.chunks()):
        if parts is not None and number in parts:
            yield parts.read(number)
            continue
        table, cut = scorer.classify(chunk)
        if parts is not None:
            parts.write(number, table)
        summary.sentences_cut += cut
        progress.advance(table.num_rows)
        yield table


def emit(table: pa.Table, writer: TableWriter, summary: ClassifySummary, settings: ClassifySettings) -> None:
    """Count a chunk and write the rows that are wanted."""
    status, relations = (table.column(settings.prefix + name).to_pylist() for name in ("status", "relation"))
    summary.rows_in += table.num_rows
    summary.status.update(status)
    summary.relations.update(name for name in relations if name is not None)
    if settings.on_bad == "skip":
        table = table.filter(pa.array([one == "ok" for one in status], pa.bool_()))
    writer.write(table)
    summary.rows_out += table.num_rows


def identity(model: MentionModel, reader: MentionReader, settings: ClassifySettings) -> dict[str, Any]:
    """Everything that the classified chunks depend on."""
    path = Path(reader.path).resolve()
    state = path.stat()
    thresholds = hashlib.sha256(np.asarray(model.thresholds).astype(str).tobytes()).hexdigest()
    return {
        "model": [model.artifact.hash if model.artifact is not None else "", thresholds],
        "input": [str(path), state.st_size, state.st_mtime_ns, asdict(reader.settings)],
        "settings": asdict(settings),
    }
