"""A killed scoring run goes on where it was and writes the same file; parts of another run are never used."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kgrel.data.parts import Parts
from kgrel.data.tables import write_table
from kgrel.score.settings import ScoreSettings
from kgrel.score.stream import score_file
from kgrel.train.pair_model import PairModel

CHUNK = ScoreSettings(chunk_rows=512)


def candidate_list(model: PairModel, path: Path, rows: int) -> Path:
    rng, ids = np.random.default_rng(0), np.array(model.entities.ids, dtype=object)
    table = pa.table({"source": rng.choice(ids, rows), "target": rng.choice(ids, rows), "row": np.arange(rows)})
    table = table.cast(pa.schema([("source", pa.string()), ("target", pa.string()), ("row", pa.string())]))
    with write_table(path, table) as writer:
        writer.write(table)
    return path


class Stops:
    """A scorer that is interrupted at one of its chunks, and counts them."""

    def __init__(self, inner: PairModel, at: int) -> None:
        self.inner, self.at, self.calls = inner, at, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def predict(self, heads: Any, tails: Any) -> Any:
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return self.inner.predict(heads, tails)


@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(
    pair_model: PairModel, tmp_path: Path, at: int, format: str
) -> None:
    candidates = candidate_list(pair_model, tmp_path / "list.csv", 2000)
    score_file(pair_model, candidates, tmp_path / f"whole.{format}", CHUNK)
    out, stops = tmp_path / f"scored.{format}", Stops(pair_model, at)
    with pytest.raises(KeyboardInterrupt):
        score_file(stops, candidates, out, CHUNK)
    assert not out.exists()
    counting = Stops(pair_model, -1)
    summary = score_file(counting, candidates, out, CHUNK)
    assert out.read_bytes() == (tmp_path / f"whole.{format}").read_bytes()
    assert counting.calls == 4 - (at - 1)
    assert summary.resumed_rows == 512 * (at - 1)
    assert summary.rows_in == summary.rows_out == 2000
    assert not list(tmp_path.glob(".*"))


def test_parts_of_another_list_are_not_used(pair_model: PairModel, tmp_path: Path) -> None:
    candidates, out = candidate_list(pair_model, tmp_path / "list.csv", 1500), tmp_path / "scored.csv"
    with pytest.raises(KeyboardInterrupt):
        score_file(Stops(pair_model, 2), candidates, out, CHUNK)
    lines = candidates.read_text().splitlines(keepends=True)
    candidates.write_text("".join([lines[0], *reversed(lines[1:])]))
    assert score_file(pair_model, candidates, out, CHUNK).resumed_rows == 0
    score_file(pair_model, candidates, tmp_path / "fresh.csv", CHUNK)
    assert out.read_bytes() == (tmp_path / "fresh.csv").read_bytes()


def test_a_part_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    parts, table = Parts(tmp_path / "out.csv", {"a": 1}), pa.table({"x": ["1", None, "é"]})
    parts.write(0, table)
    (parts.directory / "000000001.partial").write_bytes(b"half a part")
    again = Parts(tmp_path / "out.csv", {"a": 1})
    assert 0 in again
    assert 1 not in again
    assert again.read(0).equals(table)
    assert 0 not in Parts(tmp_path / "out.csv", {"a": 2})


def killed_runs(pairs_path: Path, candidates: Path, out: Path, kills: int, seed: int) -> None:
    """Start the command again and again, killing it at random moments, then let it finish."""
    rng = random.Random(seed)
    command = [sys.executable, "-m", "kgrel_cli", "score-pairs", str(pairs_path), str(candidates), "--out", str(out)]
    command += ["--chunk-rows", "512"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    parts = out.with_name(f".{out.name}.parts")
    for _ in range(kills):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = len(list(parts.glob("*.arrow"))) + rng.randint(0, 12)
        while process.poll() is None and len(list(parts.glob("*.arrow"))) < wanted:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            return
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.nightly)])
def test_sigkill_at_random_moments_loses_and_doubles_nothing(
    pairs_path: Path, pair_model: PairModel, tmp_path: Path, kills: int
) -> None:
    candidates, seed = candidate_list(pair_model, tmp_path / "list.csv", 60_000), random.randrange(10**6)
    score_file(pair_model, candidates, tmp_path / "whole.csv", CHUNK)
    killed_runs(pairs_path, candidates, tmp_path / "scored.csv", kills, seed)
    assert (tmp_path / "scored.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes(), f"seed {seed}"
    assert not list(tmp_path.glob(".*"))
