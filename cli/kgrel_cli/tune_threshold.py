"""``kgrel tune-threshold``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT, output_options, print_summary


@click.command("tune-threshold")
@click.argument("pairs", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="Directory of the new PAIRS artifact.")
@click.option(
    "--per-class/--global", default=False,
    help="One threshold a class, each maximising its own F1, or one for all, maximising micro-F1.  [default: global]",
)  # fmt: skip
@output_options
def command(pairs: Path, out: Path, per_class: bool, overwrite: bool, as_json: bool) -> None:
    """Tune the threshold of PAIRS again, exactly, over all scores of its validation pairs.

    \b
    Example:
      kgrel tune-threshold pairs --per-class --out pairs-per-class
    """
    from kgrel.train.pair_model import PairModel
    from kgrel.train.train_pairs import tune_threshold

    print_summary(tune_threshold(PairModel.open(pairs), out, per_class, overwrite), as_json)
