"""What ``rank-pairs`` and ``score-pairs --all`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.score.settings import RankSettings
from kgrel_cli.options import print_summary
from kgrel_cli.progress import Reporter


def rank(
    pairs: Path,
    target_type: str,
    settings: RankSettings,
    *,
    source: str | None = None,
    source_type: str | None = None,
    out: Path | None = None,
    output_format: Any = None,
    overwrite: bool = False,
    as_json: bool = False,
    ensemble: tuple[Path, ...] = (),
) -> None:
    """Rank one source, or all of a type, against a type; write the pairs to ``out`` or print them."""
    import numpy as np
    import pyarrow as pa

    from kgrel.data.tables import refuse_output, write_table
    from kgrel.score.pair_scorer import PairScorer
    from kgrel.score.rank import rank_pairs, row_of, rows_of_type
    from kgrel.score.show import text_ranking

    if out is not None:
        output_format = refuse_output(out, pa.schema([]), output_format, overwrite)  # before hours of ranking
    model = PairScorer.load(pairs, ensemble).model
    heads = (
        rows_of_type(model.entities, source_type) if source_type else np.array([row_of(model.entities, str(source))])
    )
    with Reporter() as progress:
        ranked = rank_pairs(model, heads, rows_of_type(model.entities, target_type), settings, progress)
    counts = ranked.counts()
    if out is not None:
        with write_table(out, ranked.table, output_format, overwrite) as writer:
            writer.write(ranked.table)
        print_summary(counts, as_json, to_stderr=str(out) == "-")
    elif as_json:
        print_summary(counts | {"pairs": ranked.table.to_pylist()}, as_json)
    else:
        click.echo(text_ranking(ranked.table))
        print_summary(counts, as_json, to_stderr=True)
