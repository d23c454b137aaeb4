"""``kgrel import-graph``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.graph.settings import ImportSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("import-graph")
@click.argument("files", type=INPUT, nargs=-1, required=True)
@click.option("--out", required=True, type=INPUT, help="Directory of the GRAPH artifact.")
@settings_options(ImportSettings)
@output_options
def command(files: tuple[Path, ...], out: Path, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Read a knowledge graph from FILES, check it, and store it as GRAPH.

    FILES are NODES and EDGES, or EDGES alone where it says the types of its ends; also .gz and .zst. Edges that dangle,
    repeat or loop are counted, and listed in GRAPH/problems.tsv; with --strict they are refused.

    \b
    Examples:
      kgrel import-graph nodes.tsv edges.sif.gz --out graph
      kgrel import-graph nodes.jsonl edges.jsonl --format kgx --out graph
      kgrel import-graph kg.csv --format primekg --out graph
      kgrel import-graph triples.tsv --format tsv --strict --out graph
    """
    settings = settings_from(ImportSettings, given)
    from kgrel.graph.build import import_graph

    with Reporter() as progress:
        artifact = import_graph(files, out, settings, overwrite=overwrite, progress=progress)
    print_summary(artifact.manifest.summary, as_json)
