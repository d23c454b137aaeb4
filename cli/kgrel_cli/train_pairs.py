"""``kgrel train-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.train.settings import PAIR_RECIPES, PairSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter

GRAPH_WIDTH = 64
"""Units of the encodings of --graph-encoder where --graph-width is not given."""


@click.command("train-pairs")
@click.argument("representation", type=INPUT)
@click.option("--corpus", required=True, type=INPUT, help="CORPUS that says which pairs are co-mentioned.")
@click.option(
    "--relations", type=INPUT,
    help="Listed pairs with the columns class, source_id, target_id: csv, tsv, jsonl or parquet, also .gz and .zst.",
)  # fmt: skip
@click.option("--graph", type=INPUT, help="GRAPH whose edges are the listed pairs, instead of --relations.")
@click.option(
    "--graph-encoder", type=INPUT,
    help="GRAPH from which both entities are encoded beside z (R-GCN); held-out pairs lose their edges first.",
)  # fmt: skip
@click.option("--out", required=True, type=INPUT, help="Directory of the PAIRS artifact; an unfinished run is resumed.")
@settings_options(PairSettings, PAIR_RECIPES)
@output_options
def command(
    representation: Path,
    corpus: Path,
    relations: Path | None,
    graph: Path | None,
    graph_encoder: Path | None,
    out: Path,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Train the pair classifier on REPRESENTATION, and tune its threshold on validation pairs.

    By default it is trained twice, on the representation as it is and with the representation trained on, and the one
    with the better average precision on validation pairs is kept (--fine-tune).

    Pairs are split before training, by unordered pair; training negatives come from the training part alone.

    \b
    Examples:
      kgrel train-pairs repr --corpus corpus --relations relations.tsv.gz --out pairs
      kgrel train-pairs repr --corpus corpus --graph graph --labels types --out pairs
      kgrel train-pairs repr --corpus corpus --relations relations.tsv.gz --graph-encoder graph --out pairs
    """
    listed = graph if relations is None else relations
    if listed is None or (relations is not None and graph is not None):
        raise click.UsageError("give either --relations or --graph, which says what pairs are listed")
    if graph_encoder is not None and given["graph_width"] is None:
        given["graph_width"] = GRAPH_WIDTH
    settings = settings_from(PairSettings, given, PAIR_RECIPES)
    from kgrel.graph.graph import Graph
    from kgrel.model.representation import Representation
    from kgrel.text.corpus import Corpus
    from kgrel.train.train_pairs import train_pairs

    with Reporter() as progress:
        artifact = train_pairs(
            Representation.open(representation), Corpus.open(corpus), listed, out, settings,
            graph=Graph.open(graph_encoder) if graph_encoder is not None else None,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    print_summary(artifact.manifest.summary, as_json)
