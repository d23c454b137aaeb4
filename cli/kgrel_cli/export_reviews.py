"""``kgrel export-reviews``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT, output_options, print_summary


@click.command("export-reviews")
@click.argument("reviews", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="Relations table: csv, tsv, jsonl or parquet by ending.")
@click.option(
    "--pairs", type=INPUT, help="PAIRS artifact or baseline: its listed pairs go first, without rejected ones."
)
@output_options
def command(reviews: Path, out: Path, pairs: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write what was accepted in REVIEWS, the file of kgrel explore, as a table for train-pairs --relations.

    \b
    Examples:
      kgrel export-reviews reviews.sqlite --pairs pairs --out relations.tsv
      kgrel export-reviews reviews.sqlite --out accepted.csv
    """
    from kgrel.apps.explore.opening import existing_reviews
    from kgrel.apps.explore.reviews import export_reviews
    from kgrel.data.files import refuse_existing
    from kgrel.score.opening import open_scorer

    refuse_existing(out, overwrite)
    opened = existing_reviews(reviews)
    model = open_scorer(pairs) if pairs is not None else None
    print_summary(export_reviews(opened, out, model, overwrite), as_json)
