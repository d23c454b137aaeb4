"""Progress goes to stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from kgrel.data.progress import Progress
from kgrel_cli import progress as module
from kgrel_cli.progress import QUIET_SECONDS, Reporter


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time that passes on demand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def test_a_reporter_is_a_progress() -> None:
    progress: Progress = Reporter()
    progress.start("task", 3)
    progress.advance(1)


def test_away_from_a_terminal_a_line_comes_only_after_a_while(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter() as progress:
        progress.start("scoring", 5000)
        progress.advance(1000)
        clock.now += QUIET_SECONDS / 2
        progress.advance(500, "early")
        assert capsys.readouterr() == ("", "")
        clock.now += QUIET_SECONDS
        progress.advance(500, "loss 0.5")
        assert capsys.readouterr() == ("", "scoring: 2,000 of 5,000  loss 0.5\n")
        progress.advance(1)
        assert capsys.readouterr() == ("", "")


def test_a_new_task_counts_from_zero_and_a_total_may_be_unknown(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Reporter() as progress:
        progress.start("first", 10)
        progress.advance(10)
        progress.start("second", None)
        clock.now += 2 * QUIET_SECONDS
        progress.advance(7)
    assert capsys.readouterr() == ("", "second: 7  \n")


def test_messages_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter() as progress:
        progress.say("[bold] 1 of [/red] ü")
    assert capsys.readouterr() == ("", "[bold] 1 of [/red] ü\n")


def test_on_a_terminal_a_bar_is_drawn_and_messages_stay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Reporter() as progress:
        progress.start("scoring", 100)
        progress.advance(40, "loss 0.5")
        progress.start("writing", None)
        progress.advance(1)
        progress.say("[bold] 1 of [/red]")
    text = terminal.getvalue()
    assert "writing" in text
    assert "[bold] 1 of [/red]" in text
    assert capsys.readouterr().out == ""


def test_the_bar_is_taken_down_when_the_block_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")

    def failing() -> None:
        with Reporter() as progress:
            progress.start("scoring", 100)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        failing()
    assert terminal.getvalue().endswith("\x1b[?25h")  # the cursor is shown again
