"""``kgrel combine-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.score.settings import OF_THE_SPLIT, CombineSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options


@click.command("combine-pairs")
@click.argument("members", type=INPUT, nargs=-1, required=True)
@click.option("--out", required=True, type=INPUT, help="Directory of the COMBINED artifact, which holds its members.")
@settings_options(CombineSettings, hidden=OF_THE_SPLIT)
@output_options
def command(members: tuple[Path, ...], out: Path, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Combine MEMBERS, PAIRS artifacts or baselines of one split, into one scorer.

    A logistic regression a class weighs their scores, fitted on the validation pairs, which no member was trained on;
    pairs of which both entities have a training label are weighed for themselves. Text, labels and a graph err on
    different pairs, so that together they rank better. What comes out is scored, ranked and evaluated as a PAIRS is.

    \b
    Example:
      kgrel train-baseline kge --model ComplEx --corpus corpus --relations relations.tsv.gz --out complex
      kgrel combine-pairs pairs complex --out combined
      kgrel score-pairs combined candidates.csv --out scored.csv
    """
    settings = settings_from(CombineSettings, given)
    from kgrel.score.combine import combine_pairs

    print_summary(combine_pairs(members, out, settings, overwrite), as_json)
