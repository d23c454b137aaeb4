"""``kgrel classify-mentions``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.score.settings import ClassifySettings
from kgrel.text.settings import MentionFormat
from kgrel_cli.options import FORMAT, INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("classify-mentions")
@click.argument("mentions", type=INPUT)
@click.argument("sentences", type=INPUT)
@click.option(
    "--out", required=True, type=INPUT, help="Where to write: csv, tsv, jsonl or parquet by ending; - is stdout."
)
@click.option("--input-format", type=FORMAT, help="Format of a table of SENTENCES, needed for stdin.")
@click.option("--output-format", type=FORMAT, help="Format of --out, needed for stdout.  [default: by ending]")
@settings_options(MentionFormat, hidden=("label",))
@settings_options(ClassifySettings)
@output_options
def command(
    mentions: Path,
    sentences: Path,
    out: Path,
    input_format: Any,
    output_format: Any,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Classify SENTENCES with two marked entities: one row out for each row in, in order, every column kept.

    Added are relation, best_relation, score, score_std and status. The formats are those of train-mentions; of a
    PubTator file each pair of mentions in a sentence is a row. The summary goes to stderr where the rows go to stdout.

    \b
    Examples:
      kgrel classify-mentions mentions sentences.tsv --out classified.tsv
      kgrel classify-mentions mentions articles.pubtator --out classified.parquet
    """
    settings, form = settings_from(ClassifySettings, given), settings_from(MentionFormat, given)
    from kgrel.score.mentions import classify_file
    from kgrel.text.mention_readers import MentionReader
    from kgrel.train.mention_model import MentionModel

    model = MentionModel.open(mentions)
    reader = MentionReader(sentences, form, model.pairs, input_format, settings.chunk_rows)
    with Reporter() as progress:
        summary = classify_file(
            model, reader, out, settings, output_format=output_format, overwrite=overwrite, progress=progress
        )
    print_summary(summary.to_json() | reader.left_out, as_json, to_stderr=str(out) == "-")
