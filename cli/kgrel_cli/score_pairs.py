"""``kgrel score-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.score.settings import ScoreSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter

FORMAT = click.Choice(["csv", "tsv", "jsonl", "parquet"])


@click.command("score-pairs")
@click.argument("pairs", type=INPUT)
@click.argument("candidates", type=INPUT)
@click.option(
    "--out",
    required=True,
    type=INPUT,
    help="Where to write: csv, tsv, jsonl or parquet by ending; - is stdout.",
)
@click.option("--input-format", type=FORMAT, help="Format of CANDIDATES, needed for stdin.  [default: by ending]")
@click.option("--output-format", type=FORMAT, help="Format of --out, needed for stdout.  [default: by ending]")
@settings_options(ScoreSettings)
@output_options
def command(
    pairs: Path,
    candidates: Path,
    out: Path,
    input_format: Any,
    output_format: Any,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Score the entity pairs of CANDIDATES: one row out for each row in, in order, every column kept.

    CANDIDATES has the columns source and target (or head and tail, subject and object), optionally source_type
    and target_type; - is stdin. Added are relation, best_relation, score, score_std, probability, status,
    seen_in_text and known_relation. The summary goes to stderr where the rows go to stdout.

    \b
    Example:
      kgrel score-pairs pairs candidates.csv --out scored.csv
    """
    settings = settings_from(ScoreSettings, given)
    from kgrel.score.stream import score_file
    from kgrel.train.pair_model import PairModel

    with Reporter() as progress:
        summary = score_file(
            PairModel.open(pairs), candidates, out, settings, input_format=input_format,
            output_format=output_format, overwrite=overwrite, progress=progress,
        )  # fmt: skip
    print_summary(summary.to_json(), as_json, to_stderr=str(out) == "-")
