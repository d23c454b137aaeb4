"""The training loop: Adam steps, validation, early stopping, checkpoints, resuming.

A task says what the loss of a step is; the loop does the rest. A run lives in its output directory. Killed at
any point and started again it goes on from its last checkpoint and ends with the same bytes on a CPU: batches and
noise are functions of the step (:mod:`kgrel.train.batches`), and a checkpoint holds weights and Adam's moments.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from lightning.fabric import Fabric
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kgrel.data.artifact import LOG, UNFINISHED, move_into_place, refuse_foreign
from kgrel.data.errors import ArtifactError, KgrelError, NonFiniteError
from kgrel.data.files import canonical_json, remove_tree, sha256_of, sync, write_text
from kgrel.data.progress import Progress

_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam keeps of each parameter."""
_PRECISION: dict[str, Literal["32-true", "bf16-mixed"]] = {"fp32": "32-true", "bf16": "bf16-mixed"}


class Task(Protocol):
    """What is trained. ``module`` is trained through its ``forward`` alone, so that it can be wrapped."""

    @property
    def module(self) -> nn.Module: ...

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Loss at a step (from 1) and figures to show; ``forward`` is the module as the device wants it called."""
        ...

    def validate(self, step: int) -> dict[str, float]:
        """Figures on held-out data. The key ``stop`` (higher is better) decides on early stopping."""
        ...


@dataclass(frozen=True)
class LoopSettings:
    """The part of a stage's settings that the loop reads."""

    steps: int
    learning_rate: float
    warm_up_steps: int = 0
    schedule: str = "constant"
    weight_decay: float = 0.0
    gradient_clip: float = 0.0
    validate_every: int = 1000
    checkpoint_every: int = 1000
    patience: int = 0
    precision: str = "fp32"
    device: str = "auto"


@dataclass
class State:
    """Where a run stands."""

    step: int = 0
    best: float = -math.inf
    since_best: int = 0
    stopped: bool = False
    weights: dict[str, Tensor] = field(default_factory=dict)
    """The best weights so far, where the task stops early."""
    figures: dict[str, float] = field(default_factory=dict)
    """What the last validation gave."""


