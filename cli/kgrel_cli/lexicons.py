"""What the verbs that tag share: the option for lexicons, and the stop list among the settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kgrel.text.settings import BuildCorpusSettings
from kgrel_cli.options import INPUT, settings_from

if TYPE_CHECKING:
    from kgrel.text.disambiguation import Disambiguator

F = TypeVar("F", bound=Callable[..., Any])


def lexicon_option(required: bool) -> Callable[[F], F]:
    """``--lexicon TYPE=FILE``, repeatable."""
    text = "Names of the entities of a type: TSV (id, name, synonyms …) or OBO, also .gz and .zst. May be repeated."
    return click.option(
        "--lexicon", "lexicons", multiple=True, required=required, metavar="TYPE=FILE", callback=_named_files, help=text
    )


def typing_option(function: F) -> F:
    """``--typing TYPING``."""
    text = "TYPING artifact: the context decides what names mean. Without it, names of several types are left out."
    return click.option("--typing", type=INPUT, help=text)(function)


def open_typing(path: Path | None) -> Disambiguator | None:
    """The classifier of ``--typing``; torch is loaded only if it is given."""
    if path is None:
        return None
    from kgrel.model.type_classifier import Typing

    return Typing.open(path)


def _named_files(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, Path], ...]:
    """Each ``TYPE=FILE`` as its two halves."""
    named = []
    for value in values:
        type_, separator, file = value.partition("=")
        if not (separator and type_ and file):
            raise click.BadParameter(f"{value!r} is not TYPE=FILE, for example GENE=genes.tsv", context, parameter)
        named.append((type_, Path(file)))
    return tuple(named)


def tagging_settings(given: dict[str, Any], stop_list: Path | None) -> BuildCorpusSettings:
    """The settings with the names of a stop list among their stop words."""
    from kgrel.text.stopwords import read_stop_list

    if stop_list is not None:
        given["stop_words"] = (*(given["stop_words"] or ()), *sorted(read_stop_list(stop_list)))
    return settings_from(BuildCorpusSettings, given)
