"""Scoring a candidate file on Ray Data, on this machine or a cluster, with the answer of the local engine.

    numbers of chunks ─▶ actors that hold the model: read a chunk, score it, write its part ─▶ the output, whole

Rows never pass through the driver before the end: only numbers of chunks go out and counts of rows come back. The
artifact, the list and the place of the output must be seen under the same path from every machine. The parts are
those of the local engine, so a killed run goes on with either of the two.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kgrel import __version__
from kgrel.data.errors import ArtifactError, InputError, KgrelError, PassingError
from kgrel.data.parts import Parts
from kgrel.data.progress import Silent
from kgrel.score.chunks import ArrowChunks, Chunks, ParquetChunks, chunks_of
from kgrel.score.opening import open_scorer
from kgrel.score.settings import RaySettings, ScoreSettings
from kgrel.score.stream import ChunkScorer, Job, ScoreSummary

CUT = "list.cut"
CPU_SHARE = 0.5
"""Of a slot for each actor: actors that held every slot would leave none to the tasks that feed them, for ever."""
OBJECT_STORE_BYTES = 200 * 2**20
"""Of a Ray that is started here; only numbers of chunks and counts pass through it."""
MAX_BLOCKS = 10_000
"""Ray tasks of a run at most; beyond it, a task has several chunks."""

OUTCOME = ("rows", "path", "message", "line", "passing")
"""What an actor says of a chunk: its rows, or the parts of a stated failure, and whether the machine failed."""

Batch = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What an actor has to know."""

    pairs: str
    """Path of the PAIRS artifact."""
    hash: str
    """Of the artifact that the driver opened."""
    path: str
    """The list, for messages."""
    chunks: str
    """The file that the chunks are read from."""
    schema: bytes
    """The list's columns, as an Arrow schema."""
    parts: str
    settings: ScoreSettings


