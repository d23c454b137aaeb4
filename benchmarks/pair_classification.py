"""Every method on the same pairs of the real corpus, split by split: the counterpart of the paper's Table 6.

    python benchmarks/pair_classification.py                                       # all splits, seed 0
    python benchmarks/pair_classification.py --splits warm --seeds 0 1 2 3 4
    python benchmarks/pair_classification.py --part validation                     # to choose settings by
    python benchmarks/pair_classification.py --quick --json

The representation is pretrained once, here

    kgrel pretrain runs/corpus --out runs/repr-gaussian-2400 --precision fp32

and classifier, baselines and split follow the seed. Each method is trained on training pairs, chooses on validation
pairs, and sees the test pairs of a split and seed once. Combinations weigh members that were trained before them on
validation pairs. Artifacts stay in runs/table/, so an interrupted run goes on with the method it was at. ``removed``
needs a corpus of ``kgrel hold-out-pairs`` and a representation pretrained on it. Each split has a file in results/.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import RELATIONS, WORK, Lines, hardware, load, save, seconds_in_all, slug, today
from metaedges import by_metaedge

from kgrel.apps.train_combined import MEMBERS
from kgrel.baselines.attention import Attention
from kgrel.baselines.baseline import Baseline, train_baseline
from kgrel.baselines.cooccurrence import Cooccurrence
from kgrel.baselines.degree import Degree
from kgrel.baselines.kge import GraphEmbedding
from kgrel.baselines.label_scorer import LabelOnlyScorer
from kgrel.baselines.settings import (
    AttentionSettings,
    CooccurrenceSettings,
    DegreeSettings,
    KgeSettings,
    LabelOnlySettings,
)
from kgrel.data.settings import to_json
from kgrel.evaluate.pairs import evaluate_pairs
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.model.representation import Representation
from kgrel.score.combine import combine_pairs
from kgrel.score.combined import Combined
from kgrel.score.settings import CombineSettings
from kgrel.text.corpus import Corpus
from kgrel.train.pair_artifact import PairArtifact
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
from kgrel.train.settings import PAIR_RECIPES, SplitSettings
from kgrel.train.train_pairs import train_pairs

SPLITS: dict[str, dict[str, str]] = {
    "warm": {},
    "degree-matched": {},
    "entity-cold": {},
    "unseen": {},
    "unseen, all listed": {"split": "unseen", "pairs": "both"},
}
"""Name → settings, of which the split is the name itself where none is given."""
MODELS = {"kgrel fine-tuned": PAIR_RECIPES["fine-tuned"], "kgrel frozen": PAIR_RECIPES["frozen"]}
COMBINED = {
    "kgrel combined": tuple(name.replace("kgrel-", "kgrel ") for name in MEMBERS),
    "baselines combined": tuple(name for name in MEMBERS if not name.startswith("kgrel-")),
}
"""Name → what is combined on the validation pairs: the members of ``kgrel train-combined``, and the same without the
classifier."""
BASELINES: dict[str, tuple[type[Baseline], SplitSettings]] = {
    "any": (Cooccurrence, CooccurrenceSettings(measure="any")),
    "count": (Cooccurrence, CooccurrenceSettings(measure="count")),
    "npmi": (Cooccurrence, CooccurrenceSettings(measure="npmi")),
    "degree": (Degree, DegreeSettings(measure="product")),
    "neighbours": (Degree, DegreeSettings(measure="common-neighbours")),
    "adamic-adar": (Degree, DegreeSettings(measure="adamic-adar")),
    "label-only": (LabelOnlyScorer, LabelOnlySettings()),
    "complex": (GraphEmbedding, KgeSettings(model="ComplEx")),
    "distmult": (GraphEmbedding, KgeSettings(model="DistMult")),
    "transe": (GraphEmbedding, KgeSettings(model="TransE")),
    "rotate": (GraphEmbedding, KgeSettings(model="RotatE")),
    "attention": (Attention, AttentionSettings()),
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--representation", type=Path, default=WORK / "repr-gaussian-2400", help="REPR")
    parser.add_argument("--corpus", type=Path, default=WORK / "corpus", help="CORPUS")
    parser.add_argument("--splits", nargs="+", default=list(SPLITS), choices=[*SPLITS, "removed"], help="which splits")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="seeds of split, batches and weights")
    choices = [*COMBINED, *MODELS, *BASELINES]
    parser.add_argument("--methods", nargs="+", choices=choices, help="only these [default: all]")
    parser.add_argument("--part", default="test", choices=["test", "validation"], help="validation is not kept")
    parser.add_argument("--attention-steps", type=int, help="attention: one learning rate and at most so many steps")
    parser.add_argument(
        "--no-search", action="store_true", help="graph embeddings: given settings; ComplEx: two penalties at seed 0"
    )
    parser.add_argument("--quick", action="store_true", help="warm, few cheap steps, validation pairs; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    return parser.parse_args()


def trained(
    name: str, split: str, seed: int, representation: Representation, corpus: Corpus, options: argparse.Namespace
) -> PairArtifact:
    """A method on a split, trained unless it was before."""
    out = WORK / ("table-quick" if options.quick else "table") / slug(split, f"seed{seed}", name)
    done = (out / "manifest.json").exists()
    if name in COMBINED:
        members = [trained(member, split, seed, representation, corpus, options) for member in COMBINED[name]]
        if not done:
            paths = [one.artifact.path for one in members if one.artifact is not None]
            combine_pairs(paths, out, CombineSettings(title=name))
        return Combined.open(out)
    changes: dict[str, Any] = {"split": split, "seed": seed} | SPLITS.get(split, {})
    if options.quick and name in MODELS:
        changes["steps"] = 100
    if name in MODELS:
        if not done:
            settings = dataclasses.replace(MODELS[name], **changes)
            train_pairs(representation, corpus, RELATIONS, out, settings, progress=Lines())
        return PairModel.open(out)
    cls, settings_ = BASELINES[name]
    if isinstance(settings_, KgeSettings) and options.no_search:
        changes |= unsearched(name, out.with_name(out.name.replace(f"-seed{seed}-", "-seed0-")))
    if isinstance(settings_, AttentionSettings) and options.attention_steps:
        changes |= {"learning_rates": settings_.learning_rates[:1], "steps": options.attention_steps}
    if not done:
        train_baseline(cls, corpus, RELATIONS, out, dataclasses.replace(settings_, **changes), progress=Lines())
    return cls.open(out)


def unsearched(name: str, first: Path) -> dict[str, Any]:
    """Given settings; ComplEx tries two penalties at seed 0, and takes the one that validation chose there at others.

    Args:
        first: where the artifact of seed 0 is, or will be.
    """
    if name == "complex" and not (first / "manifest.json").exists():
        return {"search_dimensions": False}
    chosen = {"regularisation": summary_of(first)["chosen"]["regularisation"]} if name == "complex" else {}
    return {"search": False} | chosen


def summary_of(place: Path) -> dict[str, Any]:
    """The summary in the manifest of an artifact."""
    return dict(json.loads((place / "manifest.json").read_text(encoding="utf-8"))["summary"])


def costs(model: PairArtifact) -> dict[str, Any]:
    """Seconds of training and of all it rests on, microseconds a pair at prediction, and settings tried and kept."""
    assert model.artifact is not None
    rows = model.data.rows(Part.TEST)[:20_000]
    started = time.perf_counter()
    model.predict(model.data.heads[rows], model.data.tails[rows])
    taken = time.perf_counter() - started
    path, summary = model.artifact.path, model.artifact.manifest.summary
    told = {key: summary[key] for key in ("validation_average_precision", "chosen", "tried") if key in summary}
    return {
        "training_seconds": json.loads((path / "run.json").read_text())["seconds"],
        "seconds_in_all": seconds_in_all(path),
        "microseconds_a_pair": round(1e6 * taken / max(len(rows), 1), 2),
        "settings": to_json(model.settings),
        **told,
    }


def edge_types(model: PairArtifact, part: Part) -> dict[str, dict[str, Any]]:
    """Average precision by edge type of the graph."""
    rows = model.data.rows(part)
    return by_metaedge(model, rows, model.predict(model.data.heads[rows], model.data.tails[rows])[0], RELATIONS)


def measure(
    split: str, seed: int, representation: Representation, corpus: Corpus, options: argparse.Namespace
) -> dict[str, Any]:
    """All methods on one split and seed."""
    names = options.methods or [*COMBINED, *MODELS, *BASELINES]
    if options.quick and not options.methods:
        names = ["kgrel fine-tuned", "kgrel frozen", "count", "degree", "adamic-adar"]
    models = [trained(name, split, seed, representation, corpus, options) for name in names]
    part, draws = ("validation", 50) if options.quick else (options.part, 1000)
    settings = EvaluationSettings(part, draws, baselines=False)
    report = evaluate_pairs(models[0], settings, Lines(), models[1:])
    assert models[0].artifact is not None
    assert representation.artifact is not None
    return {
        "date": today(),
        "hardware": hardware(),
        "representation": options.representation.name,
        "pretraining": representation.artifact.manifest.settings,
        "report": report,
        "leakage": models[0].artifact.manifest.summary["leakage"],
        "by_metaedge": {model.title: edge_types(model, Part[part.upper()]) for model in models},
        "costs": {model.title: costs(model) for model in models},
    }


def main() -> None:
    """Measure and keep, split by split."""
    options = arguments()
    representation, corpus = Representation.open(options.representation), Corpus.open(options.corpus)
    found = {}
    for split in ("warm",) if options.quick else options.splits:
        for seed in options.seeds:
            key = f"seed {seed}"
            found[f"{split} {key}"] = result = measure(split, seed, representation, corpus, options)
            if not options.quick and options.part == "test":
                file = slug("pair_classification", split)
                save(file, load(file) | {key: result})
    if options.json:
        print(json.dumps(found, allow_nan=False))
    else:
        for name, result in found.items():
            for method, row in result["report"]["all"]["methods"].items():
                figures = [np.nan if row[key] is None else 100 * row[key] for key in ("f1", "average_precision")]
                print(f"{name:<24}{method:<32}F1 {figures[0]:6.2f}  AP {figures[1]:6.2f}")


if __name__ == "__main__":
    main()
