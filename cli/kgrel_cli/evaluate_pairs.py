"""``kgrel evaluate-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.evaluate.settings import EvaluationSettings
from kgrel_cli.options import INPUT, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("evaluate-pairs")
@click.argument("pairs", type=INPUT)
@settings_options(EvaluationSettings)
@click.option("--plot", type=INPUT, help="Draw the reliability diagram, and uncertainty by frequency, as PNG.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
def command(pairs: Path, plot: Path | None, as_json: bool, **given: Any) -> None:
    """Evaluate PAIRS on its test pairs, beside the baselines, with entity-clustered bootstrap intervals.

    Thresholds are tuned on validation pairs alone. "covered" are pairs of which both entities have a training label.

    \b
    Examples:
      kgrel evaluate-pairs pairs --json > report.json
      kgrel evaluate-pairs calibrated --by-frequency --plot uncertainty.png
    """
    settings = settings_from(EvaluationSettings, given)
    from kgrel.evaluate.pairs import evaluate_pairs
    from kgrel.evaluate.tables import text_table
    from kgrel.train.pair_model import PairModel

    if plot is not None and plot.suffix.lower() != ".png":
        raise click.UsageError(f"--plot {plot}: a name that ends in .png is needed")
    with Reporter() as progress:
        report = evaluate_pairs(PairModel.open(pairs), settings, progress)
    if plot is not None:
        from kgrel.evaluate.plots import draw_report

        draw_report(report, plot)
    if as_json:
        print_summary(report, as_json)
    else:
        click.echo(text_table(report))
