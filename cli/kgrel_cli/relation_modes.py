"""``kgrel relation-modes``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.search.settings import ModeSettings
from kgrel_cli.options import INPUT, settings_from, settings_options


@click.command("relation-modes")
@click.argument("representation", metavar="REPR", type=INPUT)
@click.argument("first")
@click.argument("second")
@click.option("--index", type=INPUT, help="INDEX of the same REPR: gives the nearest listed pairs of each mode.")
@click.option("--corpus", type=INPUT, help="CORPUS: gives the sentences of each mode, if REPR can read them.")
@settings_options(ModeSettings)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(
    representation: Path, first: str, second: str, index: Path | None, corpus: Path | None, as_json: bool, **given: Any
) -> None:
    """Show whether the pair FIRST, SECOND has several relations: the modes of p(z|x,y).

    A mode is a maximum of the density of samples of z that bootstraps find again. Each is shown with its words, nearest
    listed pairs and sentences; what was not given is left out, and said. A u that has collapsed gives one mode.

    \b
    Example:
      kgrel relation-modes repr AKT1 GSK3B --index index --corpus corpus
    """
    settings = settings_from(ModeSettings, given)
    import json

    from kgrel.model.representation import Representation
    from kgrel.search.index import RelationIndex
    from kgrel.search.relation_modes import relation_modes
    from kgrel.search.show import text_modes
    from kgrel.text.corpus import Corpus

    found = relation_modes(
        Representation.open(representation),
        first,
        second,
        settings,
        index=RelationIndex.open(index) if index else None,
        corpus=Corpus.open(corpus) if corpus else None,
    )
    click.echo(json.dumps(found, ensure_ascii=False, allow_nan=False) if as_json else text_modes(found))
