"""``kgrel report``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT, output_options, print_summary


@click.command("report")
@click.argument("run", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="The HTML page; it loads nothing from elsewhere.")
@output_options
def command(run: Path, out: Path, overwrite: bool, as_json: bool) -> None:
    """Show the training in the directory RUN (pretrain or train-pairs), finished or not, as one HTML page.

    \b
    Example:
      kgrel report repr --out repr.html
    """
    from kgrel.evaluate.report import write_report

    print_summary(write_report(run, out, overwrite), as_json)
