"""Stated failures: one sentence that names the file, the line or the key, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class KgrelError(Exception):
    """A failure that the user can act on. The command line prints it and exits with 1."""


class InputError(KgrelError):
    """Something is wrong with an input file; ``line`` counts from 1."""

    def __init__(self, path: str | Path, message: str, line: int | None = None) -> None:
        place = f"{path}, line {line}" if line is not None else f"{path}"
        super().__init__(f"{place}: {message}")
        self.path, self.line, self.message = str(path), line, message

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, int | None]]:
        # Without it an error does not come back from a worker process: its message alone is no argument list.
        return type(self), (self.path, self.message, self.line)


class ArtifactError(KgrelError):
    """An artifact directory is missing, damaged, foreign, unfinished or newer than this kgrel."""


class NonFiniteError(KgrelError):
    """A NaN or an infinity arose where only finite numbers may pass."""


class PassingError(KgrelError):
    """The machine or the place failed, not the input or the options: finished parts stay, to be gone on with."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the nearest known word, or the empty string."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
