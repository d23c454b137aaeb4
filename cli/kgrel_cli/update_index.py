"""``kgrel update-index``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT, output_options, print_summary
from kgrel_cli.progress import Reporter


@click.command("update-index")
@click.argument("index", type=INPUT)
@click.option("--add", type=INPUT, help="List of pairs to add: csv, tsv, jsonl or parquet.")
@click.option("--remove", type=INPUT, help="List of pairs to remove.")
@click.option(
    "--relations",
    type=INPUT,
    help="Table of known relations: tells with what each added pair is listed; needed where INDEX tells it.",
)
@click.option("--corpus", type=INPUT, help="Tells how often each added pair is mentioned.")
@click.option("--out", type=INPUT, help="Where the changed index goes.  [default: in place of INDEX, by a rename]")
@output_options
def command(
    index: Path,
    add: Path | None,
    remove: Path | None,
    relations: Path | None,
    corpus: Path | None,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Add pairs to INDEX and remove some, without a rebuild.

    Removed pairs are no answers any more; their vectors stay until rebuild-index.

    \b
    Example:
      kgrel update-index index --add new.csv --relations relations.tsv.gz --remove withdrawn.csv
    """
    from kgrel.search.index import RelationIndex
    from kgrel.search.sources import pairs_of_file
    from kgrel.search.update import update_index
    from kgrel.text.corpus import Corpus

    opened = RelationIndex.open(index)
    with Reporter() as progress:
        artifact = update_index(
            opened,
            out,
            add=pairs_of_file(add, opened.entities) if add else None,
            remove=pairs_of_file(remove, opened.entities) if remove else None,
            corpus=Corpus.open(corpus) if corpus else None,
            relations=relations,
            overwrite=overwrite,
            progress=progress,
        )
    print_summary(artifact.manifest.summary, as_json)
