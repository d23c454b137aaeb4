"""A run that was cut anywhere and started again ends like one that never was."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from kgrel.data.artifact import LOG, MANIFEST, UNFINISHED, Manifest, finish_artifact
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.data.progress import Silent
from kgrel.train import run as runs
from kgrel.train.batches import Stream, torch_generator
from kgrel.train.loop import LoopSettings, train
from kgrel.train.run import Run
from tests.train.regression import (
    IDENTITY,
    PATIENT,
    SETTINGS,
    Crash,
    Regression,
    crash_at,
    fit,
    interrupt_at,
    logged,
    outcome,
    peak_at_six,
)  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "run"
        yield outcome(directory, *fit(directory))


def test_the_toy_learns_and_leaves_untouched_what_has_no_gradient(tmp_path: Path) -> None:
    task, state = fit(tmp_path / "run")
    start = Regression().module.state_dict()
    assert logged(tmp_path / "run")[-1]["error"] < 0.8 * logged(tmp_path / "run")[0]["error"]
    assert not torch.equal(task.module.used.weight, start["used.weight"])
    assert torch.equal(task.module.unused.weight, start["unused.weight"])
    assert torch.equal(task.module.frozen, start["frozen"])
    assert state.step == SETTINGS.steps


def test_the_logged_seconds_are_those_of_the_steps_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = 0.0

    class Slow(Regression):
        """A minute a step, an hour a validation."""

        def loss(self, *arguments: Any) -> Any:
            nonlocal hours
            hours += 1 / 60
            return super().loss(*arguments)

        def validate(self, step: int) -> dict[str, float]:
            nonlocal hours
            hours += 1
            return super().validate(step)

    for clock in ("monotonic", "process_time"):
        monkeypatch.setattr(f"kgrel.train.loop.time.{clock}", lambda: 3600 * hours)
    fit(tmp_path / "run", Slow())
    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    assert len(lines) > 1
    for line in lines:
        assert line["seconds"] == line["processor_seconds"] == pytest.approx(60 * line["step"])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, SETTINGS.steps), min_size=1, max_size=3, unique=True))
def test_a_run_that_crashed_in_a_step_ends_the_same(undisturbed: dict[str, Any], crashes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "run"
        before = crash_at(*crashes)
        for _ in crashes:
            with pytest.raises(Crash):
                fit(directory, Regression(before))
        assert outcome(directory, *fit(directory, Regression(before))) == undisturbed


@pytest.mark.parametrize("step", [1, 4, 6, 13])
def test_a_run_interrupted_by_ctrl_c_stops_after_the_step_and_ends_the_same(
    undisturbed: dict[str, Any], tmp_path: Path, step: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", Regression(interrupt_at(step)))
    assert [path.name for path in tmp_path.glob("run/checkpoint-*")] == [f"checkpoint-{step:09d}"]
    assert outcome(tmp_path / "run", *fit(tmp_path / "run"))["weights"] == undisturbed["weights"]


def test_ctrl_c_in_the_last_step_ends_the_same_too(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", Regression(interrupt_at(SETTINGS.steps)))
    assert outcome(tmp_path / "run", *fit(tmp_path / "run")) == undisturbed


def test_a_second_ctrl_c_stops_at_once(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", Regression(interrupt_at(5, times=2)))
    assert [path.name for path in tmp_path.glob("run/checkpoint-*")] == ["checkpoint-000000003"]
    assert outcome(tmp_path / "run", *fit(tmp_path / "run")) == undisturbed


def test_the_handler_of_ctrl_c_is_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(2)))
    assert signal.getsignal(signal.SIGINT) is before


class Killer:
    """Lets a block die at its n-th change of the file system; the dead change nothing more, also in ``finally``."""

    CHANGES = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir"})

    def __init__(self) -> None:
        self.fatal, self.count, self.active = 0, 0, False
        sys.addaudithook(self.see)  # stays for the life of the process, so there is one for all

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax")
        if event in self.CHANGES or writes:
            self.count += 1
            if self.count >= self.fatal:
                raise Crash

    @contextmanager
    def at(self, fatal: int) -> Iterator[None]:
        self.fatal, self.count, self.active = fatal, 0, True
        try:
            yield
        finally:
            self.active = False


@pytest.fixture(scope="module")
def killer() -> Killer:
    return Killer()


def whole_job(directory: Path) -> None:
    """What pretraining and ``train-pairs`` do, from the empty directory to the closed artifact."""
    run, task = Run(directory, IDENTITY), Regression()
    train(task, LoopSettings(**{**SETTINGS.__dict__, "steps": 7}), run, Silent(), "toy")
    runs.save_file(task.module.state_dict(), directory / "weights")
    finish_artifact(directory, Manifest("toy", IDENTITY), 0.0)
    run.close()


def test_a_job_killed_at_any_change_of_the_file_system_ends_the_same(tmp_path: Path, killer: Killer) -> None:
    """At each of them in turn, from the making of the directory to the clearing away of the last checkpoint."""
    whole_job(tmp_path / "whole")
    manifest = (tmp_path / "whole" / MANIFEST).read_bytes()
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    for fatal in itertools.count(1):
        home = tmp_path / str(fatal)
        home.mkdir()
        try:
            with killer.at(fatal):
                whole_job(home / "run")
            break
        except Crash:
            if (home / "run" / UNFINISHED).exists() or not (home / "run").exists():
                whole_job(home / "run")
        assert (home / "run" / MANIFEST).read_bytes() == manifest, fatal
        assert {path.name for path in (home / "run").iterdir()} == names, fatal
        assert [path.name for path in home.iterdir()] == ["run"], fatal
    assert fatal > 25


def test_a_half_written_checkpoint_is_ignored_and_cleared_away(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(Crash):
        fit(run, Regression(crash_at(5)))
    shutil.copytree(run / "checkpoint-000000003", run / ".checkpoint.partial")
    (run / ".checkpoint.partial" / "tensors").write_bytes(b"half")
    assert Run(run, IDENTITY).checkpoint() == run / "checkpoint-000000003"
    assert outcome(run, *fit(run)) == undisturbed


def test_partial_files_of_a_killed_process_are_cleared_away(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    """They would be listed in the manifest of the finished artifact."""
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(5)))
    (tmp_path / "run" / f".{LOG}.4711.partial").write_text("{}")
    (tmp_path / "run" / ".manifest.json.4711.partial").write_text("{}")
    assert outcome(tmp_path / "run", *fit(tmp_path / "run")) == undisturbed


def test_the_log_forgets_the_steps_that_will_be_logged_again(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(9)))
    assert [line["step"] for line in logged(tmp_path / "run")] == [2, 4, 6, 8]
    with (tmp_path / "run" / LOG).open("a") as stream:
        stream.write('{"step": 1')  # a line that the kill cut short
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(7)))
    assert [line["step"] for line in logged(tmp_path / "run")] == [2, 4, 6]
    fit(tmp_path / "run")
    assert logged(tmp_path / "run") == undisturbed["log"]


def test_training_without_a_directory_gives_the_same_weights(undisturbed: dict[str, Any]) -> None:
    task = Regression()
    train(task, SETTINGS, None, Silent(), "toy")
    assert {name: tensor.tolist() for name, tensor in task.module.state_dict().items()} == undisturbed["weights"]


def test_early_stopping_ends_with_the_best_weights(tmp_path: Path) -> None:
    task, state = fit(tmp_path / "run", Regression(curve=peak_at_six), PATIENT)
    assert (state.step, state.best, state.stopped) == (12, 0.0, True)
    assert all(torch.equal(tensor, task.seen[6][name]) for name, tensor in task.module.state_dict().items())
    assert not torch.equal(task.module.used.weight, task.seen[12]["used.weight"])


@pytest.mark.parametrize("step", [2, 7, 8, 11, 12])
def test_early_stopping_survives_a_resume(tmp_path: Path, step: int) -> None:
    expected = outcome(tmp_path / "whole", *fit(tmp_path / "whole", Regression(curve=peak_at_six), PATIENT))
    with pytest.raises(Crash):
        fit(tmp_path / "cut", Regression(crash_at(step), peak_at_six), PATIENT)
    assert outcome(tmp_path / "cut", *fit(tmp_path / "cut", Regression(curve=peak_at_six), PATIENT)) == expected


def test_without_patience_the_last_weights_stay(tmp_path: Path) -> None:
    task, state = fit(tmp_path / "run", Regression(curve=peak_at_six))
    assert (state.step, state.stopped) == (SETTINGS.steps, False)
    assert torch.equal(task.module.used.weight, task.seen[SETTINGS.steps]["used.weight"])


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        ({"settings": {"steps": 15, "size": "tiny"}, "parents": {"corpus": "a1"}}, "steps"),
        ({"settings": {"steps": 14, "size": "tiny"}, "parents": {"corpus": "b2"}}, "corpus"),
        ({"settings": {"steps": 14}, "parents": {"corpus": "b2"}}, "corpus, size"),
    ],
)
def test_an_unfinished_run_is_not_resumed_with_other_settings(
    tmp_path: Path, identity: dict[str, Any], key: str
) -> None:
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(5)))
    with pytest.raises(KgrelError, match=f"run holds an unfinished run that was started with another {key};"):
        Run(tmp_path / "run", identity)
    assert Run(tmp_path / "run", IDENTITY).checkpoint() is not None


def test_overwrite_starts_an_unfinished_run_afresh(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(5)))
    other = {"settings": {"steps": 15}}
    assert Run(tmp_path / "run", other, overwrite=True).checkpoint() is None
    assert [path.name for path in (tmp_path / "run").iterdir()] == [UNFINISHED]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_no_run_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(KgrelError, match=str(tmp_path)):
            Run(tmp_path, IDENTITY, overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_closed_run_leaves_no_trace_of_the_training(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(5)))
    run = Run(tmp_path / "run", IDENTITY)
    train(Regression(), SETTINGS, run, Silent(), "toy")
    run.close()
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOG]


def test_a_loss_that_is_not_finite_names_the_step_and_the_run_goes_on_later(
    undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    task = Regression()

    def poison(step: int) -> None:
        if step == 8:
            with torch.no_grad():
                task.module.used.bias[0] = math.nan

    task.before = poison
    with pytest.raises(NonFiniteError, match="step 8: the loss is nan"):
        fit(tmp_path / "run", task)
    assert outcome(tmp_path / "run", *fit(tmp_path / "run")) == undisturbed


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_not_finite_names_step_and_tensor_and_changes_nothing(
    tmp_path: Path, value: float, clip: float
) -> None:
    task, at_fault = Regression(), dict[str, Tensor]()

    def poison(step: int) -> None:
        if step == 5:
            task.module.used.bias.register_hook(lambda gradient: gradient * value)
            at_fault.update({name: tensor.clone() for name, tensor in task.module.state_dict().items()})

    task.before = poison
    clipped = LoopSettings(**{**SETTINGS.__dict__, "gradient_clip": clip})
    with pytest.raises(NonFiniteError, match=r"step 5: the gradient of used\.bias is not finite"):
        fit(tmp_path / "run", task, clipped)
    assert all(torch.equal(tensor, at_fault[name]) for name, tensor in task.module.state_dict().items())
    assert Run(tmp_path / "run", IDENTITY).checkpoint() == tmp_path / "run" / "checkpoint-000000003"


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")
def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="torch sees no CUDA device; use --device cpu"):
        fit(tmp_path / "run", settings=LoopSettings(1, 0.1, device="cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_run_resumes_on_a_cuda_device_too(tmp_path: Path) -> None:
    class OnDevice(Regression):
        def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
            self.before(step)
            x = torch.randn(8, 4, generator=torch_generator(0, Stream.NOISE, step)).to(device)
            return (forward(x) - x.sum(-1)).square().mean(), {}

        def validate(self, step: int) -> dict[str, float]:
            return {"stop": 0.0}

    on_cuda = LoopSettings(**{**SETTINGS.__dict__, "device": "cuda"})
    whole, _ = fit(tmp_path / "whole", OnDevice(), on_cuda)
    with pytest.raises(Crash):
        fit(tmp_path / "cut", OnDevice(crash_at(5)), on_cuda)
    resumed, _ = fit(tmp_path / "cut", OnDevice(), on_cuda)
    torch.testing.assert_close(resumed.module.state_dict(), whole.module.state_dict())
