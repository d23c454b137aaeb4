"""The options of ``build-corpus --from-graph``, which is another way to a corpus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kgrel.graph.settings import PathSettings
from kgrel.text.settings import BuildCorpusSettings
from kgrel_cli.options import INPUT, given_names, settings_from, settings_options

if TYPE_CHECKING:
    from kgrel.data.artifact import Artifact
    from kgrel.data.progress import Progress

F = TypeVar("F", bound=Callable[..., Any])
SOURCES = ("corpus", "pairs", "held_out")
SHARED = "seed"
"""Of both settings, so that one option serves."""


def path_options(function: F) -> F:
    """``--from-graph``, what goes with it, and :class:`PathSettings`."""
    function = settings_options(PathSettings, hidden=[SHARED])(function)
    for name, text in (
        ("--held-out", "Pairs whose edges of any type leave GRAPH first: validation and test pairs of a PAIRS or "
         "BASELINE artifact, or the rows of a file, but for those with `training` in a column `part`  [default: those "
         "of --pairs, if it is an artifact]"),
        ("--pairs", "Pairs to find paths for: a CORPUS, PAIRS or BASELINE artifact, or a file with source_id and "
         "target_id  [default: the pairs of --corpus, or the joined pairs of GRAPH and as many others]"),
        ("--corpus", "Text CORPUS whose contexts stand in the new one too."),
        ("--from-graph", "GRAPH whose paths become the contexts; then there are no INPUTS."),
    ):  # fmt: skip
        function = click.option(name, type=INPUT, help=text)(function)
    return function


def refuse_path_options(given: dict[str, Any]) -> None:
    """Without ``--from-graph`` none of its options may be given."""
    names = ["--" + name.replace("_", "-") for name in SOURCES if given[name] is not None]
    names += [name for name in given_names(PathSettings, given) if name != f"--{SHARED}"]
    if names:
        raise click.UsageError(f"{names[0]} needs --from-graph GRAPH")


def build_from_graph(
    graph: Path, out: Path, overwrite: bool, progress: Progress, others: list[str], given: dict[str, Any]
) -> Artifact:
    """The corpus of paths.

    Args:
        others: options that only a corpus of text has, as far as they were given.
    """
    others += [name for name in given_names(BuildCorpusSettings, given) if name != f"--{SHARED}"]
    if others:
        raise click.UsageError(f"{others[0]} does not go with --from-graph; build the text first and give --corpus")
    from kgrel.graph.graph import Graph
    from kgrel.text.corpus import Corpus
    from kgrel.train.path_corpus import build_path_corpus

    corpus, pairs, held_out = (given[name] for name in SOURCES)
    settings = settings_from(PathSettings, given)
    return build_path_corpus(
        Graph.open(graph), out, settings, pairs=pairs, held_out=held_out, overwrite=overwrite, progress=progress,
        corpus=Corpus.open(corpus) if corpus else None,
    )  # fmt: skip
