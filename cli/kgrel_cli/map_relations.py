"""``kgrel map-relations``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.search.settings import MapSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options


@click.command("map-relations")
@click.argument("index", type=INPUT)
@click.option("--png", type=INPUT, help="Write a picture.")
@click.option("--html", "page", type=INPUT, help="Write a page on which each point tells its pair.")
@settings_options(MapSettings)
@output_options
def command(index: Path, png: Path | None, page: Path | None, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Draw the pairs of INDEX in a plane, near where their relations are alike, coloured by relation.

    \b
    Example:
      kgrel map-relations index --listed-only --png map.png --html map.html
    """
    settings = settings_from(MapSettings, given)
    from kgrel.search.index import RelationIndex
    from kgrel.search.map import map_relations

    print_summary(map_relations(RelationIndex.open(index), png, page, settings, overwrite), as_json)
