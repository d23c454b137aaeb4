"""``kgrel train-typing``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.train.typing_settings import TypingSettings
from kgrel_cli.lexicons import lexicon_option
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("train-typing")
@click.argument("inputs", nargs=-1, required=True, type=INPUT)
@lexicon_option(required=True)
@click.option("--gold", multiple=True, type=INPUT, help="File with mentions to learn from and to tune on. Repeatable.")
@click.option("--out", required=True, type=INPUT, help="Directory of the TYPING artifact; a killed run is resumed.")
@settings_options(TypingSettings)
@output_options
def command(
    inputs: tuple[Path, ...],
    lexicons: tuple[tuple[str, Path], ...],
    gold: tuple[Path, ...],
    out: Path,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Learn from the context of a name which type it has there, or that it means something else.

    INPUTS are documents as for build-corpus. Nobody needs to label them: names that one type alone has, and
    abbreviations that their document defines, are the examples. The result is for build-corpus --typing.

    \b
    Example:
      kgrel train-typing sentences.tsv.gz --lexicon GENE=genes.tsv.gz --lexicon DISEASE=HumanDO.obo.gz \\
          --gold biored-train.pubtator --out typing
    """
    settings = settings_from(TypingSettings, given)
    from kgrel.train.train_typing import train_typing

    with Reporter() as progress:
        artifact = train_typing(inputs, lexicons, out, settings, gold=gold, overwrite=overwrite, progress=progress)
    print_summary(artifact.manifest.summary, as_json)
