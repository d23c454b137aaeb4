"""``kgrel demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.apps.settings import DemoSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("demo")
@click.option("--out", type=INPUT, help="Keep in this directory everything that is made.")
@settings_options(DemoSettings)
@output_options
def command(out: Path | None, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Run the whole line on a generated world and measure it against the planted truth.

    Generates sentences, name lists, relations and a graph; builds the corpus, pretrains, trains and tunes the pair
    classifier, scores pairs that never occur together in a sentence, searches for pairs related like them, and exports
    the new ones as edges.

    \b
    Example:
      kgrel demo --out demo
    """
    settings = settings_from(DemoSettings, given)
    from kgrel.apps.demo import run_demo

    with Reporter() as progress:
        summary = run_demo(out, settings, overwrite=overwrite, progress=progress)
    print_summary(summary, as_json)
