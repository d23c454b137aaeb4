"""The ray engine writes what the local engine writes, whoever is killed in the middle.

Tests with ``in_process`` run the actors here and check the engine; those with ``mark`` run on Ray and are skipped
where it is not installed.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kgrel.data.errors import InputError, KgrelError, PassingError
from kgrel.data.tables import TableReader, write_table
from kgrel.score.ray_engine import ChunkActor, RayEngine, Task, refuse_foreign, running
from kgrel.score.scorer import ADDED
from kgrel.score.settings import RaySettings, ScoreSettings
from kgrel.score.stream import ChunkScorer, score_file
from kgrel.train.pair_model import PairModel

CHUNK = ScoreSettings(chunk_rows=512)
TWO = RaySettings(actors=2)


@pytest.fixture(scope="module")
def mark() -> Iterator[str]:
    """A Ray of two workers on this machine; the text stands in the environment of each of its processes."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs the extra kgrel[ray]")
    import ray

    name = f"KGREL_TEST_{uuid.uuid4().hex}"
    os.environ |= {name: "1", "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    ray.init(
        num_cpus=2, object_store_memory=200 * 2**20, include_dashboard=False, logging_level="ERROR",
        log_to_driver=False, _node_ip_address="127.0.0.1",
    )  # fmt: skip
    yield name
    ray.shutdown()
    del os.environ[name]


class HereEngine(RayEngine):
    """The engine with one actor in this process instead of many on Ray."""

    def _score(self, task: Task, numbers: list[int]) -> Iterator[int]:
        actor = ChunkActor(task)
        for number in numbers:
            yield from self.rows_of(actor({"number": np.array([number])}))


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> type[RayEngine]:
    """An engine that needs no Ray."""
    monkeypatch.setattr("kgrel.score.ray_engine.import_ray", lambda: None)
    monkeypatch.setattr("kgrel.score.ray_engine.refuse_foreign", lambda ray: None)
    monkeypatch.setattr("kgrel.score.ray_engine.running", lambda ray, address: nullcontext())
    return HereEngine


def random_list(model: PairModel, path: Path, rows: int) -> Path:
    """Pairs in any spelling with a column of their row numbers, some of them of nobody."""
    rng, entities = np.random.default_rng(0), model.entities
    names = [f"{type_}::{id_}" for type_, id_ in zip(entities.types, entities.ids, strict=True)] + ["Gene::nobody"]
    source, target = (pa.array([names[row] for row in rng.integers(len(names), size=rows)]) for _ in range(2))
    table = pa.table({"row": [str(row) for row in range(rows)], "source": source, "target": target})
    with write_table(path, table) as writer:
        writer.write(table)
    return path


def table_of(path: Path) -> pa.Table:
    reader = TableReader(path)
    return pa.concat_tables([reader.schema.empty_table(), *reader])


