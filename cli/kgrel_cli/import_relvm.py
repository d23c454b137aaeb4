"""``kgrel import-relvm``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT, output_options, print_summary


@click.command("import-relvm")
@click.argument("directory", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="Directory of the CORPUS artifact.")
@click.option("--pad", help="Token that fills contexts up.  [default: <PAD> in any usual spelling, else the first]")
@click.option("--mention", help="Token that stands for both mentions.  [default: <ENT> in any usual spelling]")
@output_options
def command(directory: Path, out: Path, pad: str | None, mention: str | None, overwrite: bool, as_json: bool) -> None:
    """Turn DIRECTORY, unsupervised data of the RELVM code, into a corpus.

    DIRECTORY holds vocab.json, entity_types.json, entities_x.mmap, entities_y.mmap and contexts.mmap (uint16).

    \b
    Example:
      kgrel import-relvm data/unsupervised --out corpus
    """
    from kgrel.text.relvm_import import import_relvm

    print_summary(import_relvm(directory, out, pad, mention, overwrite).manifest.summary, as_json)
