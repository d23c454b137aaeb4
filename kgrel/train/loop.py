"""The training loop: Adam steps, validation, early stopping, checkpoints, resuming.

A task says what the loss of a step is; the loop does the rest. A run lives in its output directory
(:mod:`kgrel.train.run`). Killed at any point and started again it goes on from its last checkpoint and ends with the
same bytes on a CPU: batches and noise are functions of the step (:mod:`kgrel.train.batches`).
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from kgrel.data.errors import NonFiniteError
from kgrel.data.printing import four_digits
from kgrel.data.progress import Progress, Silent
from kgrel.train.devices import make_fabric
from kgrel.train.optimizers import clip_gradients, make_optimizers, non_finite_message, scheduled, set_learning_rate
from kgrel.train.run import Run, State

if TYPE_CHECKING:
    from lightning.fabric import Fabric

COUNTED = "tokens"
"""The figure of a step that is a count: it is added up, and shown and logged as a rate."""


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
    anchor: float = 0.0
    """Decay of the offsets of :mod:`kgrel.train.fine_tuning`."""
    gradient_clip: float = 0.0
    validate_every: int = 1000
    checkpoint_every: int = 1000
    patience: int = 0
    precision: str = "fp32"
    device: str = "auto"


def train(
    task: Task, settings: LoopSettings, run: Run | None, progress: Progress, name: str, fabric: Fabric | None = None
) -> State:
    """Train ``task.module`` in place until the last step or until early stopping.

    Args:
        run: where checkpoints and log go; None keeps everything in memory (short trainings inside others).
        fabric: what it runs on, where several processes train together; None = one device of the settings.

    Returns:
        The final state; with early stopping the module ends with the best weights.

    Raises:
        NonFiniteError: a loss or a gradient is NaN or infinite.
        KgrelError: a checkpoint cannot be written.
        KeyboardInterrupt: interrupted, after a checkpoint was written, unless it was the last step.
    """
    fabric = fabric or make_fabric(settings.device, settings.precision)
    progress = progress if fabric.is_global_zero else Silent()
    optimizers = make_optimizers(task.module, settings.learning_rate, settings.weight_decay, settings.anchor)
    forward, *wrapped = fabric.setup(task.module, *optimizers)
    state = run.restore(task.module, optimizers) if run is not None else State()
    progress.start(name, settings.steps)
    progress.advance(state.step)
    clock = Clock()
    with interrupts() as interrupted:
        while state.step < settings.steps and not state.stopped:
            step = state.step + 1
            rate = scheduled(settings.learning_rate, step, settings.steps, settings.warm_up_steps, settings.schedule)
            set_learning_rate(optimizers, rate)
            loss, figures = task.loss(step, forward, fabric.device)
            figures, stops = agreed(fabric, figures, bool(interrupted))
            if not math.isfinite(figures["loss"]):
                raise NonFiniteError(non_finite_message(step, f"the loss is {figures['loss']}"))
            for optimizer in wrapped:
                optimizer.zero_grad()
            fabric.backward(loss)
            clip_gradients(task.module, settings.gradient_clip, step)
            for optimizer in wrapped:
                optimizer.step()
            state.step = step
            figures = clock.with_rate(figures)
            progress.advance(1, "  ".join(f"{key} {four_digits(value)}" for key, value in figures.items()))
            if step % settings.validate_every == 0 or step == settings.steps:
                figures |= clock.seconds()
                with clock.stopped():
                    if fabric.is_global_zero:
                        state.figures = task.validate(step)
                        update_best(state, settings, task.module)
                        report(run, progress, name, state, figures)
                    fabric.barrier()
            ends = step == settings.steps or state.stopped
            if run is not None and not ends and (step % settings.checkpoint_every == 0 or stops):
                run.save(task.module, optimizers, state)
            if stops:
                fabric.barrier()
                progress.say(f"interrupted at step {step}; the same command goes on from the last checkpoint")
                raise KeyboardInterrupt
    if state.weights:
        task.module.load_state_dict(state.weights)
    return state


def agreed(fabric: Fabric, figures: dict[str, float], interrupted: bool) -> tuple[dict[str, float], bool]:
    """Figures of the whole batch from those of each process' share, and whether any of them was interrupted."""
    if fabric.world_size == 1:
        return figures, interrupted
    values = torch.tensor([*figures.values(), float(interrupted)], dtype=torch.float64)
    total = fabric.all_reduce(values.to(fabric.device), reduce_op="sum")
    assert isinstance(total, Tensor)
    *parts, stops = total.tolist()
    means = {
        key: part if key == COUNTED else part / fabric.world_size for key, part in zip(figures, parts, strict=True)
    }
    return means, stops > 0


class Clock:
    """Durations of the steps of a training, validations left out, and the rate of what :data:`COUNTED` counts."""

    def __init__(self) -> None:
        self.started, self.processor = time.monotonic(), time.process_time()
        self.since, self.count = self.started, 0.0

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stand still for a while; rates begin anew."""
        wall, processor = time.monotonic(), time.process_time()
        yield
        self.started += time.monotonic() - wall
        self.processor += time.process_time() - processor
        self.since, self.count = time.monotonic(), 0.0

    def with_rate(self, figures: dict[str, float]) -> dict[str, float]:
        """The figures of a step with a rate instead of the count, where there is one."""
        if COUNTED not in figures:
            return figures
        self.count += figures[COUNTED]
        rate = self.count / max(time.monotonic() - self.since, 1e-9)
        return {key: value for key, value in figures.items() if key != COUNTED} | {f"{COUNTED}_per_second": rate}

    def seconds(self) -> dict[str, float]:
        """Seconds that the steps of this process took, by the wall and, of all threads together, of the processor."""
        wall, processor = time.monotonic() - self.started, time.process_time() - self.processor
        passed = {"seconds": wall, "processor_seconds": processor}
        return {key: round(value, 3) for key, value in passed.items()}


def report(run: Run | None, progress: Progress, name: str, state: State, figures: dict[str, float]) -> None:
    """Log a validation and show it."""
    if run is None:
        return
    run.log(state.step, figures | state.figures)
    shown = ", ".join(f"{key} {four_digits(value)}" for key, value in (figures | state.figures).items())
    progress.say(f"{name} step {state.step}: {shown}")


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Turn Ctrl-C and SIGTERM into an entry of the yielded list, so that a step is never cut in two.

    A second Ctrl-C interrupts at once. SIGTERM is how torchrun and batch systems ask a process to end.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def handle(number: int, _: object) -> None:
        if signal.SIGINT in received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


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