class Run:
    """An output directory in which a training run lives until it is finished.

    Args:
        identity: everything the result depends on (settings, parents' hashes); a run is only resumed by the same.
    """

    def __init__(self, directory: Path, identity: dict[str, Any], overwrite: bool = False) -> None:
        self.directory = directory
        if overwrite or not directory.exists() or not any(directory.iterdir()):
            self._start(identity)
        else:
            self._check_identity(identity)
            self._drop_partial_files()

    def _start(self, identity: dict[str, Any]) -> None:
        """The directory appears with the identity in it, or not at all."""
        if not self.directory.name:
            raise KgrelError(f"{self.directory} cannot be an output; give the name of a new directory")
        refuse_foreign(self.directory)
        staging = self.directory.with_name(f".{self.directory.name}.partial")
        remove_tree(staging)
        staging.mkdir(parents=True)
        write_text(staging / UNFINISHED, canonical_json(identity))
        move_into_place(staging, self.directory)

    def _drop_partial_files(self) -> None:
        """What a killed process was writing; the finished artifact would list it among its files."""
        for path in self.directory.glob(".*.partial"):
            if path.is_dir():
                remove_tree(path)
            else:
                path.unlink()

    def _check_identity(self, identity: dict[str, Any]) -> None:
        file = self.directory / UNFINISHED
        if not file.is_file():
            raise KgrelError(f"{self.directory} exists already; choose another output or pass --overwrite")
        stored = json.loads(file.read_text(encoding="utf-8"))
        current = json.loads(canonical_json(identity))
        if stored != current:
            raise KgrelError(
                f"{self.directory} holds an unfinished run that was started with another "
                f"{', '.join(differing_keys(stored, current))}; "
                "repeat the command as it was, or pass --overwrite to start afresh"
            )

    def checkpoint(self) -> Path | None:
        """The newest complete checkpoint."""
        found = [(int(m[1]), p) for p in self.directory.iterdir() if (m := _CHECKPOINT.fullmatch(p.name))]
        return max(found)[1] if found else None

    def save(self, module: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
        """Write a checkpoint whole, then drop the older ones."""
        target = self.directory / f"checkpoint-{state.step:09d}"
        staging = self.directory / ".checkpoint.partial"
        remove_tree(staging)
        staging.mkdir()
        tensors = {f"weights/{name}": tensor for name, tensor in module.state_dict().items()}
        tensors |= {f"best/{name}": tensor for name, tensor in state.weights.items()}
        for name, parameter in module.named_parameters():
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"adam/{key}/{name}"] = value
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            staging / "tensors",
        )
        record: dict[str, Any] = {"step": state.step, "since_best": state.since_best, "stopped": state.stopped}
        record |= {"best": None if state.best == -math.inf else state.best, "sha256": sha256_of(staging / "tensors")}
        (staging / "state.json").write_text(canonical_json(record), encoding="utf-8")
        for file in staging.iterdir():
            sync(file)
        sync(staging)
        remove_tree(target)
        os.rename(staging, target)
        sync(self.directory)
        for path in self.directory.iterdir():
            if _CHECKPOINT.fullmatch(path.name) and path != target:
                remove_tree(path)

    def restore(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> State:
        """Load the newest checkpoint into module and optimiser; a fresh state if there is none.

        Raises:
            ArtifactError: the checkpoint is damaged, or its tensors are not those of the module; it names which.
        """
        path = self.checkpoint()
        if path is None:
            self._truncate_log(0)
            return State()
        state, tensors = read_checkpoint(path)
        problem = misfit(tensors, module)
        if problem is not None:
            raise ArtifactError(f"{path}: {problem}; pass --overwrite to start afresh")
        module.load_state_dict(part_of(tensors, "weights/"))
        for name, parameter in module.named_parameters():
            if f"adam/step/{name}" in tensors:
                # The fused Adam wants its step count where the parameter is, like the moments.
                moments = {key: tensors[f"adam/{key}/{name}"].to(parameter.device) for key in _MOMENTS}
                optimizer.state[parameter] = moments
        state.weights = part_of(tensors, "best/")
        self._truncate_log(state.step)
        return state

    def _truncate_log(self, step: int) -> None:
        """Forget what was logged after the checkpoint: those steps will be logged again."""
        file = self.directory / LOG
        if not file.exists():
            return
        kept = []
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line)
            except (ValueError, KeyError):
                break  # the line that the kill cut short
        write_text(file, "".join(kept))

    def log(self, step: int, figures: dict[str, float]) -> None:
        """Append one line to the log."""
        with (self.directory / LOG).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, **figures}, allow_nan=False) + "\n")

    def close(self) -> None:
        """Drop what only an unfinished run needs. Called after the manifest is written."""
        for path in self.directory.iterdir():
            if _CHECKPOINT.fullmatch(path.name):
                # Renamed first: half a checkpoint must not be taken for one.
                remove_tree(path.rename(path.with_name(f".{path.name}.partial")))
        self._drop_partial_files()
        (self.directory / UNFINISHED).unlink(missing_ok=True)


