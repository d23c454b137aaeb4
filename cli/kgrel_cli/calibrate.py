"""``kgrel calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.train.settings import CalibrationSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options


@click.command("calibrate")
@click.argument("pairs", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="Directory of the new PAIRS artifact.")
@settings_options(CalibrationSettings)
@output_options
def command(pairs: Path, out: Path, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Calibrate the scores of PAIRS on its validation pairs, so that score-pairs fills the column probability.

    A probability is that of being listed in the relations table among pairs like the validation pairs, not of being
    true. It is fitted by class, on pairs of which both entities have a training label of the class, and separately
    for pairs that no sentence mentions together; those need a classifier trained with --pairs any.

    \b
    Example:
      kgrel calibrate pairs --out calibrated
    """
    settings = settings_from(CalibrationSettings, given)
    from kgrel.train.calibrate import calibrate
    from kgrel.train.pair_model import PairModel

    print_summary(calibrate(PairModel.open(pairs), out, settings, overwrite), as_json)
