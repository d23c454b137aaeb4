"""How long jobs tell of their progress. The library is silent; the command line draws bars on stderr."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what a long job has to say."""

    def start(self, task: str, total: int | None) -> None:
        """A task begins; ``total`` units if known. A new task ends the one before."""

    def advance(self, units: int, note: str = "") -> None:
        """``units`` more are done; ``note`` is a short live text (losses, rates)."""

    def say(self, message: str) -> None:
        """A message that should stay on the screen."""


class Silent:
    """Says nothing."""

    def start(self, task: str, total: int | None) -> None: ...

    def advance(self, units: int, note: str = "") -> None: ...

    def say(self, message: str) -> None: ...
