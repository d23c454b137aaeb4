"""``kgrel evaluate-tagging``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrel.text.settings import BuildCorpusSettings
from kgrel_cli.lexicons import lexicon_option, open_typing, tagging_settings, typing_option
from kgrel_cli.options import INPUT, print_summary, settings_options

NOT_HERE = (
    "given_mentions", "sample", "seed", "shard_sentences", "max_characters", "vocabulary_size", "min_count",
    "max_tokens", "max_pairs",
)  # fmt: skip


@click.command("evaluate-tagging")
@click.argument("gold", nargs=-1, required=True, type=INPUT)
@lexicon_option(required=True)
@typing_option
@click.option("--stop-list", type=INPUT, help="File of further names that are never tagged, one a line.")
@click.option("--errors", default=0, show_default=True, help="Show so many of the most frequent errors of each type.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
@settings_options(BuildCorpusSettings, hidden=NOT_HERE)
def command(
    gold: tuple[Path, ...],
    lexicons: tuple[tuple[str, Path], ...],
    typing: Path | None,
    stop_list: Path | None,
    errors: int,
    as_json: bool,
    **given: Any,
) -> None:
    """Tag the documents of GOLD (PubTator, BioC-JSON or JSONL) and compare with the mentions that they bring.

    Spans count if both ends are right. Identifiers are compared as sets of a document: NCBI Gene identifiers for genes,
    MeSH and OMIM cross-references for types that have them, exact names for the others. "mappable" is the share of gold
    mentions with an identifier that the lexicon has.

    \b
    Example:
      kgrel evaluate-tagging biored-dev.pubtator --lexicon GENE=genes.tsv.gz --errors 20
    """
    from kgrel.text.gold import evaluate_tagging

    report = evaluate_tagging(gold, lexicons, tagging_settings(given, stop_list), open_typing(typing))
    if as_json:
        print_summary(report, as_json)
        return
    for name, part in report.items():
        click.echo(f"{name}: {part['documents']:,} documents, {part['sentences']:,} sentences")
        for type_, row in part["types"].items():
            click.echo("\n".join(lines_of_type(type_, row, errors)))


def lines_of_type(type_: str, row: dict[str, Any], errors: int) -> list[str]:
    """The figures of one type, and its most frequent errors."""
    lines = [f"  {type_} ({100 * row['mappable']:.1f} % of the mentions mappable, by {row['mapped_by']})"]
    for part in ("spans", "identifiers"):
        figures = "  ".join(f"{key} {100 * row[part][key]:5.1f}" for key in ("precision", "recall", "f1"))
        lines.append(f"    {part:<11}  {figures}  gold {row[part]['gold']:,}, predicted {row[part]['predicted']:,}")
    for part in ("false", "missed"):
        shown = ", ".join(f"{text} ({count})" for text, count in row[part][:errors])
        lines += [f"    {part}: {shown}"] if shown else []
    return lines
