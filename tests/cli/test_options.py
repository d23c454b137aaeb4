"""Settings become options with their meaning and default; what is given wins over recipes, what is not stays."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner

from kgrel.data.settings import descriptions
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.score.settings import ScoreSettings
from kgrel.text.settings import BuildCorpusSettings
from kgrel.train.settings import PAIR_RECIPES, PRETRAIN_RECIPES, PairSettings, PretrainSettings
from kgrel.train.typing_settings import TypingSettings
from kgrel_cli.main import cli
from kgrel_cli.options import output_options, plain, print_summary, readable, settings_from, settings_options

Kgrel = Callable[..., Any]

STAGES: dict[str, type] = {
    "build-corpus": BuildCorpusSettings,
    "pretrain": PretrainSettings,
    "train-pairs": PairSettings,
    "evaluate-pairs": EvaluationSettings,
    "score-pairs": ScoreSettings,
    "train-typing": TypingSettings,
}


@dataclass(frozen=True)
class Stage:
    """One attribute of each kind."""

    count: int = 3
    """How many, in pieces."""
    rate: float = 0.5
    """How fast."""
    name: str = ""
    """How it is called."""
    mode: Literal["slow", "fast"] = "slow"
    """Which way."""
    thorough: bool = True
    """Look twice."""
    words: tuple[str, ...] = ("a", "b")
    """Which words."""
    limit: int | None = None
    """Where it ends."""
    secret: int = 7
    """Not for the command line."""


RECIPES = {"default": Stage(), "paper": Stage(count=400, mode="fast", thorough=False, words=("p",))}


def given_by(*arguments: str, recipes: dict[str, Stage] | None = None) -> Stage:
    """The settings that a command with these arguments builds."""
    found: list[Stage] = []

    @click.command()
    @settings_options(Stage, recipes, hidden=("secret",))
    def command(**given: Any) -> None:
        found.append(settings_from(Stage, given, recipes))

    result = CliRunner().invoke(command, list(arguments))
    assert result.exit_code == 0, result.output
    return found[0]


@pytest.mark.parametrize("verb", STAGES)
def test_the_help_shows_every_setting_with_its_meaning_and_default(verb: str) -> None:
    result = CliRunner().invoke(cli, [verb, "--help"], terminal_width=2000, max_content_width=2000)
    text = " ".join(result.stdout.split())
    for name, meaning in descriptions(STAGES[verb]).items():
        (field,) = (field for field in dataclasses.fields(STAGES[verb]) if field.name == name)
        option, default = "--" + name.replace("_", "-"), plain(field.default)
        shown = rf"{option}(?: / --\S+| \S+) {re.escape(meaning)} \[default: {re.escape(default)}\]"
        assert re.search(shown, text), option


@pytest.mark.parametrize("verb", STAGES)
def test_every_setting_has_a_meaning(verb: str) -> None:
    assert set(descriptions(STAGES[verb])) == {field.name for field in dataclasses.fields(STAGES[verb])}


@pytest.mark.parametrize("verb", [*STAGES, "tune-threshold"])
def test_every_option_of_every_verb_is_explained(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize(("verb", "recipes"), [("pretrain", PRETRAIN_RECIPES), ("train-pairs", PAIR_RECIPES)])
def test_recipes_are_offered_by_name(verb: str, recipes: dict[str, Any]) -> None:
    result = CliRunner().invoke(cli, [verb, "--help"], terminal_width=2000, max_content_width=2000)
    lines = [line.strip() for line in result.stdout.splitlines()]
    (first,) = (number for number, line in enumerate(lines) if line.startswith("--recipe"))
    row = " ".join(lines[first : first + 3])  # a long list of names has a line of its own
    assert f"[{'|'.join(recipes)}]" in row
    assert "[default: default]" in row


def test_without_options_the_settings_are_the_defaults() -> None:
    assert given_by() == Stage()
    assert given_by(recipes=RECIPES) == Stage()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--count", "9"], Stage(count=9)),
        (["--count", "0"], Stage(count=0)),
        (["--rate", "1e-3"], Stage(rate=1e-3)),
        (["--rate", "0"], Stage(rate=0.0)),
        (["--name", "x y"], Stage(name="x y")),
        (["--mode", "fast"], Stage(mode="fast")),
        (["--no-thorough"], Stage(thorough=False)),
        (["--thorough"], Stage()),
        (["--words", "c"], Stage(words=("c",))),
        (["--words", "c", "--words", "d"], Stage(words=("c", "d"))),
        (["--words", ""], Stage(words=())),
        (["--limit", "5"], Stage(limit=5)),
    ],
)
def test_what_is_given_replaces_the_default(arguments: list[str], expected: Stage) -> None:
    assert given_by(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        ([], {}),
        (["--count", "3"], {"count": 3}),
        (["--mode", "slow"], {"mode": "slow"}),
        (["--thorough"], {"thorough": True}),
        (["--words", "a", "--words", "b"], {"words": ("a", "b")}),
        (["--rate", "0.5"], {}),
    ],
)
def test_options_beside_a_recipe_win_even_where_they_repeat_the_default(
    arguments: list[str], changed: dict[str, Any]
) -> None:
    expected = dataclasses.replace(RECIPES["paper"], **changed)
    assert given_by("--recipe", "paper", *arguments, recipes=RECIPES) == expected
    assert given_by(*arguments, "--recipe", "paper", recipes=RECIPES) == expected


def test_hidden_settings_have_no_option() -> None:
    @click.command()
    @settings_options(Stage, hidden=("secret",))
    def command(**given: Any) -> None: ...

    assert "secret" not in {parameter.name for parameter in command.params}
    assert [parameter.name for parameter in command.params] == [
        field.name for field in dataclasses.fields(Stage) if field.name != "secret"
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [((), "none"), (("a", "b"), "a, b"), (True, "yes"), (False, "no"), ("", "none"), (0, "0"), (1e-3, "0.001")],
)
def test_defaults_are_shown_as_a_user_would_type_them(value: object, shown: str) -> None:
    assert plain(value) == shown


def test_output_options_are_off_unless_given() -> None:
    found: list[dict[str, bool]] = []

    @click.command()
    @output_options
    def command(**given: bool) -> None:
        found.append(given)

    CliRunner().invoke(command, [])
    CliRunner().invoke(command, ["--overwrite", "--json"])
    assert found == [{"overwrite": False, "as_json": False}, {"overwrite": True, "as_json": True}]


SUMMARY = {"rows": 12345, "share": 0.123456, "nested": {"größe": 1, "deeper": {"on": True}}, "of": ["a", 2], "x": None}


def test_a_summary_is_one_json_object_or_readable_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(SUMMARY, as_json=True)
    out, err = capsys.readouterr()
    assert (json.loads(out), out.count("\n"), err) == (SUMMARY, 1, "")
    assert "größe" in out
    print_summary(SUMMARY, as_json=False)
    assert capsys.readouterr().out.splitlines() == readable(SUMMARY)
    for as_json in (True, False):
        print_summary(SUMMARY, as_json=as_json, to_stderr=True)
        out, err = capsys.readouterr()
        assert out == ""
        assert err


def test_readable_lines_are_aligned_and_indented() -> None:
    assert readable(SUMMARY) == [
        "rows    12,345",
        "share   0.1235",
        "nested",
        "  größe   1",
        "  deeper",
        "    on  yes",
        "of      a, 2",
        "x       none",
    ]


def test_large_ratios_have_separators_and_what_is_empty_says_so() -> None:
    summary = {"most": 10970.0, "edge": 999.96, "small": 6.363e-05, "bad": [], "of": {}}
    assert readable(summary | {"t": [["ab\x1b", 1], ["c", 22]]}) == [
        "most   10,970",
        "edge   1,000",
        "small  6.363e-05",
        "bad    none",
        "of     none",
        "t",
        "  ab\ufffd  1",
        "  c    22",
    ]


def test_a_summary_never_holds_nan(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_summary({"f1": float("nan")}, as_json=True)
    assert capsys.readouterr().out == ""
