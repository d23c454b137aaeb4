"""``kgrel report``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.evaluate.settings import EvaluationSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("report")
@click.argument("run", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="The HTML page; it loads nothing from elsewhere.")
@click.option(
    "--evaluate", is_flag=True,
    help="Evaluate the PAIRS artifact or baseline in RUN, and show the evaluation before the training.",
)  # fmt: skip
@click.option(
    "--beside", type=INPUT, multiple=True,
    help="With --evaluate: a further PAIRS artifact or baseline, of the same pairs and split. May be repeated.",
)  # fmt: skip
@click.option(
    "--corpus", type=INPUT,
    help="With --evaluate: the CORPUS whose sentences are shown as evidence of the top novel predictions.",
)  # fmt: skip
@settings_options(EvaluationSettings, hidden=("by_frequency",))
@output_options
def command(
    run: Path, out: Path, evaluate: bool, beside: tuple[Path, ...], corpus: Path | None, overwrite: bool,
    as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Show the training in the directory RUN (pretrain or train-pairs), finished or not, as one HTML page.

    With --evaluate, the page of a PAIRS artifact or baseline shows its evaluation too: precision and recall of all
    methods, threshold, reliability, confusion, scores by frequency, and the top novel predictions with evidence.

    \b
    Examples:
      kgrel report repr --out repr.html
      kgrel report pairs --evaluate --beside attention --corpus corpus --out pairs.html
    """
    if not evaluate:
        if beside or corpus or any(value is not None for value in given.values()):
            raise click.UsageError("--beside, --corpus and the settings of an evaluation need --evaluate")
        from kgrel.evaluate.report import write_report

        print_summary(write_report(run, out, overwrite), as_json)
        return
    settings = settings_from(EvaluationSettings, given)
    from kgrel.evaluate.pair_report import write_pair_report
    from kgrel.evaluate.tables import text_table
    from kgrel.score.opening import open_scorer
    from kgrel.text.corpus import Corpus

    with Reporter() as progress:
        model, *others = (open_scorer(path) for path in (run, *beside))
        opened = None if corpus is None else Corpus.open(corpus)
        report = write_pair_report(model, out, settings, others, opened, progress, overwrite)
    if as_json:
        print_summary(report, as_json)
    else:
        click.echo(text_table(report))
