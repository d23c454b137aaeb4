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
)
from kgrel.data.artifact import Kind
from kgrel.train.settings import SplitSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.group("train-baseline")
def command() -> None:
    """Fit a baseline to the pairs that train-pairs splits in the same way with the same seed.

    What is saved is scored by score-pairs and rank-pairs, and evaluated by evaluate-pairs and evaluate-ranking.

    \b
    Examples:
      kgrel train-baseline cooccurrence --corpus corpus --relations relations.tsv.gz --measure npmi --out npmi
      kgrel train-baseline kge --model ComplEx --corpus corpus --relations relations.tsv.gz --out complex
    """


def add(kind: Kind, cls: type[SplitSettings], text: str, recipes: dict[str, Any] | None = None) -> Callable[..., None]:
    """The command of one baseline: its settings as options."""

    example = f"kgrel train-baseline {kind} --corpus corpus --relations relations.tsv.gz --out {kind}"

    @command.command(str(kind), help=f"{text}\n\n\b\nExample:\n  {example}")
    @click.option("--corpus", required=True, type=INPUT, help="CORPUS that says which pairs are co-mentioned.")
    @click.option(
        "--relations", required=True, type=INPUT,
        help="Listed pairs with the columns class, source_id, target_id: csv, tsv, jsonl or parquet, also .gz.",
    )  # fmt: skip
    @click.option("--out", required=True, type=INPUT, help="Directory of the artifact; an unfinished run is resumed.")
    @settings_options(cls, recipes)
    @output_options
    def run(corpus: Path, relations: Path, out: Path, overwrite: bool, as_json: bool, **given: Any) -> None:
        settings = settings_from(cls, given, recipes)
        from kgrel.baselines.baseline import train_baseline
        from kgrel.score.opening import scorer_class
        from kgrel.text.corpus import Corpus

        with Reporter() as progress:
            artifact = train_baseline(
                scorer_class(kind), Corpus.open(corpus), relations, out, settings,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
        print_summary(artifact.manifest.summary, as_json)

    return run


add(Kind.COOCCURRENCE, CooccurrenceSettings, "Common contexts: any, their number, or pointwise mutual information.")
add(Kind.DEGREE, DegreeSettings, "Degree product, common neighbours or Adamic-Adar on the training labels.")
add(Kind.LABEL_ONLY, LabelOnlySettings, "Entity embeddings learned from the training labels alone.")
add(Kind.KGE, KgeSettings, "TransE, DistMult, ComplEx or RotatE (torch-geometric) on the training labels.")
add(Kind.ATTENTION, AttentionSettings, "LSTM over every sentence of a pair, attention pooling.", ATTENTION_RECIPES)
