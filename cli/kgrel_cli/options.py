"""From settings dataclasses to click options, and what every verb shares."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Collection
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

import click

from kgrel.data.printing import aligned, four_digits, printable
from kgrel.data.settings import descriptions

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S")

INPUT = click.Path(path_type=Path)
"""A path that the library opens, so that the library says what is wrong with it."""
FORMAT = click.Choice(["csv", "tsv", "jsonl", "parquet"])
REPEATED = "May be repeated; '' alone means none."


def two_types(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, str] | None:
    """Callback of an option: two entity types, joined by a comma."""
    if value is None:
        return None
    types = [part.strip() for part in value.split(",")]
    if len(types) != 2 or not all(types):
        message = f"{value!r} is not two types joined by a comma, such as GENE,DISEASE"
        raise click.BadParameter(message, context, parameter)
    return types[0], types[1]


NOT_GIVEN: tuple[object, ...] = (None, ())
"""What click passes for an option that was not given, and for a repeatable one."""


def given_names(cls: type, given: dict[str, Any]) -> list[str]:
    """The options of a settings dataclass that were given, as the user types them."""
    names = [field.name for field in dataclasses.fields(cls) if given.get(field.name) not in NOT_GIVEN]
    return ["--" + name.replace("_", "-") for name in names]


def settings_options(
    cls: type, recipes: dict[str, Any] | None = None, hidden: Collection[str] = (), default: str | None = None
) -> Callable[[F], F]:
    """One option for each attribute of a settings dataclass, helped by its docstring.

    Options that are not given stay None, so that :func:`settings_from` can tell them from a recipe's values.

    Args:
        hidden: attributes without an option.
        default: where the values come from that are not given, if not from the dataclass.
    """
    texts, hints = descriptions(cls), typing.get_type_hints(cls)

    def decorate(function: F) -> F:
        for field in reversed(dataclasses.fields(cls)):
            if field.name not in hidden:
                shown = f"{texts.get(field.name, '')}  [default: {default or plain(field.default)}]"
                function = option_of(field, hints[field.name], shown)(function)
        if recipes:
            choice = click.Choice(list(recipes))
            text = "Named settings; options given beside it win."
            function = click.option("--recipe", type=choice, default="default", show_default=True, help=text)(function)
        return function

    return decorate


def option_of(field: dataclasses.Field[Any], hint: Any, shown: str) -> Callable[[F], F]:
    """The click option of one attribute."""
    name = "--" + field.name.replace("_", "-")
    if hint is bool:
        return click.option(f"{name}/--no-{name[2:]}", field.name, default=None, help=shown)
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return click.option(name, field.name, type=click.Choice(list(typing.get_args(hint))), default=None, help=shown)
    if origin is tuple:
        kind = typing.get_args(hint)[0]
        ending = REPEATED if kind is str else "May be repeated."
        return click.option(name, field.name, type=kind, multiple=True, default=None, help=f"{shown}  {ending}")
    if origin in (UnionType, typing.Union):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    return click.option(name, field.name, type=hint, default=None, help=shown)


def plain(value: Any) -> str:
    """A default as the user would type it."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "none"


def settings_from(cls: type[S], given: dict[str, Any], recipes: dict[str, S] | None = None) -> S:
    """Build the settings from the options that were given, on top of the recipe."""
    recipe = given.pop("recipe", "default")
    return changed(recipes[recipe] if recipes else cls(), given)


def changed(settings: S, given: dict[str, Any]) -> S:
    """Settings with the options that were given in place of what they say."""
    names = {field.name for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    chosen = {name: value for name, value in given.items() if name in names and value not in NOT_GIVEN}
    chosen = {name: tuple(filter(None, v)) if isinstance(v, tuple) else v for name, v in chosen.items()}
    return dataclasses.replace(settings, **chosen)  # type: ignore[type-var]


def output_options(function: F) -> F:
    """--overwrite and --json."""
    function = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON on stdout.")(function)
    return click.option("--overwrite", is_flag=True, help="Replace an existing output.")(function)


def print_summary(summary: dict[str, Any], as_json: bool, to_stderr: bool = False) -> None:
    """Print a summary as one JSON object or as readable lines, on stdout unless the data goes there."""
    lines = [json.dumps(summary, ensure_ascii=False, allow_nan=False)] if as_json else readable(summary)
    for line in lines:
        click.echo(line, err=to_stderr)


def readable(summary: dict[str, Any], indent: int = 0) -> list[str]:
    """Nested values, and tables, as indented lines."""
    lines = []
    width = max((len(str(key)) for key in summary), default=0)
    for key, value in summary.items():
        if isinstance(value, dict) and value:
            lines.append(" " * indent + str(key))
            lines += readable(value, indent + 2)
        elif isinstance(value, list) and value and all(isinstance(row, list) for row in value):
            rows = aligned([[readable_value(cell) for cell in row] for row in value])
            lines += [" " * indent + str(key), *(" " * (indent + 2) + row for row in rows)]
        else:
            lines.append(" " * indent + f"{key!s:<{width}}  {readable_value(value)}")
    return lines


def readable_value(value: Any) -> str:
    """A number with separators, a ratio with four digits, the members of a list, anything else as it is."""
    if value in (None, [], {}):
        return "none"
    if isinstance(value, bool):
        return plain(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return four_digits(value)
    return ", ".join(map(readable_value, value)) if isinstance(value, list) else printable(str(value))
