"""Precision follows the hardware; several processes train as one; a process that fails is told of."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from kgrel.data.artifact import LOG
from kgrel.data.errors import KgrelError
from kgrel.model.representation import Representation
from kgrel.train import devices
from kgrel.train.devices import relaunch, resolve_device, resolve_precision

PRETRAIN = ["--recipe", "paper", "--size", "tiny", "--steps", "20", "--batch-size", "47", "--learning-rate", "0.01"]
PRETRAIN += ["--bag-weight", "1", "--validate-every", "1", "--device", "cpu", "--precision", "fp32"]


@pytest.mark.parametrize(("has", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_means_bf16_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, has: bool, expected: str
) -> None:
    monkeypatch.setattr(devices, "_cpu_multiplies_bf16", lambda: has)
    assert resolve_precision("auto", "cpu") == expected
    assert [resolve_precision(name, "cpu") for name in ("fp32", "bf16")] == ["fp32", "bf16"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")
def test_a_device_that_is_not_there_is_refused() -> None:
    assert resolve_device("auto") == "cpu"
    with pytest.raises(KgrelError, match="torch sees no CUDA device; use --device cpu"):
        resolve_device("cuda")


def curve(directory: Path) -> list[dict[str, float]]:
    """The figures of each step that do not depend on the clock."""
    lines = [json.loads(line) for line in (directory / LOG).read_text().splitlines()]
    names = ("loss", "elbo", "kl", "validation_elbo", "validation_bag")
    return [{name: line[name] for name in names} for line in lines]


def pretrain(corpus: Path, out: Path, *extra: str, **popen: Any) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "kgrel_cli", "pretrain", str(corpus), "--out", str(out), *PRETRAIN, *extra]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen)


def test_two_processes_give_the_loss_curve_of_one(corpus_path: Path, tmp_path: Path) -> None:
    """Batches of 47 are uneven shares. One process writes, and what it writes opens."""
    together = pretrain(corpus_path, tmp_path / "two", "--devices", "2", "--json")
    alone = pretrain(corpus_path, tmp_path / "one", "--json")
    out, errors = together.communicate(timeout=300)
    assert together.returncode == 0, errors
    assert alone.wait(timeout=300) == 0
    assert json.loads(out.splitlines()[-1])["steps"] == 20
    for two, one in zip(curve(tmp_path / "two"), curve(tmp_path / "one"), strict=True):
        assert two == pytest.approx(one, abs=1e-4)
    weights = [Representation.open(tmp_path / name).model.state_dict() for name in ("one", "two")]
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-3, atol=1e-3)


@pytest.mark.nightly
def test_a_killed_worker_ends_the_job_with_a_message_and_the_run_resumes(corpus_path: Path, tmp_path: Path) -> None:
    slow = ["--devices", "2", "--checkpoint-every", "2", "--steps", "4000", "--validate-every", "1000"]
    job = pretrain(corpus_path, tmp_path / "run", *slow)
    limit = time.monotonic() + 200
    while not list(tmp_path.glob("run/checkpoint-*")):
        assert time.monotonic() < limit
        time.sleep(0.05)
    listing = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.splitlines()
    workers = [line for line in listing if str(tmp_path / "run") in line and "distributed.run" not in line]
    os.kill(max(int(line.split()[0]) for line in workers), signal.SIGKILL)
    _, errors = job.communicate(timeout=120)
    assert job.returncode == 1
    assert "kgrel: one of the 2 processes failed or was killed" in errors
    job = pretrain(corpus_path, tmp_path / "run", *slow)
    time.sleep(30)
    job.send_signal(signal.SIGTERM)
    job.wait(timeout=60)
    steps = [int(path.name[-9:]) for path in tmp_path.glob("run/checkpoint-*")]
    assert len(steps) == 1


def test_a_process_that_fails_is_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KgrelError, match="one of the 2 processes failed or was killed, see above"):
        relaunch(2, ["pretrain", "nowhere", "--out", "nowhere-else"])
    assert "nowhere: no such corpus artifact" in capfd.readouterr().err
