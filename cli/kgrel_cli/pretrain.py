"""``kgrel pretrain``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from kgrel.data.progress import Silent
from kgrel.train.settings import PRETRAIN_RECIPES, PairSettings, PretrainSettings
from kgrel_cli.options import INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter


@click.command("pretrain")
@click.argument("corpus", type=INPUT)
@click.option("--out", type=INPUT, help="Directory of the REPR artifact; an unfinished run is resumed.  [required]")
@click.option("--init-from", type=INPUT, help="Go on from this REPR; new words and entities are appended.")
@click.option("--relations", type=INPUT, help="Relations table for the probe; its test pairs are never looked at.")
@click.option(
    "--devices",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes here that train together, one a device; the batch is divided among them.",
)
@click.option("--tensorboard", type=INPUT, help="Write the log to this TensorBoard directory as well.")
@click.option("--dry-run", is_flag=True, help="Print parameters, memory and the plan, and train nothing.")
@settings_options(PretrainSettings, PRETRAIN_RECIPES)
@output_options
def command(
    corpus: Path,
    out: Path | None,
    init_from: Path | None,
    relations: Path | None,
    devices: int,
    tensorboard: Path | None,
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
    if out is None and not dry_run:
        raise click.UsageError("give --out, the directory of the REPR artifact; only --dry-run needs none")
    settings = settings_from(PretrainSettings, given, PRETRAIN_RECIPES)
    if relations is not None and settings.entities == "type":
        raise click.UsageError("--relations lists pairs of identifiers; it needs --entities id")
    from kgrel.train.devices import launched, rank, relaunch

    if devices > 1 and not launched() and not dry_run:
        relaunch(devices, sys.argv[1:])
        return
    from kgrel.model.representation import Representation
    from kgrel.text.corpus import Corpus
    from kgrel.train.pretrain import plan, pretrain
    from kgrel.train.probe import PairProbe
    from kgrel.train.tensorboard import tensorboard_listener
    from kgrel.train.train_pairs import prepare_pairs

    opened = Corpus.open(corpus)
    if out is None or dry_run:
        print_summary(plan(opened, settings), as_json)
        return
    start = Representation.open(init_from) if init_from is not None else None
    probe = None
    if relations is not None and rank() == 0:
        pair_settings = PairSettings(seed=settings.seed)
        # The probe reads the table when it is due; a table that cannot be used should stop us before hours of training.
        prepare_pairs(opened.entities, opened, relations, pair_settings)
        probe = PairProbe(opened, relations, pair_settings)
    listeners = [tensorboard_listener(tensorboard)] if tensorboard is not None and rank() == 0 else []
    with Reporter() if rank() == 0 else nullcontext(Silent()) as progress:
        artifact = pretrain(
            opened,
            out,
            settings,
            init_from=start,
            probe=probe,
            overwrite=overwrite,
            progress=progress,
            listeners=listeners,
        )
    if rank() == 0:
        print_summary(artifact.manifest.summary, as_json)
