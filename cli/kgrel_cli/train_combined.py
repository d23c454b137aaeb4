"""``kgrel train-combined``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.apps.settings import TrainCombinedSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("train-combined")
@click.argument("representation", type=INPUT)
@click.option("--corpus", required=True, type=INPUT, help="CORPUS that the REPRESENTATION was pretrained on.")
@click.option(
    "--relations", required=True, type=INPUT,
    help="A GRAPH, or csv, tsv, jsonl or parquet, also .gz and .zst, with class, source_id, target_id.",
)  # fmt: skip
@click.option(
    "--graph", type=INPUT,
    help="GRAPH whose paths are counted by one more member; held-out pairs lose their edges first.",
)  # fmt: skip
@click.option(
    "--members", type=INPUT,
    help="Directory of the members, each an artifact: they are kept, and what is finished there is not trained again.  "
    "[default: OUT-members]",
)  # fmt: skip
@click.option("--out", required=True, type=INPUT, help="Directory of the COMBINED artifact.")
@settings_options(TrainCombinedSettings)
@output_options
def command(
    representation: Path,
    corpus: Path,
    relations: Path,
    graph: Path | None,
    members: Path | None,
    out: Path,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Train a fine-tuned classifier on REPRESENTATION and the baselines that add to it, and combine them.

    The members are the classifier, ComplEx, embeddings of the labels, co-mention counts, Adamic-Adar and degree
    products, and with --graph path counts: all of one split and seed, as train-pairs and train-baseline make them. They
    are weighed on the validation pairs as combine-pairs does. When the command of a killed run is given again, finished
    members are kept and the others go on.

    \b
    Examples:
      kgrel train-combined repr --corpus corpus --relations relations.tsv.gz --out combined
      kgrel train-combined repr --corpus corpus --relations relations.tsv.gz --graph graph --out combined
      kgrel evaluate-pairs combined --beside combined-members/kgrel-fine-tuned
    """
    settings = settings_from(TrainCombinedSettings, given)
    from kgrel.apps.train_combined import train_combined
    from kgrel.graph.graph import Graph
    from kgrel.model.representation import Representation
    from kgrel.text.corpus import Corpus

    with Reporter() as progress:
        summary = train_combined(
            Representation.open(representation), Corpus.open(corpus), relations, out, settings,
            members=members, graph=Graph.open(graph) if graph is not None else None,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    print_summary(summary, as_json)
