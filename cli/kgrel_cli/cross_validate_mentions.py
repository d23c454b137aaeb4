"""``kgrel cross-validate-mentions``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.evaluate.mention_settings import CrossValidationSettings
from kgrel.train.mention_settings import MENTION_RECIPES, MentionSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("cross-validate-mentions")
@click.argument("directory", type=INPUT)
@click.option("--representation", required=True, type=INPUT, help="REPR that each fold's classifier starts from.")
@click.option(
    "--out", required=True, type=INPUT, help="Directory of the answers and the report; a killed run goes on there."
)
@settings_options(CrossValidationSettings)
@settings_options(MentionSettings, MENTION_RECIPES, hidden=("seed",))
@output_options
def command(directory: Path, representation: Path, out: Path, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Cross-validate the classifier of sentences on the folds in DIRECTORY, as GAD and EU-ADR are published.

    Beside it: TF-IDF with logistic regression, penalty and threshold chosen on the same validation sentences; and
    calling everything positive. Each fold trains on a part of its training sentences and stops on the others; its test
    sentences are answered once. The paired test resamples sentences.

    \b
    Examples:
      kgrel cross-validate-mentions gad --representation repr --seeds 0 --seeds 1 --out cv-gad
      kgrel cross-validate-mentions euadr --representation repr --protocol grouped --out cv-euadr
    """
    settings = settings_from(CrossValidationSettings, given)
    mentions = settings_from(MentionSettings, given, MENTION_RECIPES)
    from kgrel.evaluate.cross_validation import cross_validate, text_tables
    from kgrel.model.representation import Representation

    with Reporter() as progress:
        report = cross_validate(
            Representation.open(representation), directory, out, settings, mentions,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    if as_json:
        print_summary(report, as_json)
    else:
        click.echo(text_tables(report))
