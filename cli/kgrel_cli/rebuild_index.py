"""``kgrel rebuild-index``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.search.settings import IndexSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_options
from kgrel_cli.progress import Reporter

CHANGEABLE = {"factory", "metric", "train_vectors", "probes", "recall_queries"}
FIXED = {"relation_column", "samples", "vectors", "order", "chunk_pairs", "seed", "device"}


@click.command("rebuild-index")
@click.argument("index", type=INPUT)
@click.option("--out", type=INPUT, help="Where the new index goes.  [default: in place of INDEX, by a rename]")
@settings_options(IndexSettings, hidden=FIXED, default="that of INDEX")
@output_options
def command(index: Path, out: Path | None, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Make the FAISS index of INDEX anew from its stored vectors: another factory or metric, or another FAISS.

    Removed pairs are dropped. No model computes anything.

    \b
    Example:
      kgrel rebuild-index index --factory HNSW32 --out index-hnsw
    """
    from kgrel.search.index import RelationIndex
    from kgrel.search.update import rebuild_index

    changes = {name: value for name, value in given.items() if name in CHANGEABLE and value is not None}
    with Reporter() as progress:
        opened = RelationIndex.open(index)
        artifact = rebuild_index(opened, out, changes, overwrite=overwrite, progress=progress)
    print_summary(artifact.manifest.summary, as_json)
