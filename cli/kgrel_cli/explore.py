"""``kgrel explore``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.apps.explore.settings import ExploreSettings
from kgrel_cli.options import FORMAT, INPUT, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("explore")
@click.argument("pairs", type=INPUT)
@click.option(
    "--predictions", type=INPUT,
    help="List of pairs to show, scored or not: csv, tsv, jsonl or parquet.  [default: co-mentioned, unlisted pairs]",
)  # fmt: skip
@click.option("--input-format", type=FORMAT, help="Format of --predictions.  [default: by ending]")
@click.option("--index", type=INPUT, help="INDEX: gives the pairs that are related most alike.")
@click.option("--corpus", type=INPUT, help="CORPUS: gives sentences that name both.")
@click.option("--graph", type=INPUT, help="GRAPH or edge table: gives paths of at most three edges.")
@click.option("--representation", type=INPUT, help="REPR that PAIRS was trained on: gives the modes of a relation.")
@click.option(
    "--reviews", type=INPUT, default="reviews.sqlite", show_default=True,
    help="SQLite file that keeps what is accepted, rejected and commented; made if it is not there.",
)  # fmt: skip
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser.  [default: yes]")
@settings_options(ExploreSettings)
def command(
    pairs: Path,
    predictions: Path | None,
    input_format: Any,
    index: Path | None,
    corpus: Path | None,
    graph: Path | None,
    representation: Path | None,
    reviews: Path,
    browser: bool,
    **given: Any,
) -> None:
    """Look at the predictions of PAIRS in the browser: search, filter, read the evidence, accept or reject.

    Needs the extra web: pip install 'kgrel[web]'. Serves this machine alone, until Ctrl-C. What is not given is left
    out. Decisions are kept in --reviews; kgrel export-reviews writes them as relations for the next training.

    \b
    Examples:
      kgrel explore pairs --corpus corpus
      kgrel explore pairs --predictions scored.csv --corpus corpus --graph graph --index index --reviews mine.sqlite
    """
    settings = settings_from(ExploreSettings, given)
    from kgrel.apps.explore.opening import open_workbench
    from kgrel.apps.explore.server import address_of, listen, serve, web_library

    web_library("uvicorn")  # says that the extra is missing before anything is opened
    with listen(settings.host, settings.port) as opened:
        with Reporter() as progress:
            workbench = open_workbench(
                pairs, reviews, settings, predictions=predictions, format=input_format, index=index, corpus=corpus,
                graph=graph, representation=representation, progress=progress,
            )  # fmt: skip
        address = address_of(opened)
        click.echo(f"{len(workbench.predictions):,} predictions at {address}; Ctrl-C ends", err=True)
        if browser:
            click.launch(address)
        serve(workbench, opened)
