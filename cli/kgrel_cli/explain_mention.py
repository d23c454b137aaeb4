"""``kgrel explain-mention``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrel_cli.options import INPUT, print_summary


@click.command("explain-mention")
@click.argument("mentions", type=INPUT)
@click.argument("sentence")
@click.option("--placeholders", multiple=True, help="MARK=TYPE, as for train-mentions. Repeatable.")
@click.option("--relation", default="", help="Relation whose words are told.  [default: the likeliest]")
@click.option("--html", "page", type=INPUT, help="Write the coloured sentence as an HTML page.")
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
@click.option("--json", "as_json", is_flag=True, help="Print words and weights as JSON on stdout.")
def command(
    mentions: Path,
    sentence: str,
    placeholders: tuple[str, ...],
    relation: str,
    page: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Show which words of SENTENCE carry the decision of MENTIONS: each is left out in turn.

    The two entities are marked by placeholders. Green words speak for the relation, red ones against it; the weights
    are differences of its log-odds.

    \b
    Example:
      kgrel explain-mention mentions "A variant of @GENE$ is associated with @DISEASE$." --html why.html
    """
    from kgrel.data.files import refuse_place, write_text
    from kgrel.score.explain_mention import explain_mention, html_page, strengths
    from kgrel.text.mentions import mark_finder, statement_of
    from kgrel.train.mention_model import MentionModel

    if page is not None:
        refuse_place(page, overwrite)
    statement = statement_of(sentence, mark_finder(placeholders)(sentence))
    found = explain_mention(MentionModel.open(mentions), statement, relation)
    if page is not None:
        write_text(page, html_page(found))
    weights = [{"word": word, "weight": weight} for word, weight in zip(found.words, found.weights, strict=True)]
    if as_json:
        summary = {"relation": found.relation, "about": found.about, "score": found.score, "words": weights}
        print_summary(summary, as_json)
        return
    click.echo(f"{found.relation}; p({found.about}) = {found.score:.3f}")
    coloured = [
        click.style(
            word, fg=None if abs(strength) < 0.1 else "green" if strength > 0 else "red", bold=abs(strength) > 0.5
        )
        for word, strength in zip(found.words, strengths(found.weights), strict=True)
    ]
    click.echo(" ".join(coloured))
    for entry in sorted(weights, key=lambda entry: -abs(entry["weight"]))[:5]:
        click.echo(f"{entry['weight']:+.3f}  {entry['word']}")
