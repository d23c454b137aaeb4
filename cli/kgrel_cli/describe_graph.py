"""``kgrel describe-graph``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT, print_summary


@click.command("describe-graph")
@click.argument("graph", type=INPUT)
@click.option("--plots", type=INPUT, help="Draw the histograms into this PNG file as well.")
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON on stdout, and nothing else.")
def command(graph: Path, plots: Path | None, overwrite: bool, as_json: bool) -> None:
    """Show what GRAPH holds: nodes and edges by type, degrees, hubs, components, and what was wrong with the files.

    \b
    Example:
      kgrel describe-graph graph --plots degrees.png
    """
    from kgrel.graph.describe import describe_graph, draw_histograms, histograms
    from kgrel.graph.graph import Graph
    from kgrel.metrics.histograms import text_histogram

    opened = Graph.open(graph)
    if plots is not None:
        draw_histograms(opened, plots, overwrite)
    print_summary(describe_graph(opened), as_json)
    if not as_json:
        for histogram in histograms(opened):
            click.echo()
            click.echo(text_histogram(histogram))
