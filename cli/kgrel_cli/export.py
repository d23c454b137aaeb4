"""``kgrel export``: one subcommand a format."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kgrel.data.errors import KgrelError
from kgrel.export.settings import (
    FORMATS,
    BoltSettings,
    ExportSettings,
    KgxSettings,
    LadybugSettings,
    RdfSettings,
)
from kgrel_cli.options import FORMAT, INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter

PASSWORD = "KGREL_NEO4J_PASSWORD"
"""Environment variable of the password; never an option, which the list of processes would show."""
WRITER_SETTINGS: dict[str, type] = {"kgx": KgxSettings, "ladybug": LadybugSettings, "rdf": RdfSettings}
"""Formats whose writers have settings of their own."""
OUT = {
    "kgx": "predictions-kgx",
    "neo4j-csv": "predictions-csv",
    "ladybug": "predictions.lbdb",
    "rdf": "predictions.trig",
    "graphml": "predictions.graphml",
    "cx2": "predictions.cx2",
    "neptune": "predictions-neptune",
    "trapi": "predictions.json",
}
"""Format → output in its example."""
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@click.group("export")
def command() -> None:
    """Export the pairs of a scored list as predicted edges.

    Every edge says what it is (a prediction of a computational model), which model and run it came from, and its score.
    Its identifier follows from what it states and from the model, so that exporting again changes nothing.

    \b
    Examples:
      kgrel export kgx scored.csv --pairs pairs --primary-knowledge-source infores:my-lab --out predictions-kgx
      kgrel export neo4j scored.csv --pairs pairs --primary-knowledge-source infores:my-lab --create-missing-nodes
    """


def input_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the edges are made of."""
    options = [
        click.option(
            "--pairs", type=INPUT, help="What scored the list, PAIRS, COMBINED or a baseline: nodes, thresholds."
        ),
        click.option(
            "--nodes", type=INPUT, help="Nodes file (id, type, name): gives names, or without --pairs the nodes."
        ),
        click.option("--graph", type=INPUT, help="GRAPH that says which pairs are known, and names like --nodes."),
        click.option("--corpus", type=INPUT, help="CORPUS whose documents that name both nodes are the evidence."),
        click.option("--mapping", type=INPUT, help="Mapping file (.toml, .yaml) to categories, predicates and CURIEs."),
        click.option("--input-format", type=FORMAT, help="Format of SCORED, needed for stdin.  [default: by ending]"),
        settings_options(ExportSettings),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def inputs_of(scored: Path, given: dict[str, Any]) -> Any:
    """The paths among the options."""
    from kgrel.export.dispatch import Inputs

    names = ("pairs", "nodes", "graph", "corpus", "mapping", "input_format")
    return Inputs(scored, **{name: given.pop(name) for name in names})


def file_command(format: str) -> click.Command:
    """The subcommand of a format that is a file or a directory."""
    writer = WRITER_SETTINGS.get(format)
    own: Decorator = settings_options(writer) if writer else lambda function: function

    @click.command(format, help=help_of(format), short_help=FORMATS[format])
    @click.argument("scored", type=INPUT)
    @click.option("--out", required=True, type=INPUT, help="Where to write.")
    @own
    @input_options
    @output_options
    def export(scored: Path, out: Path, overwrite: bool, as_json: bool, **given: Any) -> None:
        inputs, settings = inputs_of(scored, given), settings_from(ExportSettings, given)
        from kgrel.export.dispatch import export_scored

        with Reporter() as progress:
            summary = export_scored(
                format, inputs, out, settings, writer_settings=settings_from(writer, given) if writer else None,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
        print_summary(summary, as_json)

    return export


def help_of(format: str) -> str:
    """The help of a file format."""
    return f"""{FORMATS[format]}

    SCORED is what score-pairs or rank-pairs wrote. Pairs above the threshold become edges. The output appears whole or
    not at all.

    \b
    Example:
      kgrel export {format} scored.csv --pairs pairs --primary-knowledge-source infores:my-lab --out {OUT[format]}
    """


@click.command("neo4j", short_help=FORMATS["neo4j"])
@click.argument("scored", type=INPUT, required=False)
@click.option("--dry-run", is_flag=True, help="Print the statements and their counts; connects to nothing.")
@click.option("--delete-run", metavar="RUN", help="Instead of loading SCORED: take RUN out of the database.")
@settings_options(BoltSettings)
@input_options
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON on stdout.")
def load_command(scored: Path | None, dry_run: bool, delete_run: str | None, as_json: bool, **given: Any) -> None:
    """Load into a running database over Bolt: Neo4j, Aura, Memgraph, ArcadeDB.

    Repeating a load changes nothing, and one that was killed is repeated. Asserted edges and those of other models are
    never touched. Nodes are checked before anything is written. The password is read from KGREL_NEO4J_PASSWORD, or
    asked for.

    \b
    Examples:
      kgrel export neo4j scored.csv --pairs pairs --primary-knowledge-source infores:my-lab --create-missing-nodes
      kgrel export neo4j scored.csv --pairs pairs --primary-knowledge-source infores:my-lab --dry-run
      kgrel export neo4j --delete-run run-2026-01 --uri bolt://localhost:7687
    """
    if (scored is None) == (delete_run is None):
        raise click.UsageError("give either SCORED or --delete-run")
    database = settings_from(BoltSettings, given)
    from kgrel.export import bolt
    from kgrel.export.dispatch import open_edges, summary_of

    if delete_run is not None:
        print_summary(bolt.delete_run(delete_run, database, password()).to_json(), as_json)
        return
    assert scored is not None
    inputs, settings = inputs_of(scored, given), settings_from(ExportSettings, given)
    with Reporter() as progress, open_edges(inputs, settings, progress) as (edges, _):
        done = bolt.plan(edges, database) if dry_run else bolt.load(edges, database, password(), progress).to_json()
        summary = summary_of(edges, done)
    if dry_run and not as_json:
        for step in summary.pop("statements"):
            click.echo(f"// {step['rows']:,} rows\n{step['cypher']};")
    print_summary(summary, as_json)


def password() -> str:
    """The password, from the environment or the terminal.

    Raises:
        KgrelError: there is neither.
    """
    found = os.environ.get(PASSWORD)
    if found is None and not sys.stdin.isatty():
        raise KgrelError(f"no password: set {PASSWORD}, or run this on a terminal, where it is asked for")
    return found if found is not None else click.prompt("Password", hide_input=True, err=True)


for _format in FORMATS:
    command.add_command(load_command if _format == "neo4j" else file_command(_format))
