"""A small training for the tests of the loop: a regression, ways to end it, and everything that a run ends with."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kgrel.data.artifact import LOG
from kgrel.data.progress import Silent
from kgrel.train.batches import Stream, torch_generator
from kgrel.train.loop import LoopSettings, train
from kgrel.train.run import Run, State

IDENTITY = {"settings": {"steps": 14, "size": "tiny"}, "parents": {"corpus": "a1"}}
SETTINGS = LoopSettings(
    steps=14,
    learning_rate=0.05,
    warm_up_steps=3,
    schedule="cosine",
    gradient_clip=1.0,
    validate_every=2,
    checkpoint_every=3,
    device="cpu",
)
PATIENT = LoopSettings(**{**SETTINGS.__dict__, "patience": 3, "steps": 40})
Hook = Callable[[int], None]


class Crash(BaseException):
    """Stands for whatever ends a process."""


class Net(nn.Module):
    """A regression with a frozen tensor, and a layer that never sees a gradient."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(4, width), nn.Linear(4, 2)
        self.frozen = nn.Parameter(torch.ones(width), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return (torch.tanh(self.used(x)) * self.frozen).sum(-1)


class Regression:
    """Learns Σx from noise that is a function of the step; ``before`` is called at the start of each step."""

    def __init__(self, before: Hook = lambda _: None, curve: Callable[[int], float] | None = None, width: int = 6):
        self.before, self.curve, self.seen = before, curve, dict[int, dict[str, Tensor]]()
        with torch.random.fork_rng():
            torch.manual_seed(5)
            self.module = Net(width)

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        self.before(step)
        x = torch.randn(8, 4, generator=torch_generator(0, Stream.NOISE, step))
        loss = (forward(x) - x.sum(-1)).square().mean()
        return loss, {"loss": loss.item()}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        self.seen[step] = {name: tensor.clone() for name, tensor in self.module.state_dict().items()}
        x = torch.randn(32, 4, generator=torch_generator(0, Stream.HOLD_OUT))
        error = (self.module(x) - x.sum(-1)).square().mean().item()
        return {"stop": self.curve(step) if self.curve else -error, "error": error}


def crash_at(*steps: int) -> Hook:
    """Raise once at each of these steps."""
    left = list(steps)

    def before(step: int) -> None:
        if step in left:
            left.remove(step)
            raise Crash

    return before


def interrupt_at(step: int, times: int = 1) -> Hook:
    """Ctrl-C in the middle of a step."""

    def before(now: int) -> None:
        for _ in range(times if now == step else 0):
            signal.raise_signal(signal.SIGINT)

    return before


def fit(directory: Path, task: Regression | None = None, settings: LoopSettings = SETTINGS) -> tuple[Regression, State]:
    task = task or Regression()
    return task, train(task, settings, Run(directory, IDENTITY), Silent(), "toy")


def logged(directory: Path) -> list[dict[str, Any]]:
    """The log without its clock."""
    lines = (directory / LOG).read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if not k.endswith("seconds")} for line in lines]


def outcome(directory: Path, task: Regression, state: State) -> dict[str, Any]:
    """Everything that a run ends with, the last checkpoint with Adam's moments included, as comparable values."""
    files = {str(path.relative_to(directory)): path.read_bytes() for path in directory.glob("checkpoint-*/*")}
    weights = {name: tensor.tolist() for name, tensor in task.module.state_dict().items()}
    figures = state.step, state.best, state.since_best, state.stopped, state.figures
    others = {path.name for path in directory.iterdir()}
    return {"weights": weights, "checkpoint": files, "log": logged(directory), "state": figures, "files": others}


def peak_at_six(step: int) -> float:
    return -abs(step - 6.0)
