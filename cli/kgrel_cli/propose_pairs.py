"""``kgrel propose-pairs``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kgrel.score.settings import ProposeSettings
from kgrel_cli.options import (
    FORMAT,
    INPUT,
    output_options,
    print_summary,
    settings_from,
    settings_options,
    two_types,
)
from kgrel_cli.progress import Reporter


@click.command("propose-pairs")
@click.argument("pairs", type=INPUT)
@click.option(
    "--types", metavar="TYPE,TYPE", callback=two_types, required=True, help="Types of the two sides, e.g. GENE,DISEASE."
)
@click.option(
    "--graph", type=INPUT, help="Of --by neighbours and paths: a GRAPH, or edges with columns source and target."
)
@click.option(
    "--out", required=True, type=INPUT, help="Where to write: csv, tsv, jsonl or parquet by ending; - is stdout."
)
@click.option("--output-format", type=FORMAT, help="Format of --out, needed for stdout.  [default: by ending]")
@settings_options(ProposeSettings)
@output_options
def command(
    pairs: Path,
    types: tuple[str, str],
    graph: Path | None,
    out: Path,
    output_format: Any,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Propose candidate pairs of two types for PAIRS to score: each unordered pair once, listed ones left out.

    The columns are source, target, source_type and target_type, and one of contexts, shared_neighbours and paths.
    Memory does not depend on the number of pairs. The summary says how many pairs were left out, and whether
    --max-pairs ended it.

    \b
    Examples:
      kgrel propose-pairs pairs --types GENE,DISEASE --by co-mentioned --out candidates.csv
      kgrel propose-pairs pairs --types GENE,DISEASE --by paths --graph graph --out candidates.parquet
    """
    settings = settings_from(ProposeSettings, given)
    from kgrel.data.files import refuse_existing
    from kgrel.data.tables import write_table
    from kgrel.score.graph import read_graph
    from kgrel.score.opening import open_scorer
    from kgrel.score.propose import Proposed, propose_pairs, schema_of

    streamed = str(out) == "-"
    if not streamed:
        refuse_existing(out, overwrite)
    model, found = open_scorer(pairs), Proposed()
    joined = read_graph(graph, model.entities) if graph is not None else None
    with Reporter() as progress:
        tables = propose_pairs(model, types, settings, joined, found=found, progress=progress)
        with write_table(out, schema_of(settings.by), output_format, overwrite) as writer:
            for table in tables:
                writer.write(table)
    print_summary(asdict(found), as_json, to_stderr=streamed)
