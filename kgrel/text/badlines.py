"""Lines of an input that cannot be used: counted and reported, or fatal under ``strict``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kgrel.data.errors import InputError

KEPT = 5


@dataclass
class BadLines:
    """Counts bad lines and keeps the first few reasons.

    Attributes:
        strict: raise the first one instead.
        count: bad lines so far.
        first: the first few, each ``file line N: reason``, the file without its directory.
    """

    strict: bool = False
    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, error: InputError, line: int) -> None:
        """Count a bad line.

        Raises:
            InputError: ``error`` itself, under ``strict``.
        """
        if self.strict:
            raise error
        self.count += 1
        if len(self.first) < KEPT:
            self.first.append(f"{Path(error.path).name} line {line}: {error.message}")

    @property
    def told(self) -> str:
        """What was left out, to follow a sentence on what is missing; empty if nothing was."""
        return f"; {self.count:,} bad lines left out, e.g. {self.first[0]}" if self.count else ""
