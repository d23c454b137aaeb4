"""``kgrel explain``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT


@click.command("explain")
@click.argument("pairs", type=INPUT)
@click.argument("first")
@click.argument("second")
@click.option("--index", type=INPUT, help="INDEX: gives the listed pairs that are related most alike.")
@click.option("--corpus", type=INPUT, help="CORPUS: gives sentences that name both.")
@click.option("--graph", type=INPUT, help="GRAPH or edge table: gives paths of at most three edges.")
@click.option("--representation", type=INPUT, help="REPR that PAIRS was trained on: gives the modes of the relation.")
@click.option("--html", "page", type=INPUT, help="Write a page as well.")
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(
    pairs: Path,
    first: str,
    second: str,
    index: Path | None,
    corpus: Path | None,
    graph: Path | None,
    representation: Path | None,
    page: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Show everything that is known of the pair FIRST, SECOND: prediction, similar pairs, sentences, paths, modes.

    Entities are given by identifier or name. What is not given is left out, and said.

    \b
    Example:
      kgrel explain pairs AKT1 GSK3B --corpus corpus --index index --graph edges.sif --html akt1-gsk3b.html
    """
    import json

    from kgrel.apps.explain import explain, text_explanation, write_page
    from kgrel.data.files import refuse_existing
    from kgrel.model.representation import Representation
    from kgrel.search.index import RelationIndex
    from kgrel.text.corpus import Corpus

    if page is not None:
        refuse_existing(page, overwrite)
    found = explain(
        pairs,
        first,
        second,
        corpus=Corpus.open(corpus) if corpus else None,
        index=RelationIndex.open(index) if index else None,
        graph=graph,
        representation=Representation.open(representation) if representation else None,
    )
    if page is not None:
        write_page(found, page, overwrite)
    click.echo(json.dumps(found, ensure_ascii=False, allow_nan=False) if as_json else text_explanation(found))
