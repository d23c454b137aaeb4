"""What holds for every verb: help with examples, one spelling for one thing, JSON, completion, no colour in files."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kgrel_cli.main import COMPLETE, VERBS, cli
from kgrel_cli.options import INPUT

Kgrel = Callable[..., Any]
WITHOUT_JSON = {"completion"}
"""Verbs whose answer is no data."""
HOMONYMS = {"--pairs", "--negatives", "--fine-tune"}
"""Options that name which pairs or what is tuned in one verb, and how many, or a file of them, in another."""
SERVERS = {"explore"}
"""Verbs that end when they are told to."""
ESCAPE = "\x1b["


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every verb, and every subcommand of one."""
    root = click.Context(cli)
    for verb in VERBS:
        command = cli.get_command(root, verb)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{verb} {name}", one) for name, one in command.commands.items())
        else:
            yield verb, command


COMMANDS = dict(commands())


def options(command: click.Command) -> list[click.Option]:
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def help_of(command: str) -> str:
    result = CliRunner().invoke(cli, [*command.split(), "--help"], terminal_width=120, max_content_width=120)
    assert result.exit_code == 0
    return result.stdout


def parse(words: list[str]) -> None:
    """Read the arguments of a command as it would, without running it.

    Raises:
        UsageError: they are wrong.
    """
    context = cli.make_context("kgrel", words)
    group: click.Group = cli
    while words:
        name, command, words = group.resolve_command(context, words)
        assert command is not None
        context = command.make_context(name, list(words), parent=context)
        if not isinstance(command, click.Group):
            return
        group = command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_what_it_does_and_shows_an_example_that_parses(name: str) -> None:
    text = help_of(name)
    assert re.search(r"^\n  [A-Z]", text, re.MULTILINE)
    lines = text.partition("\n  Example")[2].partition("\n\n")[0].replace("\\\n", " ").splitlines()
    examples = [shlex.split(re.split(r" [>|]+ ", line)[0]) for line in lines if line.strip().startswith("kgrel ")]
    assert any(words[1 : 1 + name.count(" ") + 1] == name.split() for words in examples)
    for words in examples:
        parse(words[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_and_spelled_alike(name: str) -> None:
    for option in options(COMMANDS[name]):
        assert option.help, option.name
        for spelling in (*option.opts, *option.secondary_opts):
            assert re.fullmatch(r"--[a-z0-9]+(-[a-z0-9]+)*", spelling), spelling


def test_options_of_one_name_take_one_kind_of_value() -> None:
    kinds: dict[str, dict[str, set[str]]] = {}
    for name, command in COMMANDS.items():
        for option in options(command):
            kind = "flag" if option.is_flag else option.type.name.removesuffix(" range")
            kinds.setdefault(option.opts[0], {}).setdefault(kind, set()).add(name)
    assert {spelling for spelling, by_kind in kinds.items() if len(by_kind) > 1} == HOMONYMS, kinds


@pytest.mark.parametrize("name", COMMANDS)
def test_what_writes_can_be_told_to_overwrite_and_what_answers_gives_json(name: str) -> None:
    given = {spelling for option in options(COMMANDS[name]) for spelling in option.opts}
    assert "--json" in given or name in WITHOUT_JSON | SERVERS
    if "--out" in given:
        assert "--overwrite" in given


@pytest.mark.parametrize("name", COMMANDS)
def test_paths_are_opened_by_the_library(name: str) -> None:
    for parameter in COMMANDS[name].params:
        if isinstance(parameter.type, click.Path):
            assert parameter.type is INPUT, parameter.name


def test_help_answers_at_once() -> None:
    fastest = min(map(seconds_of_help, range(3)))
    assert fastest < 0.3


def seconds_of_help(_: int) -> float:
    """Processor time, which does not count what else the machine does."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "kgrel_cli", "--help"], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def completions(words: str) -> list[str]:
    """What bash is offered behind these words."""
    environment = os.environ | {COMPLETE: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = [sys.executable, "-c", "from kgrel_cli.main import main; main()"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    return [line.partition(",")[2] for line in result.stdout.splitlines()]


def test_verbs_options_and_choices_are_completed() -> None:
    assert completions("kgrel rank") == ["rank-pairs"]
    assert completions("kgrel rank-pairs --novel") == ["--novel-only"]
    assert completions("kgrel pretrain --size x-") == ["x-small", "x-large"]
    assert completions("kgrel export neo4") == ["neo4j", "neo4j-csv"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_kgrel(kgrel: Kgrel, shell: str) -> None:
    outcome = kgrel("completion", shell)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"{COMPLETE}={shell}_complete" in outcome.out.decode()


def test_bash_accepts_its_script(kgrel: Kgrel, tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(kgrel("completion", "bash").out)
    result = subprocess.run(["bash", "-c", "source ./script && complete -p kgrel"], cwd=tmp_path, capture_output=True)
    assert result.returncode == 0, result.stderr
    assert b"_kgrel_completion" in result.stdout


def test_the_doctor_answers_in_lines_and_in_json(kgrel: Kgrel, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(kgrel("doctor", "--json").out)
    shown = kgrel("doctor").out.decode()
    assert {"versions", "memory (GiB)", "disk (GiB)"} <= set(shown.splitlines())
    monkeypatch.setattr("kgrel.apps.doctor.shortages", lambda _: ["there is no room; make some"])
    outcome = kgrel("doctor", "--json")
    assert outcome.code == 1
    assert "kgrel: there is no room; make some\n" in outcome.err
    assert json.loads(outcome.out)["versions"] == found["versions"]


def terminal_output(arguments: list[str], environment: dict[str, str]) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kgrel_cli", *arguments]
    environment = os.environ | {"TERM": "xterm-256color"} | environment
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not block:
            break
        written += block
    os.close(ours)
    assert process.wait() == 0, written
    return written.decode()


def test_colours_stand_on_a_terminal_alone_and_only_where_they_are_wanted(corpus_path: Path, kgrel: Kgrel) -> None:
    from kgrel.text.corpus import Corpus

    entities, pairs = Corpus.open(corpus_path).entities, Corpus.open(corpus_path).pairs
    ids = [f"{entities.types[side[0]]}::{entities.ids[side[0]]}" for side in (pairs.heads, pairs.tails)]
    arguments = ["show-evidence", str(corpus_path), *ids]
    assert ESCAPE in terminal_output(arguments, {})
    assert ESCAPE not in terminal_output(arguments, {"NO_COLOR": "1"})
    assert ESCAPE.encode() not in kgrel(*arguments).out


def test_a_password_that_nobody_can_type_in_is_asked_for_in_one_sentence(
    kgrel: Kgrel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KGREL_NEO4J_PASSWORD", raising=False)
    outcome = kgrel("export", "neo4j", "--delete-run", "first")
    assert outcome.code == 1
    assert outcome.err.startswith("kgrel: no password: set KGREL_NEO4J_PASSWORD")
