"""Exit codes, one sentence for a failure, a proposal for an unknown verb, and help without loading anything heavy."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kgrel import __version__
from kgrel.data.errors import InputError, KgrelError
from kgrel_cli import main as module
from kgrel_cli.main import VERBS, cli, failure

Kgrel = Callable[..., Any]


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make ``kgrel fail`` a verb that raises ``error``."""

    @click.command("fail")
    def command() -> None:
        raise error

    monkeypatch.setitem(module.VERBS, "fail", "Fails.")
    loaded = type("Loaded", (), {"command": command})
    import_module = module.import_module
    monkeypatch.setattr(
        module, "import_module", lambda name: loaded if name == "kgrel_cli.fail" else import_module(name)
    )


def test_the_overview_lists_every_verb_with_its_line() -> None:
    result = CliRunner().invoke(cli, ["--help"], terminal_width=200)
    assert result.exit_code == 0
    for verb, line in VERBS.items():
        assert any(row.split() == [verb, *line.split()] for row in result.stdout.splitlines()), verb
    assert CliRunner().invoke(cli, ["-h"], terminal_width=200).stdout == result.stdout


def test_the_version_is_that_of_the_library(kgrel: Kgrel) -> None:
    outcome = kgrel("--version")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.decode().split()[-1] == __version__


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "demo"])
def test_every_verb_has_help_an_example_and_a_name_that_fits(kgrel: Kgrel, verb: str) -> None:
    outcome = kgrel(verb, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    text = outcome.out.decode()
    assert text.startswith(f"Usage: kgrel {verb} ")
    assert f"  kgrel {verb} " in text.partition("Example")[2]
    assert kgrel(verb, "-h").out == outcome.out


@pytest.mark.parametrize(
    ("given", "proposed"),
    [("score-pair", "score-pairs"), ("pretrian", "pretrain"), ("evaluate", "evaluate-pairs"), ("zzz", None)],
)
def test_an_unknown_verb_is_wrong_usage_and_the_nearest_one_is_proposed(
    kgrel: Kgrel, given: str, proposed: str | None
) -> None:
    outcome = kgrel(given, "--out", "x")
    assert (outcome.code, outcome.out) == (2, b"")
    assert f"no such verb {given!r}" in outcome.err
    assert ("did you mean" in outcome.err) == (proposed is not None)
    assert proposed is None or f"(did you mean {proposed!r}?)" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["score-pairs"],
        ["score-pairs", "pairs", "list.csv"],
        ["score-pairs", "pairs", "list.csv", "--out", "x", "--on-unknown", "maybe"],
        ["score-pairs", "pairs", "list.csv", "--out", "x", "--no-such-option"],
        ["pretrain", "corpus", "--out", "x", "--steps", "many"],
        ["pretrain", "corpus", "--out", "x", "--recipe", "secret"],
        ["build-corpus", "s.tsv", "--out", "x", "--lexicon", "genes.tsv"],
        ["build-corpus", "s.tsv", "--out", "x", "--lexicon", "=genes.tsv"],
        ["build-corpus", "--out", "x", "--lexicon", "GENE=genes.tsv"],
        ["--no-such-option"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong_on_stderr(kgrel: Kgrel, arguments: list[str]) -> None:
    outcome = kgrel(*arguments)
    assert (outcome.code, outcome.out) == (2, b"")
    assert "Usage: kgrel" in outcome.err
    assert "Error: " in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KgrelError("the thing is not there; give another"), "the thing is not there; give another"),
        (InputError("list.csv", "is empty", 3), "list.csv, line 3: is empty"),
        (FileNotFoundError(errno.ENOENT, "No such file", "gone.csv"), "gone.csv: No such file"),
        (OSError(errno.ENOSPC, "No space left on device"), "the operating system: No space left on device"),
        (OSError("odd"), "the operating system: odd"),
        (MemoryError(), "out of memory; use a smaller batch or chunk"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_failure_is_one_sentence_on_stderr_and_a_traceback_only_on_demand(
    kgrel: Kgrel, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    assert failure(error) == sentence
    raising(monkeypatch, error)
    outcome = kgrel("fail")
    assert (outcome.code, outcome.out, outcome.err) == (1, b"", f"kgrel: {sentence}\n")
    for arguments in (["--traceback", "fail"], ["fail", "--traceback"]):
        outcome = kgrel(*arguments)
        assert (outcome.code, outcome.out) == (1, b"")
        assert outcome.err.startswith("Traceback (most recent call last):")
        assert outcome.err.endswith(f"kgrel: {sentence}\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_exits_with_130(kgrel: Kgrel, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    raising(monkeypatch, error)
    outcome = kgrel("fail")
    assert (outcome.code, outcome.out) == (130, b"")
    assert outcome.err.strip() == "interrupted"


def test_a_bug_is_not_dressed_up_as_a_stated_failure(kgrel: Kgrel, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        kgrel("fail")


def test_the_module_runs_as_a_program_and_passes_the_exit_code_on() -> None:
    result = subprocess.run([sys.executable, "-m", "kgrel_cli", "scor-pairs"], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert "did you mean 'score-pairs'?" in result.stderr


def test_a_reader_that_goes_away_ends_the_program_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = subprocess.run([sys.executable, "-m", "kgrel_cli", "--help"], stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert result.returncode == 1
    assert result.stderr == b""


def test_every_file_with_a_command_is_a_verb() -> None:
    sources = Path(module.__file__).parent.glob("*.py")
    files = {source.stem for source in sources if re.search(r"@click\.(command|group)\(", source.read_text("utf-8"))}
    files -= {"main"}
    assert {verb.replace("-", "_") for verb in VERBS} == files
