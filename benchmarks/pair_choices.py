"""What raises the quality of the fine-tuned pair classifier: each option alone, on validation pairs.

    python benchmarks/pair_choices.py                                    # what is not in the results yet
    python benchmarks/pair_choices.py --splits warm --only focal
    python benchmarks/pair_choices.py --quick --json

A choice is trained once for each split with the seed 0, stops by the average precision on the validation pairs, and is
judged by it: test pairs are never looked at. Artifacts stay in runs/choices/, so an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from common import WORK, Lines, hardware, load, save, today
from pair_classification import RELATIONS, SPLITS

from kgrel.data.artifact import Kind, open_artifact
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train.settings import PAIR_RECIPES
from kgrel.train.train_pairs import train_pairs

CHOICES: dict[str, dict[str, Any]] = {
    "fine-tuned": {},
    "entities alone": {"fine_tune": "entities"},
    "anchor 1": {"anchor": 1.0},
    "text statistics": {"text_statistics": True},
    "class-balanced": {"loss": "class-balanced"},
    "focal": {"loss": "focal"},
    "nnpu": {"loss": "nnpu"},
    "negative discount": {"negative_discount": 0.5},
    "hard negatives": {"negatives": "hard"},
    "never mentioned ones too": {"pairs": "both"},
}
"""Name → what differs from the fine-tuned recipe."""
JUDGED = ("warm", "entity-cold", "degree-matched")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--representation", type=Path, default=WORK / "repr-default-seed0", help="REPR")
    parser.add_argument("--splits", nargs="+", default=list(JUDGED), choices=list(SPLITS))
    parser.add_argument("--only", nargs="+", choices=list(CHOICES), help="these again")
    parser.add_argument("--quick", action="store_true", help="two choices, few steps, warm; not kept")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON line, last")
    return parser.parse_args()


def judge(name: str, split: str, representation: Representation, corpus: Corpus, quick: bool) -> dict[str, Any]:
    """Train a choice on a split, and what its validation pairs say."""
    changes = {"split": split} | SPLITS[split] | CHOICES[name]
    settings = dataclasses.replace(PAIR_RECIPES["fine-tuned"], **changes)
    if quick:
        settings = dataclasses.replace(settings, steps=50, validate_every=50)
    out = WORK / ("choices-quick" if quick else "choices") / f"{split}-{name}".replace(",", "").replace(" ", "-")
    if not (out / "manifest.json").exists():
        train_pairs(representation, corpus, RELATIONS, out, settings, progress=Lines())
    artifact = open_artifact(out, Kind.PAIRS, verify=False)
    summary, seconds = artifact.manifest.summary, json.loads((out / "run.json").read_text())["seconds"]
    kept = ("steps", "validation_average_precision", "validation_f1_global")
    return {"date": today(), "changes": CHOICES[name], "seconds": seconds} | {key: summary[key] for key in kept}


def main() -> None:
    """Judge what is missing, and keep it."""
    options = arguments()
    representation, corpus = Representation.open(options.representation), Corpus.open(WORK / "corpus")
    kept = {} if options.quick else load("pair_choices").get("found", {})
    for split in ("warm",) if options.quick else options.splits:
        for name in list(CHOICES)[:2] if options.quick else CHOICES:
            if name in options.only if options.only else name not in kept.get(split, {}):
                kept.setdefault(split, {})[name] = judge(name, split, representation, corpus, options.quick)
                result = {"hardware": hardware(), "representation": options.representation.name, "found": kept}
                if not options.quick:
                    save("pair_choices", result)
    if options.json:
        print(json.dumps(kept, allow_nan=False))


if __name__ == "__main__":
    main()
