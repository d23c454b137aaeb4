"""``kgrel evaluate-ranking``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.evaluate.settings import RankingSettings
from kgrel_cli.options import INPUT, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("evaluate-ranking")
@click.argument("pairs", type=INPUT)
@settings_options(RankingSettings)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
def command(pairs: Path, as_json: bool, **given: Any) -> None:
    """Rank the other end of each listed test pair of PAIRS, or of a baseline, among all entities of its type.

    Both ends are asked for. Ranks are filtered: other listed answers do not count. MRR, Hits@1/3/10 and adjusted mean
    rank (1 = random) are given for optimistic, realistic and pessimistic ranks, by class, by side, and as the mean over
    classes (macro); the realistic MRR over all and by class with its 95 % interval, entities resampled.

    \b
    Examples:
      kgrel evaluate-ranking pairs
      kgrel evaluate-ranking complex --edges 200 --json > ranking.json
    """
    settings = settings_from(RankingSettings, given)
    from kgrel.evaluate.pair_ranking import evaluate_ranking
    from kgrel.evaluate.tables import ranking_text
    from kgrel.score.opening import open_scorer

    with Reporter() as progress:
        report = evaluate_ranking(open_scorer(pairs), settings, progress)
    if as_json:
        print_summary(report, as_json)
    else:
        click.echo(ranking_text(report))
