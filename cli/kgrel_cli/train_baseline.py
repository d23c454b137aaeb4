"""``kgrel train-baseline``: one command for each baseline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kgrel.baselines.settings import (
    ATTENTION_RECIPES,
    AttentionSettings,
    CooccurrenceSettings,
    DegreeSettings,
    KgeSettings,
    LabelOnlySettings,
    PathCountSettings,
)
from kgrel.data.artifact import Kind
from kgrel.train.settings import SplitSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.group("train-baseline")
def command() -> None:
    """Fit a baseline to the pairs that train-pairs splits in the same way with the same seed.

    What is saved is scored by score-pairs and rank-pairs, and evaluated by evaluate-pairs and evaluate-ranking. When
    the command of a killed run is given again, attention and kge go on from their checkpoints, the others start again.

    \b
    Examples:
      kgrel train-baseline cooccurrence --corpus corpus --relations relations.tsv.gz --measure npmi --out npmi
      kgrel train-baseline kge --model ComplEx --corpus corpus --relations relations.tsv.gz --out complex
    """


GRAPH = click.option(
    "--graph", required=True, type=INPUT, help="GRAPH whose paths are counted; held-out pairs lose their edges first."
)


def add(
    kind: Kind,
    cls: type[SplitSettings],
    text: str,
    recipes: dict[str, Any] | None = None,
    further: Callable[..., Any] = lambda command: command,
) -> Callable[..., None]:
    """The command of one baseline: its settings as options.

    Args:
        further: gives the command further options.
    """

    resumed = "is resumed" if kind in (Kind.ATTENTION, Kind.KGE) else "starts again, with the same result"
    needed = " --graph graph" if kind is Kind.PATH_COUNTS else ""
    example = f"kgrel train-baseline {kind} --corpus corpus --relations relations.tsv.gz{needed} --out {kind}"

    @command.command(str(kind), help=f"{text}\n\n\b\nExample:\n  {example}")
    @click.option("--corpus", required=True, type=INPUT, help="CORPUS that says which pairs are co-mentioned.")
    @click.option(
        "--relations", required=True, type=INPUT,
        help="A GRAPH, or csv, tsv, jsonl or parquet, also .gz and .zst, with class, source_id, target_id.",
    )  # fmt: skip
    @further
    @click.option("--out", required=True, type=INPUT, help=f"Directory of the artifact; an unfinished run {resumed}.")
    @settings_options(cls, recipes)
    @output_options
    def run(
        corpus: Path,
        relations: Path,
        out: Path,
        overwrite: bool,
        as_json: bool,
        graph: Path | None = None,
        **given: Any,
    ) -> None:
        settings = settings_from(cls, given, recipes)
        from kgrel.baselines.baseline import train_baseline
        from kgrel.graph.graph import Graph
        from kgrel.score.opening import scorer_class
        from kgrel.text.corpus import Corpus

        with Reporter() as progress:
            artifact = train_baseline(
                scorer_class(kind), Corpus.open(corpus), relations, out, settings,
                graph=Graph.open(graph) if graph is not None else None, overwrite=overwrite, progress=progress,
            )  # fmt: skip
        print_summary(artifact.manifest.summary, as_json)

    return run


add(Kind.COOCCURRENCE, CooccurrenceSettings, "Common contexts: any, their number, or pointwise mutual information.")
add(Kind.DEGREE, DegreeSettings, "Degree product, common neighbours or Adamic-Adar on the training labels.")
add(Kind.LABEL_ONLY, LabelOnlySettings, "Entity embeddings learned from the training labels alone.")
add(Kind.KGE, KgeSettings, "TransE, DistMult, ComplEx or RotatE (torch-geometric) on the training labels.")
add(Kind.ATTENTION, AttentionSettings, "LSTM over every sentence of a pair, attention pooling.", ATTENTION_RECIPES)
add(
    Kind.PATH_COUNTS,
    PathCountSettings,
    "Degree-weighted path counts in a graph, with logistic regression.",
    further=GRAPH,
)
