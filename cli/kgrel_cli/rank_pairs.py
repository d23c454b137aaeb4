"""``kgrel rank-pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.score.settings import RankSettings
from kgrel_cli.options import INPUT, output_options, settings_from, settings_options
from kgrel_cli.ranking import rank


@click.command("rank-pairs")
@click.argument("pairs", type=INPUT)
@click.option("--source", help="Rank the pairs of this entity, e.g. DISEASE::DOID:1612.")
@click.option("--source-type", help="Instead of --source: all entities of this type.")
@click.option("--target-type", required=True, help="Type of the entities on the other side.")
@click.option("--out", type=INPUT, help="Where to write: csv, tsv, jsonl or parquet by ending.  [default: a table]")
@settings_options(RankSettings)
@output_options
def command(
    pairs: Path,
    source: str | None,
    source_type: str | None,
    target_type: str,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Rank one entity against all entities of a type, or all pairs of two types, by PAIRS.

    Best first, ties by identifier. Nothing but the best pairs is held in memory.

    \b
    Examples:
      kgrel rank-pairs pairs --source DISEASE::DOID:1612 --target-type CHEMICAL --top 20 --novel-only
      kgrel rank-pairs pairs --source-type GENE --target-type DISEASE --top 1000 --per-head 50 --out top.csv
    """
    if (source is None) == (source_type is None):
        raise click.UsageError("give either --source or --source-type")
    settings = settings_from(RankSettings, given)
    rank(
        pairs, target_type, settings, source=source, source_type=source_type, out=out, overwrite=overwrite,
        as_json=as_json,
    )  # fmt: skip
