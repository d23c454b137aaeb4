"""``kgrel score-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.score.settings import ScoreSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter

FORMAT = click.Choice(["csv", "tsv", "jsonl", "parquet"])


@click.command("score-pairs")
@click.argument("pairs", type=INPUT)
@click.argument("candidates", type=INPUT)
@click.option(
    "--out",
    required=True,
    type=INPUT,
    help="Where to write: csv, tsv, jsonl or parquet by ending; - is stdout.",
)
@click.option("--input-format", type=FORMAT, help="Format of CANDIDATES, needed for stdin.  [default: by ending]")
@click.option("--output-format", type=FORMAT, help="Format of --out, needed for stdout.  [default: by ending]")
@click.option(
    "--ensemble", type=INPUT, multiple=True,
    help="A further PAIRS artifact of another seed, with the same classes and entities; the scores are averaged. "
    "May be repeated.",
)  # fmt: skip
@settings_options(ScoreSettings)
@output_options
def command(
    pairs: Path,
    candidates: Path,
    out: Path,
    input_format: Any,
    output_format: Any,
    ensemble: tuple[Path, ...],
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Score the entity pairs of CANDIDATES: one row out for each row in, in order, every column kept.

    CANDIDATES has the columns source and target (or head and tail, subject and object), optionally source_type
    and target_type; - is stdin. Added are relation, best_relation, score, score_std, probability, status,
    seen_in_text and known_relation. The summary goes to stderr where the rows go to stdout, and tells why pairs have
    no probability; it is that of being listed, see kgrel calibrate.

    \b
    Examples:
      kgrel score-pairs pairs candidates.csv --out scored.csv
      kgrel score-pairs calibrated candidates.csv --base-rate 0.01 --uncertainty --out scored.csv
      kgrel score-pairs seed0 candidates.csv --ensemble seed1 --ensemble seed2 --out scored.csv
    """
    settings = settings_from(ScoreSettings, given)
    from kgrel.score.ensemble import Ensemble
    from kgrel.score.pair_scorer import PairScorer
    from kgrel.score.stream import score_file

    scorer = PairScorer.load(pairs, ensemble).model
    with Reporter() as progress:
        summary = score_file(
            scorer, candidates, out, settings, input_format=input_format,
            output_format=output_format, overwrite=overwrite, progress=progress,
        )  # fmt: skip
    note = {"ensemble": scorer.note()} if isinstance(scorer, Ensemble) else {}
    print_summary(summary.to_json() | note, as_json, to_stderr=str(out) == "-")
