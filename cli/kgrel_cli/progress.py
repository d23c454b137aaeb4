"""Progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

QUIET_SECONDS = 30.0
"""Seconds between two lines where there is no terminal."""


class Reporter:
    """A :class:`kgrel.data.progress.Progress` on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._name, self._done, self._last = "", 0, 0.0
        self._total: int | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._bars = Bars(*columns, TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=self._console)
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bars is not None:
            self._bars.stop()

    def start(self, task: str, total: int | None) -> None:
        """See :class:`kgrel.data.progress.Progress`."""
        self._name, self._done, self._total, self._last = task, 0, total, time.monotonic()
        if self._bars is not None:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task = self._bars.add_task(task, total=total, note="")

    def advance(self, units: int, note: str = "") -> None:
        """See :class:`kgrel.data.progress.Progress`."""
        self._done += units
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=units, note=note)
        elif time.monotonic() - self._last > QUIET_SECONDS:
            self._last = time.monotonic()
            total = f" of {self._total:,}" if self._total else ""
            click.echo(f"{self._name}: {self._done:,}{total}  {note}", err=True)

    def say(self, message: str) -> None:
        """See :class:`kgrel.data.progress.Progress`."""
        if self._bars is not None:
            self._bars.console.print(message, markup=False, highlight=False)
        else:
            click.echo(message, err=True)
