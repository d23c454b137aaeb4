"""``kgrel show-evidence``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kgrel_cli.options import INPUT


@click.command("show-evidence")
@click.argument("corpus", type=INPUT)
@click.argument("first")
@click.argument("second")
@click.option("--limit", default=20, show_default=True, help="Show at most so many sentences; 0 = all.")
@click.option("--verify/--no-verify", default=False, help="Recompute the checksums of CORPUS first.  [default: no]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a sentence.")
def command(corpus: Path, first: str, second: str, limit: int, verify: bool, as_json: bool) -> None:
    """Show the sentences of CORPUS that name both FIRST and SECOND, with their documents.

    FIRST and SECOND are identifiers (10144, Gene::10144, NCBIGene:10144) or names as the lexicon's preferred ones.

    \b
    Example:
      kgrel show-evidence corpus BRCA1 DOID:1612
    """
    from kgrel.data.printing import printable
    from kgrel.text.corpus import Corpus
    from kgrel.text.evidence import EvidenceIndex, find_entity

    opened = Corpus.open(corpus, verify)
    rows = find_entity(opened, first), find_entity(opened, second)
    index = EvidenceIndex.of(opened)
    found = index.sentences(*rows, limit or None)
    for doc_id, text, head, tail in found:
        if as_json:
            values = {"doc_id": doc_id, "sentence": text, "head": head, "tail": tail}
            click.echo(json.dumps(values, ensure_ascii=False))
        else:
            pieces = (text[: head[0]], text[slice(*head)], text[head[1] : tail[0]], text[slice(*tail)], text[tail[1] :])
            before, one, between, two, after = map(printable, pieces)
            marked = f"{click.style(one, bold=True)}{between}{click.style(two, bold=True)}"
            click.echo(f"{printable(doc_id)}\t{before}{marked}{after}")
    click.echo(f"{len(found):,} of {len(index.contexts(*rows)):,} sentences", err=True)
