"""``kgrel hold-out-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.train.settings import HoldOutSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options


@click.command("hold-out-pairs")
@click.argument("corpus", type=INPUT)
@click.option(
    "--relations", required=True, type=INPUT,
    help="Listed pairs with the columns class, source_id, target_id: csv, tsv, jsonl or parquet, also .gz and .zst.",
)  # fmt: skip
@click.option("--out", required=True, type=INPUT, help="Directory of the CORPUS artifact to write.")
@settings_options(HoldOutSettings)
@output_options
def command(corpus: Path, relations: Path, out: Path, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Write CORPUS again without the contexts of some listed pairs, and of as many unlisted ones like them.

    A representation that is pretrained on it has never seen these pairs together; train-pairs and train-baseline with
    --split removed validate and test on them.

    \b
    Example:
      kgrel hold-out-pairs corpus --relations relations.tsv.gz --out corpus-held-out
      kgrel pretrain corpus-held-out --out repr
      kgrel train-pairs repr --corpus corpus-held-out --relations relations.tsv.gz --split removed --out pairs
    """
    settings = settings_from(HoldOutSettings, given)
    from kgrel.text.corpus import Corpus
    from kgrel.train.hold_out import hold_out_pairs

    artifact = hold_out_pairs(Corpus.open(corpus), relations, out, settings, overwrite)
    print_summary(artifact.manifest.summary, as_json)
