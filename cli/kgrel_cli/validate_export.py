"""``kgrel validate-export``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT, print_summary


@click.command("validate-export")
@click.argument("export", type=INPUT)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
def command(export: Path, as_json: bool) -> None:
    """Check EXPORT against Biolink 4.4.4: required fields, enumerations, predicates, categories, endpoints.

    EXPORT is a directory of kgx, neo4j-csv or neptune, also KGX files (nodes.jsonl and edges.jsonl, or .tsv) of another
    program, a TRAPI knowledge_graph as .json, or RDF as .nq or .trig. Checksums are recomputed where there is a
    manifest. The exit status is 1 if a problem was found.

    \b
    Example:
      kgrel validate-export predictions-kgx
    """
    from kgrel.data.errors import KgrelError
    from kgrel.export.validate import validate_export

    report = validate_export(export)
    print_summary(report.to_json(), as_json)
    if report.problems:
        raise KgrelError(f"{export}: {sum(report.problems.values()):,} problems; the first: {report.examples[0]}")
