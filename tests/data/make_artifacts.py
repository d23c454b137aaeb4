"""Makes ``tests/data/artifacts``: a tiny artifact of every kind, as this schema version writes it.

Run it only for a new schema version, or with the names of new kinds; what stands there must be read by all later code:

    python tests/data/make_artifacts.py [KIND ...]
"""

from __future__ import annotations

import contextlib
import csv
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from kgrel.apps.explore.reviews import Reviews
from kgrel.data.files import canonical_json
from kgrel.synthetic import WorldSettings, make_world, write_world
from kgrel_cli.main import cli

PLACE = Path(__file__).with_name("artifacts")
WORLD = WorldSettings(
    genes=12, diseases=12, chemicals=12, modules=3, pairs=110, sentences=220, candidates=8, pathway_coverage=0.5
)
TRAINING = "--steps 4 --batch-size 8 --validate-every 4 --checkpoint-every 4 --device cpu"
PAIRS = f"{TRAINING} --batch-negatives 4"
SHARES = "--validation-share 0.3 --test-share 0.3"
LISTED = "--corpus corpus --relations world/relations.tsv"
LEXICONS = "--lexicon GENE=world/genes.tsv --lexicon DISEASE=world/diseases.tsv --lexicon CHEMICAL=world/chemicals.tsv"
SOURCE = "--primary-knowledge-source infores:test --date 2026-01-01"
COMMANDS = {
    "corpus": f"build-corpus world/sentences.tsv {LEXICONS}",
    "graph": "import-graph world/nodes.tsv world/edges.sif",
    "representation": f"pretrain corpus --size tiny --posterior recogniser {TRAINING}",
    "pairs": f"train-pairs representation {LISTED} {PAIRS} {SHARES}",
    "cooccurrence": f"train-baseline cooccurrence {LISTED}",
    "degree": f"train-baseline degree {LISTED}",
    "label-only": f"train-baseline label-only {LISTED}",
    "kge": f"train-baseline kge {LISTED} --dimensions 4 --epochs 1 --no-search --device cpu",
    "path-counts": f"train-baseline path-counts {LISTED} --graph graph",
    "attention": f"train-baseline attention {LISTED} --hidden 4 --word-dimensions 4 --learning-rates 0.01 {PAIRS}",
    "combined": "combine-pairs degree kge --folds 2",
    "inductive": f"train-inductive pairs graph --width 4 --bases 2 {TRAINING}",
    "typing": f"train-typing world/sentences.tsv {LEXICONS} --embedding 4 --hidden 4 {TRAINING}",
    "mentions": f"train-mentions representation world/mentions.tsv {TRAINING}",
    "index": "build-index representation --from-corpus corpus --samples 2",
    "export": f"export kgx world/scored.csv --pairs pairs --threshold 0 {SOURCE}",
}
"""Kind → the command that makes it, from those before it."""


def stated(number: int) -> str:
    """A labelled sentence: the verb between the mentions says whether it states something."""
    verb, label = (("causes", "1"), ("ignores", "0"))[number % 2]
    return f"in study {number % 7} the @GENE$ {verb} severe @DISEASE$ .\t{label}"


GOLD = "".join(
    f"""{number}|t|kevrulathaemia and TWNX2
{number}|a|TWNX2 is raised in kevrulathaemia.
{number}\t0\t14\tkevrulathaemia\tDISEASE\tDOID:9000001
{number}\t19\t24\tTWNX2\tGENE\t1

"""
    for number in range(40)
)


def write_mentions(world: Path) -> None:
    """Labelled sentences, two folds of them as GAD is published, and gold mentions."""
    rows = [stated(number) for number in range(40)]
    (world / "mentions.tsv").write_text("\n".join(["sentence\tlabel", *rows]) + "\n", encoding="utf-8")
    (world / "gold.pubtator").write_text(GOLD, encoding="utf-8")
    for fold, test in ((1, rows[:20]), (2, rows[20:])):
        directory = world / "folds" / str(fold)
        directory.mkdir(parents=True)
        train = [row for row in rows if row not in test]
        (directory / "train.tsv").write_text("\n".join(train) + "\n", encoding="utf-8")
        numbered = [f"{number}\t{row}" for number, row in enumerate(test)]
        (directory / "test.tsv").write_text("\n".join(["index\tsentence\tlabel", *numbered]) + "\n", encoding="utf-8")


def write_reviews(world: Path) -> None:
    """A decision about the first scored pair."""
    with (world / "scored.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    first, second = row["relation"].split("-")
    pair = f"{first}::{row['source']}", f"{second}::{row['target']}"
    (world / "reviews.sqlite").unlink(missing_ok=True)
    Reviews(world / "reviews.sqlite").put(pair, ("one", "other"), row["relation"], "accepted", "seen in a review")


def main(kinds: Sequence[str]) -> None:
    """Make the named kinds anew, or everything."""
    if not kinds:
        shutil.rmtree(PLACE, ignore_errors=True)
        PLACE.mkdir()
    with contextlib.chdir(PLACE):
        if not kinds:
            write_world(make_world(WORLD), "world")
            write_mentions(Path("world"))
        for kind in kinds or COMMANDS:
            run(*COMMANDS[kind].split(), "--out", kind, "--overwrite")
            forget_the_machine(Path(kind))
            if kind == "pairs":
                run("score-pairs", "pairs", "world/candidates.csv", "--out", "world/scored.csv", "--overwrite")
                write_reviews(Path("world"))


def run(*arguments: str) -> None:
    """``kgrel`` with arguments."""
    print("kgrel", *arguments, file=sys.stderr)
    cli.main(list(arguments), prog_name="kgrel", standalone_mode=False)


def forget_the_machine(artifact: Path) -> None:
    """Take from ``run.json``, which no hash covers, where and when it was."""
    values = {"host": "anywhere", "finished": "2026-01-01T00:00:00Z", "seconds": 1.0, "python": "3.11", "cpus": 2}
    (artifact / "run.json").write_text(canonical_json(values), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
