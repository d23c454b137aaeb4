"""``kgrel build-corpus``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.text.settings import BuildCorpusSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("build-corpus")
@click.argument("sentences", nargs=-1, required=True, type=INPUT)
@click.option(
    "--lexicon", "lexicons", multiple=True, required=True, metavar="TYPE=FILE",
    help="Names of the entities of a type: TSV (columns id, name, synonyms …) or OBO, also .gz. May be repeated.",
)  # fmt: skip
@click.option("--stop-list", type=INPUT, help="File of further names that are never tagged, one a line.")
@click.option("--out", required=True, type=INPUT, help="Directory of the CORPUS artifact.")
@settings_options(BuildCorpusSettings)
@output_options
def command(
    sentences: tuple[Path, ...],
    lexicons: tuple[str, ...],
    stop_list: Path | None,
    out: Path,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Tag SENTENCES with name lists and store the contexts of entity pairs.

    SENTENCES are tab-separated files (also .gz) with a header and the columns doc_id and sentence.

    \b
    Example:
      kgrel build-corpus sentences.tsv.gz --lexicon GENE=genes.tsv.gz \\
          --lexicon DISEASE=HumanDO.obo.gz --out corpus
    """
    from kgrel.text.build import build_corpus
    from kgrel.text.stopwords import read_stop_list

    if stop_list is not None:
        given["stop_words"] = (*(given["stop_words"] or ()), *sorted(read_stop_list(stop_list)))
    settings = settings_from(BuildCorpusSettings, given)
    named = [named_file(text) for text in lexicons]
    with Reporter() as progress:
        artifact = build_corpus(sentences, named, out, settings, overwrite, progress)
    print_summary(artifact.manifest.summary, as_json)


def named_file(text: str) -> tuple[str, Path]:
    """``TYPE=FILE`` as its two halves."""
    type_, separator, file = text.partition("=")
    if not (separator and type_ and file):
        raise click.BadParameter(f"{text!r} is not TYPE=FILE, for example GENE=genes.tsv", param_hint="--lexicon")
    return type_, Path(file)
