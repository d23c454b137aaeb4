"""The ``kgrel`` command. A verb's module is imported only when the verb is run, so that ``--help`` is fast."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from kgrel import __version__
from kgrel.data.errors import KgrelError, did_you_mean
from kgrel.data.printing import printable, shortened

VERBS = {
    "demo": "The whole line on a generated world, from sentences to scored pairs.",
    "build-corpus": "Store the contexts of entity pairs: sentences tagged with name lists, or paths of a graph.",
    "train-typing": "Learn from the context which type a name has, for build-corpus --typing.",
    "import-relvm": "Turn a data directory of the RELVM code into a corpus.",
    "describe-corpus": "Show counts, histograms and sampled sentences of a corpus.",
    "show-evidence": "Show the sentences that name both entities of a pair.",
    "import-graph": "Read a knowledge graph, check it, and store it by type.",
    "describe-graph": "Show what a graph holds: nodes and edges by type, degrees, hubs.",
    "export-subgraph": "Write the best paths between two entities of a graph as text, GraphML or a picture.",
    "evaluate-tagging": "Measure the tagger against gold mentions.",
    "pretrain": "Learn p(z|x,y), a distribution over the relation of a pair, from a corpus.",
    "hold-out-pairs": "Take the contexts of some pairs out of a corpus, to test on pairs that were never seen.",
    "train-pairs": "Train the pair classifier on a representation and tune its threshold.",
    "train-inductive": "Learn from a graph the embeddings of entities that no context names.",
    "tune-threshold": "Tune the threshold of a pair classifier again, globally or per class.",
    "calibrate": "Turn the scores of a pair classifier into probabilities of being listed.",
    "train-baseline": "Fit what a model must beat: counts, degrees, attention, graph embeddings.",
    "train-combined": "Train a classifier and the baselines that add to it, and combine them into one scorer.",
    "combine-pairs": "Combine classifiers and baselines of the same pairs into one scorer.",
    "evaluate-pairs": "Evaluate a pair classifier beside the baselines.",
    "evaluate-ranking": "Rank the other end of each listed pair among all entities of its type.",
    "propose-pairs": "List candidate pairs: of two types, co-mentioned, or near each other in a graph.",
    "rank-pairs": "Rank one entity against all of a type, or all pairs of two types.",
    "report": "Show the curves and settings of a training as one HTML page.",
    "score-pairs": "Score a list of candidate pairs: one row out for each row in.",
    "train-mentions": "Learn from labelled sentences which relation a sentence states.",
    "classify-mentions": "Classify sentences with two marked entities: one row out for each row in.",
    "evaluate-mentions": "Evaluate a classifier of sentences on labelled ones.",
    "embed-mentions": "Give the relation z that each sentence expresses, in the space of pairs.",
    "explain-mention": "Show which words of a sentence carry its decision.",
    "cross-validate-mentions": "Cross-validate it on the folds of GAD or EU-ADR, beside what it must beat.",
    "build-index": "Index the relations of pairs for nearest-neighbour search.",
    "search-index": "Find pairs that are related like a pair, a sentence or a listed relation.",
    "update-index": "Add pairs to an index and remove some, without a rebuild.",
    "rebuild-index": "Make an index anew from its stored vectors, with another FAISS factory or metric.",
    "relation-modes": "Show whether one pair has several relations.",
    "map-relations": "Draw the pairs of an index in a plane, coloured by relation.",
    "explain": "Show everything that is known of one pair: prediction, similar pairs, sentences, paths, modes.",
    "explore": "Look at predictions in the browser, and accept, reject or comment on them.",
    "export-reviews": "Write accepted predictions as relations for the next training.",
    "export": "Export scored pairs as edges for a graph database or a viewer.",
    "validate-export": "Check exported files against the Biolink model.",
    "doctor": "Show what this installation and this machine can do, and what is wrong.",
    "completion": "Print the script that completes verbs and options in bash, zsh or fish.",
}
"""Verb → one line for the overview."""
COMPLETE = "_KGREL_COMPLETE"
"""The environment variable through which a shell asks for completions."""


class Verbs(click.Group):
    """Finds verbs in :data:`VERBS` and loads their modules on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"kgrel_cli.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(f"no such verb {args[0]!r}{did_you_mean(args[0], VERBS)}; see kgrel --help", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs from their table, so that completing one loads none."""
        verbs = [CompletionItem(verb, help=line) for verb, line in VERBS.items() if verb.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kgrel")
@click.option("--traceback", is_flag=True, help="Show the traceback of a failure.")
def cli(traceback: bool) -> None:
    """Link prediction and relation extraction for biomedical knowledge graphs, learned from unlabelled sentences."""
    if os.environ.get("NO_COLOR"):  # https://no-color.org; elsewhere click styles a terminal alone
        click.get_current_context().color = False


def main() -> None:
    """Run the command line; a failure is one sentence on stderr and exit status 1, an interrupt 130."""
    show = "--traceback" in sys.argv[1:]
    # Wherever the user puts it: kgrel --traceback VERB, or kgrel VERB --traceback.
    arguments = [argument for argument in sys.argv[1:] if argument != "--traceback"]
    try:
        cli.main(arguments, prog_name="kgrel", complete_var=COMPLETE, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (KgrelError, OSError, MemoryError) as error:
        if show:
            traceback.print_exc()
        click.echo(f"kgrel: {failure(error)}", err=True)
        sys.exit(1)


def failure(error: BaseException) -> str:
    """One sentence for a failure, however much of a file it quotes."""
    if isinstance(error, MemoryError):
        return "out of memory; use a smaller batch or chunk"
    if isinstance(error, OSError):
        return printable(f"{error.filename or 'the operating system'}: {error.strerror or error}")
    return printable(shortened(str(error)))
