"""Several trainings of one run, of which the one that validates best is kept.

run ─┬─ tries/one ─▶ task, validated
     ├─ tries/two ─▶ task, validated ─▶ best task; its log becomes the run's
     └─ …
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kgrel.data.artifact import LOG
from kgrel.data.files import write_text
from kgrel.data.progress import Progress
from kgrel.train.loop import LoopSettings, Task, train
from kgrel.train.run import TRIES, Run, State

T = TypeVar("T", bound=Task)


@dataclass(frozen=True)
class Best(Generic[T]):
    """What was kept.

    Attributes:
        name: of the training.
        task: its task, with the weights of its best validation.
        state: where its loop ended.
        tried: steps and validation average precision of every training, by name.
    """

    name: str
    task: T
    state: State
    tried: dict[str, dict[str, Any]]


def train_best(
    tries: Iterable[tuple[str, Callable[[], tuple[T, LoopSettings]]]], run: Run, progress: Progress, title: str
) -> Best[T]:
    """Train one after another, each in a run of its own within ``run``, so that a killed one goes on where it was.

    Args:
        tries: names, which say all that differs, and what makes each task; at least one. Of equal ones the first is
            kept. The key ``stop`` of a task's validation is an average precision.
        title: what progress is told of.
    """
    best: tuple[float, str, T, State] | None = None
    tried = {}
    for name, make in tries:
        task, loop = make()
        inner = Run(run.directory / TRIES / name, {"try": name})
        state = train(task, loop, inner, progress, f"{title}, {name}")
        precision = task.validate(state.step)["stop"]
        tried[name] = {"steps": state.step, "validation_average_precision": precision}
        if best is None or precision > best[0]:
            best = precision, name, task, state
    assert best is not None
    _, name, task, state = best
    log = run.directory / TRIES / name / LOG
    if log.exists():  # it does not, without steps
        write_text(run.directory / LOG, log.read_text(encoding="utf-8"))
    return Best(name, task, state, tried)
