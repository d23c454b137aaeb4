"""``kgrel score-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.score.settings import RankSettings, RaySettings, ScoreSettings
from kgrel_cli.options import (
    FORMAT,
    INPUT,
    given_names,
    output_options,
    print_summary,
    settings_from,
    settings_options,
    two_types,
)
from kgrel_cli.progress import Reporter
from kgrel_cli.ranking import rank


@click.command("score-pairs")
@click.argument("pairs", type=INPUT)
@click.argument("candidates", type=INPUT, required=False)
@click.option(
    "--all",
    "all_of",
    metavar="TYPE,TYPE",
    callback=two_types,
    help="Instead of CANDIDATES: all pairs of two types, the best kept.",
)
@click.option(
    "--out",
    required=True,
    type=INPUT,
    help="Where to write: csv, tsv, jsonl or parquet by ending; - is stdout.",
)
@click.option("--input-format", type=FORMAT, help="Format of CANDIDATES, needed for stdin.  [default: by ending]")
@click.option("--output-format", type=FORMAT, help="Format of --out, needed for stdout.  [default: by ending]")
@click.option(
    "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
    help="Compute in this process, or by actors on Ray (extra kgrel[ray]); the answer is the same.",
)  # fmt: skip
@settings_options(RaySettings)
@click.option(
    "--ensemble", type=INPUT, multiple=True,
    help="A further PAIRS artifact of another seed, with the same classes and entities; the scores are averaged. "
    "May be repeated.",
)  # fmt: skip
@click.option(
    "--inductive", type=INPUT,
    help="INDUCTIVE artifact: pairs with an entity that is in its graph but in no context are scored too, with the "
    "status inductive and a wider spread.",
)  # fmt: skip
@settings_options(ScoreSettings)
@settings_options(RankSettings)
@output_options
def command(
    pairs: Path,
    candidates: Path | None,
    all_of: tuple[str, str] | None,
    out: Path,
    input_format: Any,
    output_format: Any,
    engine: str,
    ensemble: tuple[Path, ...],
    inductive: Path | None,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Score the entity pairs of CANDIDATES: one row out for each row in, in order, every column kept.

    CANDIDATES has the columns source and target (or head and tail, subject and object), optionally source_type
    and target_type; - is stdin. Added are relation, best_relation, score, score_std, probability, status,
    seen_in_text and known_relation. The summary goes to stderr where the rows go to stdout, and tells why pairs have
    no probability; it is that of being listed, see kgrel calibrate.

    With --all instead, the best pairs of two types are written, as by rank-pairs; --top, --per-head, --novel-only
    and --prune-to say which.

    \b
    Examples:
      kgrel score-pairs pairs candidates.csv --out scored.csv
      kgrel score-pairs pairs candidates.parquet --engine ray --address auto --out scored.parquet
      kgrel score-pairs pairs --all GENE,DISEASE --top 1000 --per-head 50 --out top.csv
      kgrel score-pairs calibrated candidates.csv --base-rate 0.01 --uncertainty --out scored.csv
      kgrel score-pairs pairs candidates.csv --inductive inductive --out scored.csv
      kgrel score-pairs seed0 candidates.csv --ensemble seed1 --ensemble seed2 --out scored.csv
    """
    if all_of is not None:
        if candidates is not None:
            raise click.UsageError("give either CANDIDATES or --all")
        refuse_options((ScoreSettings, RaySettings), given, "--all ranks pairs; it takes no")
        if inductive is not None:
            raise click.UsageError("--all ranks the entities of PAIRS; leave out --inductive")
        if engine != "local" or input_format is not None:
            raise click.UsageError("--all ranks pairs; it takes neither --engine ray nor --input-format")
        rank(
            pairs, all_of[1], settings_from(RankSettings, given), source_type=all_of[0], out=out,
            output_format=output_format, overwrite=overwrite, as_json=as_json, ensemble=ensemble,
        )  # fmt: skip
        return
    if candidates is None:
        raise click.UsageError("give either CANDIDATES or --all")
    refuse_options((RankSettings,), given, "a list is scored whole; only --all takes")
    if engine == "local":
        refuse_options((RaySettings,), given, "only --engine ray takes")
    settings = settings_from(ScoreSettings, given)
    from kgrel.score.ensemble import Ensemble
    from kgrel.score.pair_scorer import PairScorer
    from kgrel.score.ray_engine import RayEngine
    from kgrel.score.stream import score_file

    if engine == "ray" and ensemble:
        raise click.UsageError("--ensemble works on the local engine; leave out --engine ray")
    if engine == "ray" and inductive is not None:
        raise click.UsageError("--inductive works on the local engine; leave out --engine ray")
    on = RayEngine(pairs, settings_from(RaySettings, given)) if engine == "ray" else None
    scorer = PairScorer.load(pairs, ensemble, inductive).model
    with Reporter() as progress:
        summary = score_file(
            scorer, candidates, out, settings, input_format=input_format,
            output_format=output_format, overwrite=overwrite, engine=on, progress=progress,
        )  # fmt: skip
    note = {"ensemble": scorer.note()} if isinstance(scorer, Ensemble) else {}
    print_summary(summary.to_json() | note, as_json, to_stderr=str(out) == "-")


def refuse_options(settings: tuple[type, ...], given: dict[str, Any], reason: str) -> None:
    """Raise for the first option that is given but would have no effect."""
    for name in (name for cls in settings for name in given_names(cls, given)):
        raise click.UsageError(f"{reason} {name}")
