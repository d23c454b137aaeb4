"""``kgrel tune-threshold``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from kgrel.train.settings import TUNED, PairSettings
from kgrel_cli.options import INPUT, changed, output_options, print_summary, settings_options

NOT_HERE = {field.name for field in dataclasses.fields(PairSettings)}.difference(TUNED) | {"per_class_thresholds"}


@click.command("tune-threshold")
@click.argument("pairs", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="Directory of the new PAIRS artifact.")
@click.option(
    "--per-class/--global", "per_class_thresholds", default=False,
    help="One threshold a class, each maximising its own F1, or one for all, maximising micro-F1.  [default: global]",
)  # fmt: skip
@settings_options(PairSettings, hidden=NOT_HERE, default="as PAIRS has it")
@output_options
def command(pairs: Path, out: Path, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Tune the threshold of PAIRS again, exactly, over all scores of its validation pairs.

    A threshold holds for one way of sampling, so this is also where another one is chosen; a calibration of PAIRS is
    then left out, and kgrel calibrate makes the new one.

    \b
    Examples:
      kgrel tune-threshold pairs --per-class --out pairs-per-class
      kgrel tune-threshold pairs --prediction-precision bf16 --prediction-samples 16 --out pairs-bf16
    """
    from kgrel.train.pair_model import PairModel
    from kgrel.train.train_pairs import tune_threshold

    model = PairModel.open(pairs)
    print_summary(tune_threshold(model, out, changed(model.settings, given), overwrite), as_json)