class ChunkActor:
    """Scores chunks by number, the model loaded once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._opened: tuple[Parts, Chunks, ChunkScorer] | None = None

    def __call__(self, batch: Batch) -> Batch:
        """Rows of each chunk of the column ``number``, or why it cannot be scored.

        A stated failure is an answer and no exception, which Ray would take for a fault of the machine and wrap.
        """
        outcomes = [self._score(int(number)) for number in batch["number"]]
        return {name: np.array(values) for name, values in zip(OUTCOME, zip(*outcomes, strict=True), strict=True)}

    def _score(self, number: int) -> tuple[int, str, str, int, bool]:
        try:
            parts, chunks, scorer = self._open()
            if number not in parts:  # a task that is done again after a crash finds its first chunks done
                parts.write(number, scorer.score(*chunks.read(number)))
        except InputError as error:
            return 0, error.path, error.message, error.line or 0, False
        except KgrelError as error:
            return 0, "", str(error), 0, isinstance(error, PassingError)
        return chunks.rows(number), "", "", 0, False

    def _open(self) -> tuple[Parts, Chunks, ChunkScorer]:
        if self._opened is None:
            task = self.task
            parts = Parts.join(Path(task.parts))
            model = open_scorer(task.pairs)
            artifact = getattr(model, "artifact", None)
            if artifact is None or artifact.hash != task.hash:
                raise PassingError(f"{task.pairs} is not the same artifact on every machine")
            schema = pa.ipc.read_schema(pa.py_buffer(task.schema))
            whole = Path(task.chunks)
            chunks = ArrowChunks(whole) if whole.name == CUT else ParquetChunks(whole, task.settings.chunk_rows)
            self._opened = parts, chunks, ChunkScorer(model, task.path, schema, task.settings, Silent())
        return self._opened


class RayEngine:
    """A :data:`kgrel.score.stream.Engine` of actors on Ray.

    Args:
        pairs: path of the PAIRS artifact, as every machine sees it.
        settings: where it computes.

    Raises:
        KgrelError: Ray is not installed, or the number of actors is negative.
    """

    def __init__(self, pairs: str | Path, settings: RaySettings | None = None) -> None:
        self.pairs, self.settings = Path(pairs).resolve(), settings or RaySettings()
        if self.settings.actors < 0:
            raise KgrelError(f"--actors must be 0 or more, not {self.settings.actors}")
        self.ray = import_ray()

    def __call__(self, parts: Parts, job: Job, summary: ScoreSummary) -> Iterator[None]:
        """Fill the parts; see :data:`kgrel.score.stream.Engine`.

        Raises:
            PassingError: no Ray cluster at the address, another kgrel there, workers that fail again and again, paths
                or an artifact that not every machine sees.
            KgrelError: what scoring raises.
        """
        cut_path = parts.directory.resolve() / CUT
        chunks = chunks_of(job.reader, cut_path)
        missing = [number for number in range(len(chunks)) if number not in parts]
        summary.resumed_rows = sum(map(chunks.rows, set(range(len(chunks))).difference(missing)))
        job.progress.advance(summary.resumed_rows)
        if missing:
            task = self._task(parts, job, cut_path)
            with running(self.ray, self.settings.address):
                refuse_foreign(self.ray)
                for rows in self._score(task, missing):
                    job.progress.advance(rows)
            if any(number not in parts for number in missing):
                raise PassingError(f"{parts.directory} is not shared by all machines; write --out to a disk that is")
        yield from itertools.repeat(None, len(chunks))

    def _task(self, parts: Parts, job: Job, cut_path: Path) -> Task:
        artifact = getattr(job.scorer, "artifact", None)
        if artifact is None:
            raise ArtifactError(f"{self.pairs}: the ray engine needs a PAIRS artifact on disk")
        whole = Path(job.path).resolve() if job.reader.in_place else cut_path
        schema = job.reader.schema.serialize().to_pybytes()
        directory = str(parts.directory.resolve())
        return Task(str(self.pairs), artifact.hash, job.path, str(whole), schema, directory, job.settings)

    def _score(self, task: Task, numbers: list[int]) -> Iterator[int]:
        """Rows of finished chunks, as they come."""
        data = self.ray.data
        context = data.DataContext.get_current()
        # In order, so that the first failure is the first of the list, as in the local engine.
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        cpus = int(self.ray.cluster_resources().get("CPU", 1))
        actors = min(self.settings.actors or cpus, len(numbers))
        dataset = data.from_items(
            [{"number": number} for number in numbers], override_num_blocks=min(len(numbers), MAX_BLOCKS)
        ).map_batches(
            ChunkActor,
            fn_constructor_args=(task,),
            batch_size=1,
            compute=data.ActorPoolStrategy(size=actors),
            num_cpus=min(CPU_SHARE, (cpus - 1) / actors),
        )
        try:
            for batch in dataset.iter_batches(batch_size=None):
                yield from self.rows_of(batch)
        except self.ray.exceptions.RayError as error:
            raise PassingError(f"Ray gave up ({first_line(error)}); the same command goes on from here") from None

    def rows_of(self, batch: Batch) -> Iterator[int]:
        """Rows of each chunk of an actor's answer.

        Raises:
            KgrelError: the first stated failure among them.
        """
        for rows, path, message, line, passing in zip(*(batch[name].tolist() for name in OUTCOME), strict=True):
            if message:
                plain = PassingError if passing else KgrelError
                raise InputError(path, message, line or None) if path else plain(message)
            yield rows


def import_ray() -> Any:
    """The module ``ray`` with Ray Data.

    Raises:
        KgrelError: it is not installed.
    """
    # Ray would otherwise report its use to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise KgrelError("the ray engine needs Ray; install it with: pip install 'kgrel[ray]'") from None
    return ray


def refuse_foreign(ray: Any) -> None:
    """Raise if a worker has no kgrel, or another one; Ray Data would start its actors again and again, for ever.

    Raises:
        PassingError: the versions differ.
    """

    def version_there() -> str:  # within a function, so that it travels by value and needs no kgrel to be read
        import kgrel

        return kgrel.__version__

    try:
        version = ray.get(ray.remote(num_cpus=CPU_SHARE)(version_there).remote())
    except ray.exceptions.RayError as error:
        version = f"none ({first_line(error)})"
    if version != __version__:
        raise PassingError(f"kgrel on the workers of Ray: {version}; install {__version__} on every machine")


def first_line(error: Exception) -> str:
    """What an error says, in short; Ray's are followed by the log of a worker."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def running(ray: Any, address: str) -> Iterator[None]:
    """Ray at an address, started here where none is given; one that runs in this process already is used and kept.

    Raises:
        PassingError: no cluster at the address.
    """
    if ray.is_initialized():
        yield
        return
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if not address:
        options |= {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its notes go to stderr past every logger
        options |= {"num_cpus": os.cpu_count(), "_node_ip_address": "127.0.0.1"}
    try:
        ray.init(address=address or "local", **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = address or "this machine"
        raise PassingError(f"no Ray at {where} ({first_line(error)}); start it with: ray start --head") from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()