def workers(mark: str) -> list[int]:
    """Processes of the actors of the Ray that bears the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            except OSError:
                continue
            if command.startswith(b"ray::MapWorker") and mark.encode() in environment:
                found.append(int(entry.name))
    return found


def assert_equal_answers(one: pa.Table, other: pa.Table) -> None:
    """The same rows, order, columns and types; scores to 1e-6."""
    assert other.schema == one.schema
    inexact = ["score", "score_std"]
    assert other.drop_columns(inexact).equals(one.drop_columns(inexact))
    for name in inexact:
        values = [np.array([float(v or 0) for v in table[name].to_pylist()]) for table in (one, other)]
        np.testing.assert_allclose(values[1], values[0], atol=1e-6, rtol=0)


class Kills:
    """Progress that kills one actor when the first rows are done, and looks how many parts there are then."""

    def __init__(self, mark: str, parts: Path) -> None:
        self.mark, self.parts, self.units, self.parts_at_kill = mark, parts, 0, 0

    def start(self, task: str, total: int | None) -> None: ...

    def say(self, message: str) -> None: ...

    def advance(self, units: int, note: str = "") -> None:
        self.units += units
        if units and not self.parts_at_kill:
            os.kill(workers(self.mark)[0], signal.SIGKILL)
            self.parts_at_kill = len(list(self.parts.glob("*.arrow")))


def test_an_actor_killed_in_the_middle_costs_nothing(
    mark: str, pairs_path: Path, pair_model: PairModel, tmp_path: Path
) -> None:
    chunks = 150
    candidates = random_list(pair_model, tmp_path / "list.parquet", chunks * 512)
    score_file(pair_model, candidates, tmp_path / "local.parquet", CHUNK)
    kills = Kills(mark, tmp_path / ".ray.parquet.parts")
    engine = RayEngine(pairs_path, TWO)
    summary = score_file(pair_model, candidates, tmp_path / "ray.parquet", CHUNK, engine=engine, progress=kills)
    assert 0 < kills.parts_at_kill < chunks
    assert kills.units == summary.rows_in == summary.rows_out == chunks * 512
    assert_equal_answers(table_of(tmp_path / "local.parquet"), table_of(tmp_path / "ray.parquet"))


@pytest.mark.nightly
def test_on_ray_the_first_row_that_cannot_be_scored_is_named_as_by_the_local_engine(
    mark: str, pairs_path: Path, pair_model: PairModel, tmp_path: Path
) -> None:
    candidates = random_list(pair_model, tmp_path / "list.csv", 3000)
    strict = ScoreSettings(chunk_rows=512, on_unknown="error")
    messages = []
    for engine in (None, RayEngine(pairs_path, TWO)):
        with pytest.raises(InputError, match=r"list\.csv, line \d+: the pair .* cannot be scored") as failure:
            score_file(pair_model, candidates, tmp_path / "scored.csv", strict, engine=engine)
        messages.append(str(failure.value))
        assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]
    assert messages[0] == messages[1]


@pytest.mark.parametrize(("from_", "to"), [("parquet", "parquet"), ("csv", "csv"), ("tsv", "jsonl"), ("jsonl", "tsv")])
def test_rows_order_columns_and_scores_are_those_of_the_local_engine(
    in_process: type[RayEngine], pairs_path: Path, pair_model: PairModel, tmp_path: Path, from_: str, to: str
) -> None:
    candidates = random_list(pair_model, tmp_path / f"list.{from_}", 2000)
    local = score_file(pair_model, candidates, tmp_path / f"local.{to}", CHUNK)
    ray = score_file(pair_model, candidates, tmp_path / f"ray.{to}", CHUNK, engine=in_process(pairs_path))
    assert_equal_answers(table_of(tmp_path / f"local.{to}"), table_of(tmp_path / f"ray.{to}"))
    assert ray.to_json() == local.to_json()
    assert not list(tmp_path.glob(".*"))


class Stops:
    """Progress that ends the run after the first rows, as an interrupt would."""

    def start(self, task: str, total: int | None) -> None: ...

    def say(self, message: str) -> None: ...

    def advance(self, units: int, note: str = "") -> None:
        if units:
            raise KeyboardInterrupt


@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize("first_is_local", [True, False])
def test_either_engine_goes_on_where_the_other_was_stopped(
    in_process: type[RayEngine], pairs_path: Path, pair_model: PairModel, tmp_path: Path, format: str,
    first_is_local: bool,
) -> None:  # fmt: skip
    candidates, out = random_list(pair_model, tmp_path / f"list.{format}", 3000), tmp_path / "scored.csv"
    score_file(pair_model, candidates, tmp_path / "whole.csv", CHUNK)
    first, second = None, in_process(pairs_path)
    if not first_is_local:
        first, second = second, first
    with pytest.raises(KeyboardInterrupt):
        # The local engine writes behind its progress; with the first rows told of, the first part is not there yet.
        score_file(pair_model, candidates, out, CHUNK, engine=first, progress=Stops())
    done = len(list(tmp_path.glob(".scored.csv.parts/0*.arrow")))
    assert score_file(pair_model, candidates, out, CHUNK, engine=second).resumed_rows == done * 512
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_list_without_rows(
    in_process: type[RayEngine], pairs_path: Path, pair_model: PairModel, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text("source,target\n")
    engine = in_process(pairs_path)
    assert score_file(pair_model, tmp_path / "list.csv", tmp_path / "ray.parquet", engine=engine).rows_in == 0
    assert pq.read_table(tmp_path / "ray.parquet").column_names == ["source", "target", *ADDED]


def test_streams_and_wrong_numbers_are_refused(
    in_process: type[RayEngine], pairs_path: Path, pair_model: PairModel, tmp_path: Path
) -> None:
    with pytest.raises(KgrelError, match="--actors must be 0 or more, not -1"):
        RayEngine(pairs_path, RaySettings(actors=-1))
    with pytest.raises(KgrelError, match="scored by the local engine only"):
        score_file(pair_model, tmp_path / "list.csv", "-", engine=in_process(pairs_path), output_format="csv")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hash": "another"}, "is not the same artifact on every machine"),
        ({"parts": "/nowhere"}, "/nowhere is not to be seen from every machine"),
    ],
)
def test_what_differs_between_machines_is_refused(
    in_process: type[RayEngine], pairs_path: Path, pair_model: PairModel, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], message: str,
) -> None:  # fmt: skip
    candidates, engine = random_list(pair_model, tmp_path / "list.csv", 600), in_process(pairs_path)
    task_of: Any = engine._task
    monkeypatch.setattr(engine, "_task", lambda *given: dataclasses.replace(task_of(*given), **changed))
    with pytest.raises(PassingError, match=message):
        score_file(pair_model, candidates, tmp_path / "scored.csv", CHUNK, engine=engine)


def test_an_actor_whose_memory_does_not_suffice_costs_no_finished_chunk(
    in_process: type[RayEngine], pairs_path: Path, pair_model: PairModel, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    candidates, out = random_list(pair_model, tmp_path / "list.csv", 2000), tmp_path / "scored.csv"
    score, done = ChunkScorer.score, []

    def fails_later(self: ChunkScorer, lines: np.ndarray, table: pa.Table) -> pa.Table:
        if len(done) == 2:
            raise PassingError("memory does not suffice")
        done.append(table.num_rows)
        return score(self, lines, table)

    with monkeypatch.context() as patch:
        patch.setattr(ChunkScorer, "score", fails_later)
        with pytest.raises(PassingError, match="memory does not suffice"):
            score_file(pair_model, candidates, out, CHUNK, engine=in_process(pairs_path))
    assert score_file(pair_model, candidates, out, CHUNK, engine=in_process(pairs_path)).resumed_rows == sum(done) > 0


@pytest.mark.parametrize("version", ["0.0.1", None])
def test_workers_with_another_kgrel_or_none_are_refused(version: str | None) -> None:
    """Ray Data would start actors that cannot load again and again."""

    class RayError(Exception):
        """What Ray raises where a worker fails."""

    def get(version_there: str | None) -> str:
        if version_there is None:
            raise RayError("No module named 'kgrel'\nand a long log")
        return version_there

    ray = SimpleNamespace(
        get=get,
        remote=lambda **options: lambda function: SimpleNamespace(remote=lambda: version),
        exceptions=SimpleNamespace(RayError=RayError),
    )
    said = version or "none .No module named 'kgrel'."
    with pytest.raises(KgrelError, match=f"kgrel on the workers of Ray: {said}; install .* on every machine"):
        refuse_foreign(ray)


def test_no_cluster_at_an_address_is_said() -> None:
    def init(**options: Any) -> None:
        raise ConnectionError("nobody there\nlong log")

    ray = SimpleNamespace(is_initialized=lambda: False, init=init)
    with (
        pytest.raises(KgrelError, match=r"no Ray at auto \(nobody there\); start it with: ray start --head"),
        running(ray, "auto"),
    ):
        pass


def test_what_is_done_stays_where_the_machines_fail(
    in_process: type[RayEngine], pairs_path: Path, pair_model: PairModel, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    candidates, out = random_list(pair_model, tmp_path / "list.csv", 2000), tmp_path / "scored.csv"
    engine = in_process(pairs_path)
    score: Any = engine._score

    def fails(task: Task, numbers: list[int]) -> Iterator[int]:
        yield from score(task, numbers[:2])
        raise PassingError("the cluster is gone")

    monkeypatch.setattr(engine, "_score", fails)
    with pytest.raises(PassingError):
        score_file(pair_model, candidates, out, CHUNK, engine=engine)
    assert not out.exists()
    assert score_file(pair_model, candidates, out, CHUNK).resumed_rows == 2 * 512


def test_without_ray_the_extra_is_named(pairs_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(KgrelError, match=r"needs Ray; install it with: pip install 'kgrel\[ray\]'"):
        RayEngine(pairs_path)
