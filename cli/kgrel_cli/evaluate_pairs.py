"""``kgrel evaluate-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.data.errors import KgrelError
from kgrel.data.files import refuse_place
from kgrel.evaluate.settings import EvaluationSettings
from kgrel_cli.options import INPUT, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("evaluate-pairs")
@click.argument("pairs", type=INPUT)
@click.option(
    "--beside", type=INPUT, multiple=True,
    help="A further PAIRS artifact or baseline, of the same pairs and split, as a row of the same tables. May be "
    "repeated.",
)  # fmt: skip
@settings_options(EvaluationSettings)
@click.option("--plot", type=INPUT, help="Draw the reliability diagram, and uncertainty by frequency, as PNG.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
def command(pairs: Path, beside: tuple[Path, ...], plot: Path | None, as_json: bool, **given: Any) -> None:
    """Evaluate PAIRS, or a baseline, on its test pairs, beside others, with entity-clustered bootstrap intervals.

    Thresholds are tuned on validation pairs alone. "covered" are pairs of which both entities have a training label.
    Pairs seen in text and pairs not seen in text have tables of their own where PAIRS holds out both.

    \b
    Examples:
      kgrel evaluate-pairs pairs --json > report.json
      kgrel evaluate-pairs pairs --beside attention --beside complex
      kgrel evaluate-pairs calibrated --by-frequency --plot uncertainty.png
    """
    settings = settings_from(EvaluationSettings, given)
    from kgrel.baselines.baseline import Baseline
    from kgrel.evaluate.pairs import evaluate_pairs
    from kgrel.evaluate.tables import text_table
    from kgrel.score.opening import open_scorer

    if plot is not None:
        if plot.suffix.lower() != ".png":
            raise click.UsageError(f"--plot {plot}: a name that ends in .png is needed")
        refuse_place(plot, overwrite=True)  # before the evaluation, not after it
    with Reporter() as progress:
        model, *others = (open_scorer(path) for path in (pairs, *beside))
        if plot is not None and isinstance(model, Baseline):
            raise KgrelError(f"{pairs}: the scores of a baseline are no probabilities to draw; leave out --plot")
        report = evaluate_pairs(model, settings, progress, others)
    if plot is not None:
        from kgrel.evaluate.plots import draw_report

        draw_report(report, plot)
    if as_json:
        print_summary(report, as_json)
    else:
        click.echo(text_table(report))
