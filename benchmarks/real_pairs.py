"""The line on the real corpus: build-corpus, pretrain, train-pairs, evaluate-pairs.

    python benchmarks/real_pairs.py --name default                       # the default recipe
    python benchmarks/real_pairs.py --name paper-400 --recipe paper --steps 400

Each run is one configuration; its test split is evaluated once and kept under its name in
results/real_pairs.json. ``python benchmarks/make_results.py`` makes RESULTS.md from it. Artifacts stay in runs/, so
an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

from common import DATA, LEXICONS, RELATIONS, WORK, Lines, hardware, load, save, today

from kgrel.data.settings import to_json
from kgrel.evaluate.pairs import evaluate_pairs
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.model.representation import Representation
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.train.pair_model import PairModel
from kgrel.train.pretrain import pretrain
from kgrel.train.probe import PairProbe
from kgrel.train.settings import PAIR_RECIPES, PRETRAIN_RECIPES, PairSettings, PretrainSettings
from kgrel.train.train_pairs import train_pairs


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="default", help="name of the configuration in the results")
    parser.add_argument("--recipe", default="default", choices=list(PRETRAIN_RECIPES))
    parser.add_argument("--size", default="x-small")
    parser.add_argument("--steps", type=int, help="pretraining steps [default: the recipe's]")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="the 20,000-sentence sample and few steps; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    return parser.parse_args()


def corpus_of(quick: bool) -> tuple[Corpus, float]:
    """The corpus of the full sentences or of the sample, built once, and the seconds that building took."""
    sentences = DATA / "corpus" / ("sentences-20k.tsv" if quick else "sentences.tsv.gz")
    out = WORK / ("corpus-quick" if quick else "corpus")
    if not out.exists():
        lexicons = [(type_, DATA / "dictionaries" / name) for type_, name in LEXICONS.items()]
        build_corpus([sentences], lexicons, out, progress=Lines())
    corpus = Corpus.open(out)
    return corpus, seconds_of(out)


def seconds_of(artifact: Path) -> float:
    """How long the last session of the run that made an artifact took."""
    return float(json.loads((artifact / "run.json").read_text())["seconds"])


def settings_of(options: argparse.Namespace) -> tuple[PretrainSettings, PairSettings]:
    """The recipe with what the options change."""
    changes: dict[str, Any] = {"size": options.size, "precision": options.precision, "seed": options.seed}
    changes["device"] = options.device
    if options.steps or options.quick:
        changes["steps"] = 60 if options.quick else options.steps
    pretraining = dataclasses.replace(PRETRAIN_RECIPES[options.recipe], **changes)
    pairs = dataclasses.replace(PAIR_RECIPES["frozen"], seed=options.seed, device=options.device)
    return pretraining, dataclasses.replace(pairs, steps=200) if options.quick else pairs


def main() -> None:
    """Run one configuration and keep its figures."""
    options = arguments()
    WORK.mkdir(exist_ok=True)
    corpus, corpus_seconds = corpus_of(options.quick)
    pretraining, pair_settings = settings_of(options)
    name = f"{'quick' if options.quick else options.name}-seed{options.seed}"
    repr_path, pairs_path = WORK / f"repr-{name}", WORK / f"pairs-{name}"
    if not (repr_path / "manifest.json").exists():
        probe = PairProbe(corpus, RELATIONS, PairSettings(seed=options.seed))
        pretrain(corpus, repr_path, pretraining, probe=probe, overwrite=options.quick, progress=Lines())
    representation = Representation.open(repr_path)
    if options.quick or not (pairs_path / "manifest.json").exists():
        train_pairs(
            representation, corpus, RELATIONS, pairs_path, pair_settings, overwrite=options.quick, progress=Lines()
        )
    model = PairModel.open(pairs_path)
    started = time.perf_counter()
    report = evaluate_pairs(model, EvaluationSettings(draws=100 if options.quick else 1000), Lines())
    assert representation.artifact is not None
    assert model.artifact is not None
    result = {
        "date": today(),
        "hardware": hardware(),
        "corpus": {key: corpus.artifact.manifest.summary[key] for key in ("contexts", "entities", "distinct_pairs")},
        "pretrain": {"settings": to_json(pretraining), **representation.artifact.manifest.summary},
        "train_pairs": {"settings": to_json(pair_settings), **model.artifact.manifest.summary},
        "curve": [json.loads(line) for line in (repr_path / "log.jsonl").read_text().splitlines()],
        "seconds": {
            "build_corpus": corpus_seconds,
            "pretrain": seconds_of(repr_path),
            "train_pairs": seconds_of(pairs_path),
            "evaluate_pairs": round(time.perf_counter() - started, 1),
        },
        "report": report,
    }
    if not options.quick:
        save("real_pairs", load("real_pairs") | {name: result})
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