def differing_keys(stored: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """The keys, of nested objects theirs, whose values differ."""
    found = []
    for key in sorted(stored.keys() | current.keys()):
        old, new = stored.get(key), current.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differing_keys(old, new)
        elif old != new:
            found.append(key)
    return found


def read_checkpoint(path: Path) -> tuple[State, dict[str, Tensor]]:
    """State and tensors of a checkpoint directory."""
    try:
        record = json.loads((path / "state.json").read_text(encoding="utf-8"))
        if sha256_of(path / "tensors") != record["sha256"]:
            raise ValueError("the SHA-256 of tensors is not the one in state.json")
        best = -math.inf if record["best"] is None else record["best"]
        return State(record["step"], best, record["since_best"], record["stopped"]), load_file(path / "tensors")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        message = f"{path}: the checkpoint is damaged ({error}); pass --overwrite to start afresh"
        raise ArtifactError(message) from None


def part_of(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, which is cut off."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def misfit(tensors: dict[str, Tensor], module: nn.Module) -> str | None:
    """The first tensor of a checkpoint that does not fit the module, and how; None if all do."""
    weights = {name: tensor.shape for name, tensor in module.state_dict().items()}
    expected = {f"weights/{name}": shape for name, shape in weights.items()}
    if part_of(tensors, "best/"):
        expected |= {f"best/{name}": shape for name, shape in weights.items()}
    for name, parameter in module.named_parameters():
        shapes = {"step": torch.Size(), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
        moments = {f"adam/{key}/{name}": shapes[key] for key in _MOMENTS}
        if moments.keys() & tensors.keys():  # a parameter without gradient has none
            expected |= moments
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in tensors:
            return f"the tensor {name} is missing"
        if name not in expected:
            return f"the tensor {name} is none of the model's"
        if tensors[name].shape != expected[name]:
            return f"the tensor {name} has the shape {list(tensors[name].shape)}, not {list(expected[name])}"
    return None


def make_fabric(device: str, precision: str) -> Fabric:
    """Fabric on one device."""
    if device == "cuda" and not torch.cuda.is_available():
        raise KgrelError("device cuda was asked for, but torch sees no CUDA device; use --device cpu")
    return Fabric(accelerator=device, devices=1, precision=_PRECISION[precision])


def train(task: Task, settings: LoopSettings, run: Run | None, progress: Progress, name: str) -> State:
    """Train ``task.module`` in place until the last step or until early stopping.

    Args:
        run: where checkpoints and log go; None keeps everything in memory (short trainings inside others).

    Returns:
        The final state; with early stopping the module ends with the best weights.

    Raises:
        NonFiniteError: a loss or a gradient is NaN or infinite.
        KeyboardInterrupt: interrupted, after a checkpoint was written, unless it was the last step.
    """
    fabric = make_fabric(settings.device, settings.precision)
    parameters = [p for p in task.module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
    forward, wrapped = fabric.setup(task.module, optimizer)
    state = run.restore(task.module, optimizer) if run is not None else State()
    progress.start(name, settings.steps)
    progress.advance(state.step)
    started = time.monotonic()
    with interrupts() as interrupted:
        while state.step < settings.steps and not state.stopped:
            step = state.step + 1
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(settings, step)
            loss, figures = task.loss(step, forward, fabric.device)
            if not math.isfinite(loss.item()):
                raise NonFiniteError(non_finite_message(step, f"the loss is {loss.item()}"))
            wrapped.zero_grad()
            fabric.backward(loss)
            clip_gradients(task.module, settings.gradient_clip, step)
            wrapped.step()
            state.step = step
            progress.advance(1, "  ".join(f"{key} {value:.4g}" for key, value in figures.items()))
            if step % settings.validate_every == 0 or step == settings.steps:
                state.figures = task.validate(step)
                update_best(state, settings, task.module)
                report(run, progress, name, state, figures | {"seconds": round(time.monotonic() - started, 3)})
            ends = step == settings.steps or state.stopped
            if run is not None and not ends and (step % settings.checkpoint_every == 0 or interrupted):
                run.save(task.module, optimizer, state)
            if interrupted:
                progress.say(f"interrupted at step {step}; the same command goes on from the last checkpoint")
                raise KeyboardInterrupt
    if state.weights:
        task.module.load_state_dict(state.weights)
    return state


def learning_rate(settings: LoopSettings, step: int) -> float:
    """Linear warm-up, then constant or along half a cosine towards zero at the last step."""
    rate = settings.learning_rate * min(1.0, step / max(1, settings.warm_up_steps))
    if settings.schedule == "cosine":
        rate *= 0.5 * (1.0 + math.cos(math.pi * (step - 1) / settings.steps))
    return rate


def report(run: Run | None, progress: Progress, name: str, state: State, figures: dict[str, float]) -> None:
    """Log a validation and show it."""
    if run is None:
        return
    run.log(state.step, figures | state.figures)
    shown = ", ".join(f"{key} {value:.4g}" for key, value in (figures | state.figures).items())
    progress.say(f"{name} step {state.step}: {shown}")


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Turn the first Ctrl-C into an entry of the yielded list, so that a step is never cut in two."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def handle(number: int, _: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, previous)


def update_best(state: State, settings: LoopSettings, module: nn.Module) -> None:
    """Early stopping: remember the weights of the best validation, stop when patience is over."""
    if not settings.patience:
        return
    if state.figures["stop"] > state.best:
        state.best, state.since_best = state.figures["stop"], 0
        state.weights = {key: value.detach().cpu().clone() for key, value in module.state_dict().items()}
    else:
        state.since_best += 1
        state.stopped = state.since_best >= settings.patience


def clip_gradients(module: nn.Module, limit: float, step: int) -> None:
    """Scale the gradient down to ``limit`` and make sure that it is finite."""
    parameters = [p for p in module.parameters() if p.grad is not None]
    try:
        nn.utils.clip_grad_norm_(parameters, limit if limit else math.inf, error_if_nonfinite=True)
    except RuntimeError as error:  # raised before anything is scaled, so that the culprit can still be told
        bad = [name for name, p in module.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]
        what = f"the gradient of {', '.join(bad) or 'some tensor'} is not finite"
        raise NonFiniteError(non_finite_message(step, what)) from error


def non_finite_message(step: int, what: str) -> str:
    """One sentence on a training that left the finite numbers."""
    return f"step {step}: {what}; try a smaller learning rate, gradient clipping, or fp32 precision"
