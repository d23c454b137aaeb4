"""``kgrel search-index``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgrel.search.settings import SearchSettings
from kgrel_cli.lexicons import lexicon_option
from kgrel_cli.options import FORMAT, INPUT, output_options, print_summary, settings_from, settings_options
from kgrel_cli.progress import Reporter

if TYPE_CHECKING:
    from kgrel.text.document_tagger import DocumentTagger

QUERIES = ("pair", "pairs", "entity", "sentence", "relation")


@click.command("search-index")
@click.argument("index", type=INPUT)
@click.option("--pair", nargs=2, metavar="A B", help="Pairs related as A is to B: identifiers or names.")
@click.option("--pairs", type=INPUT, help="The same for each row of a list: csv, tsv, jsonl or parquet.")
@click.option("--entity", help="The pairs of an entity, in clusters of similar relations.")
@click.option(
    "--sentence",
    help="Pairs related as this sentence says. Its two entities are marked, [[AKT1]] or [[GENE::207|Akt]], or tagged "
    "with --lexicon.",
)
@lexicon_option(required=False)
@click.option("--relation", help="Pairs related like those listed with this relation, which are left out.")
@click.option(
    "--by", type=click.Choice(["centroid", "members"]), default="centroid", show_default=True,
    help="With --relation: like the mean of its pairs, or like any of 64 of them.",
)  # fmt: skip
@click.option("--representation", type=INPUT, help="Refuse an index of another REPR than this one.")
@click.option("--verify/--no-verify", default=True, help="Recompute the checksums of INDEX first.  [default: yes]")
@click.option("--out", type=INPUT, help="Where to write: csv, tsv, jsonl, parquet; - is stdout.  [default: a table]")
@click.option("--output-format", type=FORMAT, help="Format of --out, needed for stdout.  [default: by ending]")
@settings_options(SearchSettings)
@output_options
def command(
    index: Path,
    pair: tuple[str, str] | None,
    pairs: Path | None,
    entity: str | None,
    sentence: str | None,
    lexicons: tuple[tuple[str, Path], ...],
    relation: str | None,
    by: str,
    representation: Path | None,
    verify: bool,
    out: Path | None,
    output_format: Any,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Find the pairs of INDEX that are related like a pair, a sentence or a listed relation.

    Nearest first, ties by number of pair. Each pair shows once, in the order in which it is near: source plays the part
    of A. A sentence needs a representation that was pretrained with --posterior recogniser.

    \b
    Examples:
      kgrel search-index index --pair AKT1 GSK3B --top 20 --novel-only
      kgrel search-index index --sentence "[[metformin]] improved [[type 2 diabetes mellitus]]" --tail-type DISEASE
      kgrel search-index index --relation CHEMICAL-DISEASE --novel-only --out found.csv
    """
    asked = [name for name, value in zip(QUERIES, (pair, pairs, entity, sentence, relation), strict=True) if value]
    if len(asked) != 1:
        raise click.UsageError("give one of --pair, --pairs, --entity, --sentence and --relation")
    settings = settings_from(SearchSettings, given)
    from kgrel.data.files import refuse_existing
    from kgrel.data.tables import write_table
    from kgrel.search.answers import text_answers
    from kgrel.search.ask import ask
    from kgrel.search.index import RelationIndex

    streamed = str(out) == "-"
    if out is not None and not streamed:
        refuse_existing(out, overwrite)
    opened = RelationIndex.open(index, verify)
    if representation is not None:
        from kgrel.data.artifact import Kind, open_artifact

        opened.require([open_artifact(representation, Kind.REPRESENTATION, False).hash], str(representation))
    with Reporter():
        table, summary = ask(
            opened, settings, pair=pair, pairs=pairs, entity=entity, sentence=sentence, relation=relation, by=by,
            tagger=tagger_of(lexicons),
        )  # fmt: skip
    if out is not None:
        with write_table(out, table, output_format, overwrite) as writer:
            writer.write(table)
        print_summary(summary, as_json, to_stderr=streamed)
    elif as_json:
        print_summary(summary | {"answers": table.to_pylist()}, as_json)
    else:
        click.echo(text_answers(table))
        print_summary(summary, as_json, to_stderr=True)


def tagger_of(lexicons: tuple[tuple[str, Path], ...]) -> DocumentTagger | None:
    """A tagger of name lists; None where none is given."""
    if not lexicons:
        return None
    from kgrel.text.badlines import BadLines
    from kgrel.text.document_tagger import DocumentTagger
    from kgrel.text.lexicon import build_lexicon, read_lexicon
    from kgrel.text.settings import BuildCorpusSettings

    settings, bad = BuildCorpusSettings(), BadLines()
    terms = [term for kind, path in lexicons for term in read_lexicon(kind, path, settings, bad)]
    if bad.count:
        click.echo(f"{bad.count:,} rows of the lexicons cannot be used, e.g. {bad.first[0]}", err=True)
    return DocumentTagger(build_lexicon(terms, settings), settings)
