"""``kgrel train-mentions``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.text.settings import MentionFormat
from kgrel.train.mention_settings import MENTION_RECIPES, MentionSettings
from kgrel_cli.options import FORMAT, INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("train-mentions")
@click.argument("representation", type=INPUT)
@click.argument("sentences", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="Directory of the MENTIONS artifact; a killed run is resumed.")
@click.option("--input-format", type=FORMAT, help="Format of a table of SENTENCES.  [default: by ending]")
@click.option(
    "--on-bad", type=click.Choice(["error", "skip"]), default="error", show_default=True,
    help="Sentences that cannot be read: an error, or left out and counted.",
)  # fmt: skip
@settings_options(MentionFormat)
@settings_options(MentionSettings, MENTION_RECIPES)
@output_options
def command(
    representation: Path,
    sentences: Path,
    out: Path,
    input_format: Any,
    on_bad: str,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Learn from SENTENCES with two marked entities which relation a sentence states.

    SENTENCES has the columns sentence and label, and marks its entities by the columns start1, end1, type1, start2,
    end2, type2 (characters from 0, the end exclusive), or by placeholders such as @GENE$ in the sentence.
    docs/mentions.md has all formats. REPRESENTATION is best one of types that was trained with the recogniser.

    \b
    Examples:
      kgrel train-mentions repr sentences.tsv --out mentions
      kgrel train-mentions repr gad/1/train.tsv --format plain --pooling max --out mentions
      kgrel train-mentions repr bc5cdr-train.pubtator --recipe paper --out mentions
    """
    settings, form = settings_from(MentionSettings, given, MENTION_RECIPES), settings_from(MentionFormat, given)
    from kgrel.model.representation import Representation
    from kgrel.text.mention_readers import MentionReader
    from kgrel.train.train_mentions import train_mentions

    reader = MentionReader(sentences, form, table_format=input_format)
    with Reporter() as progress:
        artifact = train_mentions(
            Representation.open(representation), reader, out, settings,
            skip_bad=on_bad == "skip", overwrite=overwrite, progress=progress,
        )  # fmt: skip
    print_summary(artifact.manifest.summary, as_json)
