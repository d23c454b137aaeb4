"""``kgrel export-subgraph``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.apps.settings import SubgraphSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options


@click.command("export-subgraph")
@click.argument("graph", type=INPUT)
@click.argument("first")
@click.argument("second")
@click.option("--out", type=INPUT, help="File to write: .txt, .graphml, .png or .svg  [default: text on stdout]")
@settings_options(SubgraphSettings)
@output_options
def command(
    graph: Path, first: str, second: str, out: Path | None, overwrite: bool, as_json: bool, **given: Any
) -> None:
    """Write the paths between FIRST and SECOND in GRAPH that weigh most, by degrees of their nodes.

    Entities are given by identifier or name. An edge between the two themselves is no path.

    \b
    Example:
      kgrel export-subgraph graph AKT1 "breast cancer" --out paths.png
    """
    settings = settings_from(SubgraphSettings, given)
    from kgrel.apps.subgraph import export_subgraph, find_subgraph
    from kgrel.graph.graph import Graph

    if out is not None:
        print_summary(export_subgraph(Graph.open(graph), first, second, out, settings, overwrite), as_json)
        return
    if as_json:
        raise click.UsageError("--json prints the summary of a file; give --out")
    for line in find_subgraph(Graph.open(graph), first, second, settings).lines():
        click.echo(line)
