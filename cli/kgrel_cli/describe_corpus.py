"""``kgrel describe-corpus``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgrel_cli.options import INPUT, print_summary

if TYPE_CHECKING:
    from kgrel.text.describe import Marked

COLOURS = ("yellow", "green", "cyan", "magenta", "blue", "red")


@click.command("describe-corpus")
@click.argument("corpus", type=INPUT)
@click.option("--sentences", default=10, show_default=True, help="Show so many sampled sentences.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
@click.option("--html", "page", type=INPUT, help="Write the sampled sentences as an HTML page instead.")
@click.option("--plots", type=INPUT, help="Draw the histograms into this PNG file as well.")
@click.option("--overwrite", is_flag=True, help="Replace existing outputs.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON on stdout, and nothing else.")
def command(
    corpus: Path, sentences: int, seed: int, page: Path | None, plots: Path | None, overwrite: bool, as_json: bool
) -> None:
    """Show what CORPUS holds: counts, the most frequent pairs, histograms and sampled sentences with their mentions.

    \b
    Example:
      kgrel describe-corpus corpus --sentences 100 --html page.html --plots histograms.png
    """
    from kgrel.data.files import atomic_file
    from kgrel.metrics.histograms import text_histogram
    from kgrel.text.corpus import Corpus
    from kgrel.text.describe import (
        describe_corpus,
        draw_histograms,
        histograms,
        html_page,
        sample_sentences,
    )

    opened = Corpus.open(corpus)
    sampled = sample_sentences(opened, sentences, seed)
    if plots is not None:
        draw_histograms(opened, plots, overwrite)
    if page is not None:
        with atomic_file(page, overwrite) as partial:
            partial.write_text(html_page(sampled, f"{len(sampled)} sentences of {corpus.name}"), encoding="utf-8")
    print_summary(describe_corpus(opened), as_json)
    if as_json:
        return
    for histogram in histograms(opened):
        click.echo(text_histogram(histogram))
    if page is None:
        types = sorted(set(opened.entities.types))
        colours = {type_: COLOURS[place % len(COLOURS)] for place, type_ in enumerate(types)}
        click.echo("  ".join(click.style(type_, fg=colour) for type_, colour in colours.items()))
        for sentence in sampled:
            click.echo(coloured(sentence.doc_id, sentence.parts, colours))


def coloured(doc_id: str, parts: tuple[Marked, ...], colours: dict[str, str]) -> str:
    """A sentence for the terminal, its mentions in the colour of their type."""
    from kgrel.data.printing import printable

    pieces = [
        click.style(printable(part.text), fg=colours[part.type]) if part.type else printable(part.text)
        for part in parts
    ]
    return f"{printable(doc_id)}\t{''.join(pieces)}"
