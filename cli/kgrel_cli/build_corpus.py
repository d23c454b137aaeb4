"""``kgrel build-corpus``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.text.settings import BuildCorpusSettings
from kgrel_cli.lexicons import lexicon_option, open_typing, tagging_settings, typing_option
from kgrel_cli.options import INPUT, output_options, print_summary, settings_options
from kgrel_cli.progress import Reporter


@click.command("build-corpus")
@click.argument("inputs", nargs=-1, required=True, type=INPUT)
@lexicon_option(required=False)
@typing_option
@click.option("--stop-list", type=INPUT, help="File of further names that are never tagged, one a line.")
@click.option(
    "--out", required=True, type=INPUT, help="Directory of the CORPUS artifact; an unfinished run is resumed."
)
@click.option("--processes", default=1, show_default=True, help="Worker processes; the result does not depend on it.")
@settings_options(BuildCorpusSettings)
@output_options
def command(
    inputs: tuple[Path, ...],
    lexicons: tuple[tuple[str, Path], ...],
    typing: Path | None,
    stop_list: Path | None,
    out: Path,
    processes: int,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Tag INPUTS with name lists and store the contexts of entity pairs.

    INPUTS are sentences (.tsv with a header and the columns doc_id and sentence; .jsonl), PubTator (.pubtator),
    BioC-JSON (.json) or plain text (.txt), each also .gz or .zst. Mentions that they bring are used as they are.

    Killed at any time, the same command goes on with the shards that are missing.

    \b
    Example:
      kgrel build-corpus sentences.tsv.gz --lexicon GENE=genes.tsv.gz \\
          --lexicon DISEASE=HumanDO.obo.gz --processes 2 --out corpus
    """
    from kgrel.text.build import build_corpus

    settings = tagging_settings(given, stop_list)
    classifier = open_typing(typing)
    with Reporter() as progress:
        artifact = build_corpus(inputs, lexicons, out, settings, overwrite, progress, processes, classifier)
    print_summary(artifact.manifest.summary, as_json)
