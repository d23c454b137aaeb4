"""``kgrel evaluate-mentions``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.text.settings import MentionFormat
from kgrel_cli.options import FORMAT, INPUT, print_summary, settings_from, settings_options


@click.command("evaluate-mentions")
@click.argument("mentions", type=INPUT)
@click.argument("sentences", type=INPUT)
@click.option("--input-format", type=FORMAT, help="Format of a table of SENTENCES.  [default: by ending]")
@click.option(
    "--on-bad", type=click.Choice(["error", "skip"]), default="error", show_default=True,
    help="Sentences that cannot be classified: an error, or left out and counted.",
)  # fmt: skip
@settings_options(MentionFormat)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
def command(mentions: Path, sentences: Path, input_format: Any, on_bad: str, as_json: bool, **given: Any) -> None:
    """Evaluate MENTIONS on labelled SENTENCES: precision, recall, F1, MCC, average precision, AUROC, and by class.

    \b
    Example:
      kgrel evaluate-mentions mentions gad/1/test.tsv --format plain
    """
    form = settings_from(MentionFormat, given)
    from kgrel.evaluate.mentions import evaluate_mentions
    from kgrel.text.mention_readers import MentionReader
    from kgrel.train.mention_model import MentionModel

    model = MentionModel.open(mentions)
    reader = MentionReader(sentences, form, model.pairs, input_format)
    print_summary(evaluate_mentions(model, reader, on_bad == "skip"), as_json)
