"""``kgrel build-corpus``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.text.settings import BuildCorpusSettings
from kgrel_cli.lexicons import lexicon_option, open_typing, tagging_settings, typing_option
from kgrel_cli.options import INPUT, output_options, print_summary, settings_options
from kgrel_cli.path_options import build_from_graph, path_options, refuse_path_options
from kgrel_cli.progress import Reporter


@click.command("build-corpus")
@click.argument("inputs", nargs=-1, type=INPUT)
@lexicon_option(required=False)
@typing_option
@click.option("--stop-list", type=INPUT, help="File of further names that are never tagged, one a line.")
@click.option(
    "--out", required=True, type=INPUT, help="Directory of the CORPUS artifact; an unfinished run is resumed."
)
@click.option("--processes", default=1, show_default=True, help="Worker processes; the result does not depend on it.")
@settings_options(BuildCorpusSettings)
@path_options
@output_options
def command(
    inputs: tuple[Path, ...],
    lexicons: tuple[tuple[str, Path], ...],
    typing: Path | None,
    stop_list: Path | None,
    out: Path,
    processes: int,
    from_graph: Path | None,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Tag INPUTS with name lists and store the contexts of entity pairs.

    INPUTS are sentences (.tsv with a header and the columns doc_id and sentence; .jsonl), PubTator (.pubtator),
    BioC-JSON (.json) or plain text (.txt), each also .gz or .zst. Mentions that they bring are used as they are.

    Killed at any time, the same command goes on with the shards that are missing.

    \b
    Example:
      kgrel build-corpus sentences.tsv.gz --lexicon GENE=genes.tsv.gz \\
          --lexicon DISEASE=HumanDO.obo.gz --processes 2 --out corpus

    With --from-graph the contexts are paths of at most three edges between two entities instead, or as well as those of
    a text corpus; the edges between the two, and between held-out pairs, are in none.

    \b
    Example:
      kgrel build-corpus --from-graph graph --out paths
      kgrel build-corpus --from-graph graph --corpus corpus --held-out pairs --out both
    """
    if from_graph is not None:
        text = {"INPUTS": inputs, "--lexicon": lexicons, "--typing": typing, "--stop-list": stop_list}
        with Reporter() as progress:
            others = [name for name, value in text.items() if value]
            artifact = build_from_graph(from_graph, out, overwrite, progress, others, given)
        print_summary(artifact.manifest.summary, as_json)
        return
    if not inputs:
        raise click.UsageError("give INPUTS, or --from-graph GRAPH")
    refuse_path_options(given)
    from kgrel.text.build import build_corpus

    settings = tagging_settings(given, stop_list)
    classifier = open_typing(typing)
    with Reporter() as progress:
        artifact = build_corpus(inputs, lexicons, out, settings, overwrite, progress, processes, classifier)
    print_summary(artifact.manifest.summary, as_json)
