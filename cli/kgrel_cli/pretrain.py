"""``kgrel pretrain``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.train.settings import PRETRAIN_RECIPES, PairSettings, PretrainSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("pretrain")
@click.argument("corpus", type=INPUT)
@click.option("--out", required=True, type=INPUT, help="Directory of the REPR artifact; an unfinished run is resumed.")
@click.option("--init-from", type=INPUT, help="Go on from this REPR; new words and entities are appended.")
@click.option("--relations", type=INPUT, help="Relations table for the probe; its test pairs are never looked at.")
@click.option("--dry-run", is_flag=True, help="Print parameters, memory and the plan, and train nothing.")
@settings_options(PretrainSettings, PRETRAIN_RECIPES)
@output_options
def command(
    corpus: Path,
    out: Path,
    init_from: Path | None,
    relations: Path | None,
    dry_run: bool,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Learn p(z|x,y), a distribution over the relation of an entity pair, from the contexts of CORPUS.

    Killed at any time, the same command goes on from the last checkpoint. With --relations the log tells at
    intervals how well a small classifier on the frozen representation ranks listed validation pairs.

    \b
    Example:
      kgrel pretrain corpus --steps 5000 --relations relations.tsv.gz --out repr
    """
    settings = settings_from(PretrainSettings, given, PRETRAIN_RECIPES)
    if relations is not None and settings.entities == "type":
        raise click.UsageError("--relations lists pairs of identifiers; it needs --entities id")
    from kgrel.model.representation import Representation
    from kgrel.text.corpus import Corpus
    from kgrel.train.pretrain import plan, pretrain
    from kgrel.train.probe import PairProbe
    from kgrel.train.train_pairs import prepare_pairs

    opened = Corpus.open(corpus)
    if dry_run:
        print_summary(plan(opened, settings), as_json)
        return
    start = Representation.open(init_from) if init_from is not None else None
    probe = None
    if relations is not None:
        pair_settings = PairSettings(seed=settings.seed)
        # The probe reads the table when it is due; a table that cannot be used should stop us before hours of training.
        prepare_pairs(opened.entities, opened, relations, pair_settings)
        probe = PairProbe(opened, relations, pair_settings)
    with Reporter() as progress:
        artifact = pretrain(opened, out, settings, init_from=start, probe=probe, overwrite=overwrite, progress=progress)
    print_summary(artifact.manifest.summary, as_json)
