"""What raises the quality of the fine-tuned pair classifier: each option alone, on validation pairs.

    python benchmarks/pair_choices.py                                    # what is not in the results yet
    python benchmarks/pair_choices.py --splits warm --only focal
    python benchmarks/pair_choices.py --quick --json

A choice is trained once for each split with the seed 0, stops by the average precision on the validation pairs, and is
judged by it: test pairs are never looked at. The mean of seeds has one split. Artifacts stay in runs/choices/, so an
interrupted run goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from common import RELATIONS, WORK, Lines, hardware, load, save, today
from pair_classification import SPLITS

from kgrel.data.artifact import Kind, open_artifact
from kgrel.metrics.classification import average_precision, best
from kgrel.metrics.thresholds import best_threshold
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train.pair_artifact import refuse_other_split
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
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
MEAN, SEEDS = "mean of three seeds", (0, 1, 2)
JUDGED = ("warm", "entity-cold", "degree-matched")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--representation", type=Path, default=WORK / "repr-gaussian-2400", help="REPR")
    parser.add_argument("--splits", nargs="+", default=list(JUDGED), choices=list(SPLITS))
    parser.add_argument("--only", nargs="+", choices=[*CHOICES, MEAN], help="these again")
    parser.add_argument("--quick", action="store_true", help="two choices, few steps, warm; not kept")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON line, last")
    return parser.parse_args()


def trained(
    name: str, changes: dict[str, Any], split: str, representation: Representation, corpus: Corpus, quick: bool
) -> Path:
    """A classifier that differs so from the fine-tuned recipe, trained unless it was before."""
    settings = dataclasses.replace(PAIR_RECIPES["fine-tuned"], **{"split": split} | SPLITS[split] | changes)
    if quick:
        settings = dataclasses.replace(settings, steps=50, validate_every=50)
    out = WORK / ("choices-quick" if quick else "choices") / f"{split}-{name}".replace(",", "").replace(" ", "-")
    if not (out / "manifest.json").exists():
        train_pairs(representation, corpus, RELATIONS, out, settings, progress=Lines())
    return out


def judge(name: str, split: str, representation: Representation, corpus: Corpus, quick: bool) -> dict[str, Any]:
    """Train a choice on a split, and what its validation pairs say."""
    if name == MEAN:
        return judge_mean(split, representation, corpus, quick)
    out = trained(name, CHOICES[name], split, representation, corpus, quick)
    summary = open_artifact(out, Kind.PAIRS, verify=False).manifest.summary
    kept = ("steps", "validation_average_precision", "validation_f1_global")
    told = {"date": today(), "changes": CHOICES[name], "seconds": seconds_of(out)}
    return told | {key: summary[key] for key in kept}


def judge_mean(split: str, representation: Representation, corpus: Corpus, quick: bool) -> dict[str, Any]:
    """The mean score of several seeds on the validation pairs of one split."""
    places = [
        trained(f"seed {seed}" if seed else "fine-tuned", {"seed": seed, "split_seed": 0} if seed else {}, split,
                representation, corpus, quick)
        for seed in SEEDS
    ]  # fmt: skip
    models = [PairModel.open(place) for place in places]
    data, rows = models[0].data, models[0].data.rows(Part.VALIDATION)
    for model in models[1:]:
        refuse_other_split(models[0], model)
    scores = np.mean([model.predict(data.heads[rows], data.tails[rows])[0] for model in models], axis=0)
    classes, values = best(scores, data.possible(rows))
    return {
        "date": today(),
        "changes": {"seeds": SEEDS},
        "seconds": sum(map(seconds_of, places)),
        "steps": sum(int(model.artifact.manifest.summary["steps"]) for model in models if model.artifact),
        "validation_average_precision": average_precision(data.positive[rows], values),
        "validation_f1_global": best_threshold(classes, values, data.labels[rows]).f1,
    }


def seconds_of(out: Path) -> float:
    """Seconds of the last session of a training."""
    return float(json.loads((out / "run.json").read_text())["seconds"])


def main() -> None:
    """Judge what is missing, and keep it."""
    options = arguments()
    representation, corpus = Representation.open(options.representation), Corpus.open(WORK / "corpus")
    kept = {} if options.quick else load("pair_choices").get("found", {})
    for split in ("warm",) if options.quick else options.splits:
        for name in list(CHOICES)[:2] if options.quick else (*CHOICES, MEAN):
            if name in options.only if options.only else name not in kept.get(split, {}):
                kept.setdefault(split, {})[name] = judge(name, split, representation, corpus, options.quick)
                result = {"hardware": hardware(), "representation": options.representation.name, "found": kept}
                if not options.quick:
                    save("pair_choices", result)
    if options.json:
        print(json.dumps(kept, allow_nan=False))


if __name__ == "__main__":
    main()
