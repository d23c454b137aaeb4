"""The command line as a user meets it: ``main()`` with its arguments and streams, in this process."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kgrel_cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON object, and nothing beside it."""
        assert self.code == 0, self.err
        text = self.out.decode()
        assert text.endswith("}\n")
        return json.loads(text)


Kgrel = Callable[..., Outcome]


def run_kgrel(*arguments: object, stdin: bytes = b"") -> Outcome:
    """Run ``kgrel`` with arguments and standard input; what is no stated failure is raised."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code: Any = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["kgrel", *map(str, arguments)])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code
    return Outcome(code or 0, out.buffer.getvalue(), err.buffer.getvalue().decode())  # type: ignore[attr-defined]


@pytest.fixture
def kgrel() -> Kgrel:
    """Run ``kgrel`` with arguments and standard input."""
    return run_kgrel


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where outputs would go; a directory of its own, so that leftovers show."""
    (tmp_path / "outputs").mkdir()
    return tmp_path / "outputs" / "result"


def assert_refused(outcome: Any, out: Path, sentence: str) -> None:
    """A stated failure whose one sentence matches, and nothing left beside or at the output."""
    assert (outcome.code, outcome.out) == (1, b"")
    assert re.fullmatch(rf"kgrel: {sentence}\n", outcome.err), outcome.err
    assert list(out.parent.iterdir()) == []
