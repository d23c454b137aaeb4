"""``kgrel build-index``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.search.settings import IndexSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("build-index")
@click.argument("representation", metavar="REPR", type=INPUT)
@click.option("--pairs", type=INPUT, help="Index the pairs of a list, as score-pairs reads it.")
@click.option("--from-corpus", type=INPUT, help="Index the pairs that stand together in a sentence of this CORPUS.")
@click.option("--from-graph", type=INPUT, help="Index the pairs that an edge table (tsv, SIF with a header …) joins.")
@click.option("--min-contexts", default=1, show_default=True, help="Only pairs with so many, with --from-corpus.")
@click.option("--relations", type=INPUT, help="Table of known relations: tells with what each pair is listed.")
@click.option("--corpus", type=INPUT, help="Tells how often each pair is mentioned.  [default: that of --from-corpus]")
@click.option("--out", required=True, type=INPUT, help="The INDEX directory.")
@settings_options(IndexSettings)
@output_options
def command(
    representation: Path,
    pairs: Path | None,
    from_corpus: Path | None,
    from_graph: Path | None,
    min_contexts: int,
    relations: Path | None,
    corpus: Path | None,
    out: Path,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Index the relations of pairs, so that search-index finds which pairs are related alike.

    Each pair is represented by samples of z from p(z|x,y), in both orders. The vectors are kept, so the index can be
    rebuilt with another factory or after an upgrade of FAISS without the model (rebuild-index).

    \b
    Examples:
      kgrel build-index repr --from-corpus corpus --relations relations.tsv --out index
      kgrel build-index repr --pairs pairs.csv --factory IVF1024,PQ75x8 --out index
    """
    if sum(source is not None for source in (pairs, from_corpus, from_graph)) != 1:
        raise click.UsageError("give one of --pairs, --from-corpus and --from-graph")
    if min_contexts != 1 and from_corpus is None:
        raise click.UsageError("--min-contexts needs --from-corpus")
    settings = settings_from(IndexSettings, given)
    from kgrel.model.representation import Representation
    from kgrel.search.build import build_index
    from kgrel.search.library import faiss_library
    from kgrel.search.sources import pairs_of_corpus, pairs_of_file, pairs_of_graph
    from kgrel.text.corpus import Corpus

    faiss_library()
    opened = Representation.open(representation)
    named = corpus or from_corpus
    mentions = Corpus.open(named) if named else None
    if pairs is not None:
        source = pairs_of_file(pairs, opened.entities)
    elif from_graph is not None:
        source = pairs_of_graph(from_graph, opened.entities)
    else:
        source = pairs_of_corpus(Corpus.open(from_corpus or Path()), opened.entities, min_contexts)
    with Reporter() as progress:
        artifact = build_index(
            opened, source, out, settings, corpus=mentions, relations=relations, overwrite=overwrite,
            progress=progress,
        )  # fmt: skip
    print_summary(artifact.manifest.summary, as_json)
