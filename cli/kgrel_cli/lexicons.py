"""What the verbs that tag share: the option for lexicons, and the stop list among the settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from kgrel.text.settings import BuildCorpusSettings
from kgrel_cli.options import settings_from

F = TypeVar("F", bound=Callable[..., Any])


class NamedFile(click.ParamType[tuple[str, Path]]):
    """``TYPE=FILE``."""

    name = "TYPE=FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        """``TYPE=FILE`` as its two halves."""
        type_, separator, file = str(value).partition("=")
        if not (separator and type_ and file):
            self.fail(f"{value!r} is not TYPE=FILE, for example GENE=genes.tsv", param, ctx)
        return type_, Path(file)


def lexicon_option(required: bool) -> Callable[[F], F]:
    """``--lexicon TYPE=FILE``, repeatable."""
    text = "Names of the entities of a type: TSV (columns id, name, synonyms …) or OBO, also .gz. May be repeated."
    return click.option("--lexicon", "lexicons", multiple=True, required=required, type=NamedFile(), help=text)


def tagging_settings(given: dict[str, Any], stop_list: Path | None) -> BuildCorpusSettings:
    """The settings with the names of a stop list among their stop words."""
    from kgrel.text.stopwords import read_stop_list

    if stop_list is not None:
        given["stop_words"] = (*(given["stop_words"] or ()), *sorted(read_stop_list(stop_list)))
    return settings_from(BuildCorpusSettings, given)
