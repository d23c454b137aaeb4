"""``kgrel train-inductive``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.train.graph_settings import InductiveSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("train-inductive")
@click.argument("model", type=INPUT)
@click.argument("graph", type=INPUT)
@click.option(
    "--held-out", type=INPUT,
    help="PAIRS, baseline or file: edges between its validation and test pairs leave the graph.  "
    "[default: those of MODEL, if it is a PAIRS]",
)  # fmt: skip
@click.option("--out", required=True, type=INPUT, help="Directory of the INDUCTIVE artifact; a killed run is resumed.")
@settings_options(InductiveSettings)
@output_options
def command(
    model: Path, graph: Path, held_out: Path | None, out: Path, overwrite: bool, as_json: bool, **given: Any
) -> None:
    """Learn from a graph what the embedding of an entity would be that no context names.

    MODEL is a REPR or PAIRS artifact, whose embeddings are imitated; GRAPH holds some of its entities and others. The
    result is for score-pairs --inductive. A share of the entities is kept to measure it: their embeddings are hidden.

    \b
    Example:
      kgrel train-inductive repr graph --out inductive
      kgrel score-pairs pairs candidates.csv --inductive inductive --out scored.csv
    """
    settings = settings_from(InductiveSettings, given)
    from kgrel.graph.graph import Graph
    from kgrel.train.train_inductive import read_embeddings, train_inductive

    with Reporter() as progress:
        artifact = train_inductive(
            read_embeddings(model), Graph.open(graph), out, settings,
            held_out=held_out, overwrite=overwrite, progress=progress,
        )  # fmt: skip
    print_summary(artifact.manifest.summary, as_json)
