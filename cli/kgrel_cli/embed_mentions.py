"""``kgrel embed-mentions``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kgrel.text.settings import MentionFormat
from kgrel_cli.options import FORMAT, INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("embed-mentions")
@click.argument("artifact", type=INPUT)
@click.argument("sentences", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="Where to write: parquet or jsonl by ending; - is stdout.")
@click.option("--samples", type=click.IntRange(1), help="Samples of z a sentence.  [default: those of MENTIONS, or 8]")
@click.option("--all-samples", is_flag=True, help="Write every sample, beside their mean.")
@click.option("--seed", default=0, show_default=True, help="Seed of the noise, where ARTIFACT is a REPR.")
@click.option("--input-format", type=FORMAT, help="Format of a table of SENTENCES, needed for stdin.")
@click.option("--output-format", type=FORMAT, help="Format of --out, needed for stdout.  [default: by ending]")
@settings_options(MentionFormat, hidden=("label",))
@output_options
def command(
    artifact: Path,
    sentences: Path,
    out: Path,
    samples: int | None,
    all_samples: bool,
    seed: int,
    input_format: Any,
    output_format: Any,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Give the relation z that each of SENTENCES expresses: one row out for each row in.

    ARTIFACT is a REPR that was pretrained with the recogniser, whose pairs have their z in the same space; or MENTIONS.
    Added are z, the mean over samples, and status.

    \b
    Example:
      kgrel embed-mentions repr sentences.tsv --out z.parquet
    """
    form = settings_from(MentionFormat, given)
    from kgrel.score.embed_mentions import embed_file, open_encoder
    from kgrel.text.mention_readers import MentionReader

    model = open_encoder(artifact, samples or 0, seed)
    reader = MentionReader(sentences, form, model.pairs, input_format, chunk_rows=8192)
    with Reporter() as progress:
        summary = embed_file(
            model, reader, out, all_samples=all_samples, output_format=output_format,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    print_summary(asdict(summary), as_json, to_stderr=str(out) == "-")
