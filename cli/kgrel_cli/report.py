"""``kgrel report``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from kgrel_cli.options import INPUT, output_options, print_summary


@click.command("report")
@click.argument("run", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="The HTML page; it loads nothing from elsewhere.")
@click.option(
    "--part", type=click.Choice(["test", "validation"]),
    help="Evaluate PAIRS, or a baseline, on these pairs too: curves, confusion matrix, novel predictions.",
)  # fmt: skip
@click.option("--beside", type=INPUT, multiple=True, help="With --part: further artifacts in its PR plot.")
@click.option("--corpus", type=INPUT, help="With --part: CORPUS whose sentences stand beside novel predictions.")
@output_options
def command(
    run: Path, out: Path, part: str | None, beside: tuple[Path, ...], corpus: Path | None, overwrite: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Show the training in the directory RUN (pretrain or train-pairs), finished or not, as one HTML page.

    \b
    Examples:
      kgrel report repr --out repr.html
      kgrel report pairs --part validation --beside degree --corpus corpus --out pairs.html
    """
    from kgrel.evaluate.report import write_report

    if part is None and (beside or corpus):
        raise click.UsageError("--beside and --corpus need --part")
    sections: list[str] = []
    if part is not None:
        from kgrel.data.files import refuse_existing
        from kgrel.evaluate.pair_report import pair_sections
        from kgrel.evaluate.settings import EvaluationSettings
        from kgrel.score.opening import open_scorer
        from kgrel.text.corpus import Corpus
        from kgrel.train.pair_artifact import PairArtifact

        refuse_existing(out, overwrite)
        model, *others = (cast(PairArtifact, open_scorer(path)) for path in (run, *beside))
        settings = EvaluationSettings(part="test" if part == "test" else "validation")
        sections = pair_sections(model, others, None if corpus is None else Corpus.open(corpus), settings)
    print_summary(write_report(run, out, overwrite, sections), as_json)
