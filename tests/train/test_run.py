"""A checkpoint is whole or not there, also on a full disk; one process of several writes; listeners hear the log."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from kgrel.data.artifact import LOG, UNFINISHED
from kgrel.data.errors import KgrelError
from kgrel.train import run as runs
from kgrel.train.optimizers import make_optimizers
from kgrel.train.run import Run, State

IDENTITY: dict[str, Any] = {"settings": {"steps": 5}}


class Tables(nn.Module):
    """A table with sparse gradients and a layer with dense ones."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table, self.layer = nn.Embedding(9, 3, sparse=True), nn.Linear(3, 1)


def stepped(module: Tables, optimizers: list[torch.optim.Optimizer], rows: list[int]) -> None:
    """One step on some rows."""
    for optimizer in optimizers:
        optimizer.zero_grad()
    module.layer(module.table(torch.tensor(rows))).square().sum().backward()
    for optimizer in optimizers:
        optimizer.step()


def test_dense_and_sparse_moments_come_back(tmp_path: Path) -> None:
    """A resumed training takes the step that an undisturbed one takes."""
    whole, cut, later = Tables(), Tables(), Tables()
    ours = make_optimizers(whole, 0.1, 0.0)
    for rows in ([1, 2], [2, 5], [1, 7]):
        stepped(whole, ours, rows)
    theirs = make_optimizers(cut, 0.1, 0.0)
    for rows in ([1, 2], [2, 5]):
        stepped(cut, theirs, rows)
    run = Run(tmp_path / "run", IDENTITY)
    run.save(cut, theirs, State(step=2))
    resumed = make_optimizers(later, 0.1, 0.0)
    assert Run(tmp_path / "run", IDENTITY).restore(later, resumed).step == 2
    stepped(later, resumed, [1, 7])
    for name, weight in whole.state_dict().items():
        assert torch.equal(later.state_dict()[name], weight), name


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Tables()
    run, optimizers = Run(tmp_path / "run", IDENTITY), make_optimizers(module, 0.1, 0.0)
    stepped(module, optimizers, [1])
    run.save(module, optimizers, State(step=1))

    def full(_: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(runs, "save_file", full)
        with pytest.raises(KgrelError, match=r"step 2 cannot be written \(No space left on device\); .* is intact"):
            run.save(module, optimizers, State(step=2))
    again = Run(tmp_path / "run", IDENTITY)
    fresh = Tables()
    assert again.restore(fresh, make_optimizers(fresh, 0.1, 0.0)).step == 1
    again.save(module, optimizers, State(step=2))
    assert {path.name for path in (tmp_path / "run").iterdir()} == {UNFINISHED, "checkpoint-000000002"}


def test_what_a_killed_process_was_writing_is_dropped(tmp_path: Path) -> None:
    Run(tmp_path / "run", IDENTITY)
    for name in (".checkpoint.partial", ".entities.parquet.7.partial", ".tmpPX9zOg"):  # the last one by safetensors
        (tmp_path / "run" / name).write_bytes(b"half")
    Run(tmp_path / "run", IDENTITY)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [UNFINISHED]


def test_a_process_that_does_not_write_reads_and_changes_nothing(tmp_path: Path) -> None:
    module = Tables()
    optimizers = make_optimizers(module, 0.1, 0.0)
    first = Run(tmp_path / "run", IDENTITY)
    first.save(module, optimizers, State(step=3))
    first.log(3, {"loss": 1.0})
    (tmp_path / "run" / ".checkpoint.partial").mkdir()  # what the first process is writing just now
    before = sorted(path.name for path in (tmp_path / "run").rglob("*"))
    second = Run(tmp_path / "run", IDENTITY, writes=False)
    fresh = Tables()
    assert second.restore(fresh, make_optimizers(fresh, 0.1, 0.0)).step == 3
    second.save(module, optimizers, State(step=4))
    second.log(4, {"loss": 2.0})
    assert sorted(path.name for path in (tmp_path / "run").rglob("*")) == before
    assert (tmp_path / "run" / LOG).read_text().count("\n") == 1


def test_listeners_hear_what_is_logged(tmp_path: Path) -> None:
    heard: list[tuple[int, dict[str, float]]] = []
    run = Run(tmp_path / "run", IDENTITY, listeners=[lambda step, figures: heard.append((step, figures))])
    run.log(2, {"loss": 0.5})
    assert heard == [(2, {"loss": 0.5})]
