"""Link prediction on public benchmarks: the evaluator and the graph embeddings against published figures.

    python benchmarks/link_prediction.py --dataset fb15k-237 --model ComplEx --dimensions 128
    python benchmarks/link_prediction.py --dataset fb15k-237 --model DistMult
    python benchmarks/link_prediction.py --quick --json                         # UMLS, DistMult

Trained 1-vs-all, stopped by the filtered MRR of some validation edges; the test split is ranked once for each
configuration, which is kept in results/link_prediction.json. An interrupted run goes on where it was: training from
its last checkpoint in runs/, so that a long one may be cut into pieces by ``timeout -s INT``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from common import DATA, WORK, Lines, hardware, load, save, today

from kgrel.baselines.kge_models import MODELS, EntityRanker
from kgrel.baselines.kge_training import KgeTask, KgeTraining, new_ranker
from kgrel.baselines.triples import Rows, Triples, joined
from kgrel.data.files import decode_line, lines_of
from kgrel.evaluate.ranking import rank_edges, ranking_report
from kgrel.metrics.ranks import ranking_figures
from kgrel.train.loop import LoopSettings, train
from kgrel.train.run import Run

PARTS = ("train", "valid", "test")
VALIDATION_EDGES = 2_000


@dataclass(frozen=True)
class Recipe:
    """How one model is trained on one data set."""

    dimensions: int = 256
    epochs: int = 40
    batch_questions: int = 256
    learning_rate: float = 3e-3
    regularisation: float = 0.0
    negatives: int = 0
    patience: int = 4
    validate_epochs: int = 2
    precision: str = "bf16"


SMALL = Recipe(
    dimensions=128, epochs=100, batch_questions=128, learning_rate=1e-2, regularisation=0.01, validate_epochs=5,
    precision="fp32",
)  # fmt: skip
RECIPES = {
    "umls": SMALL,
    "kinships": SMALL,
    "codex-s": SMALL,
    "fb15k-237": Recipe(epochs=24, regularisation=0.05),
}


@dataclass(frozen=True)
class Dataset:
    """Edges by part, with the names of their rows."""

    parts: dict[str, Triples]
    entities: list[str]
    relations: list[str]

    @property
    def known(self) -> Triples:
        """Every edge."""
        return joined(list(self.parts.values()))


def read_dataset(name: str) -> Dataset:
    """Read head, relation, tail of each part; entities and relations are numbered by name."""
    rows: dict[str, list[list[str]]] = {}
    for part in PARTS:
        path = DATA / "benchmarks" / name / f"{part}.txt.gz"
        rows[part] = [decode_line(path, number, line).split("\t") for number, line in lines_of(path)]
    entities = sorted({name for lines in rows.values() for head, _, tail in lines for name in (head, tail)})
    relations = sorted({relation for lines in rows.values() for _, relation, _ in lines})
    entity, relation = ({name: row for row, name in enumerate(names)} for names in (entities, relations))
    numbers = {
        part: np.array([[entity[h], relation[r], entity[t]] for h, r, t in lines]).T for part, lines in rows.items()
    }
    return Dataset({part: Triples(*columns) for part, columns in numbers.items()}, entities, relations)


class Ranker:
    """A graph embedding as the evaluator asks it."""

    def __init__(self, ranker: EntityRanker) -> None:
        self.ranker = ranker

    @torch.no_grad()
    def __call__(self, known: Rows, relation: int, tails: bool, candidates: Rows) -> npt.NDArray[Any]:
        """See :class:`kgrel.evaluate.ranking.Answers`; every entity is a candidate."""
        device = self.ranker.model.node_emb.weight.device
        relations, sides = torch.full((len(known),), relation), torch.full((len(known),), tails)
        scores: npt.NDArray[Any] = (
            self.ranker(torch.from_numpy(known).to(device), relations.to(device), sides.to(device)).cpu().numpy()
        )
        return scores


def fit(data: Dataset, model: str, recipe: Recipe, seed: int, directory: Path) -> tuple[EntityRanker, dict[str, Any]]:
    """Train, or go on with the training in ``directory``."""
    types = np.zeros(len(data.entities), dtype=np.int64)
    valid = data.parts["valid"]
    held_out = valid.taken(np.random.default_rng(seed).permutation(len(valid))[:VALIDATION_EDGES])
    known = data.known

    def validate(ranker: EntityRanker) -> dict[str, float]:
        found = rank_edges(Ranker(ranker), held_out, known, types, allow_loops=True)
        return {"stop": ranking_figures(found.ranks)["realistic"]["mrr"]}

    ranker = new_ranker(model, len(data.entities), len(data.relations), recipe.dimensions, seed)
    training = KgeTraining(recipe.batch_questions, recipe.negatives, recipe.regularisation, seed)
    task = KgeTask(ranker, data.parts["train"], None, training, validate)
    settings = LoopSettings(
        steps=recipe.epochs * task.steps_per_epoch,
        learning_rate=recipe.learning_rate,
        schedule="cosine",
        validate_every=recipe.validate_epochs * task.steps_per_epoch,
        checkpoint_every=task.steps_per_epoch,
        patience=recipe.patience,
        precision=recipe.precision,
    )
    run = Run(directory, {"recipe": asdict(recipe), "model": model, "seed": seed})
    state = train(task, settings, run, Lines(), directory.name)
    epochs = state.step / task.steps_per_epoch
    return ranker, {
        "validation_mrr": state.best,
        "epochs": epochs,
        "seconds_an_epoch": seconds_an_epoch(directory / "log.jsonl", recipe.validate_epochs),
    }


def seconds_an_epoch(log: Path, epochs: int) -> float | None:
    """The median over validations that followed one another in one process, their own time included."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    passed = [late["seconds"] - early["seconds"] for early, late in itertools.pairwise(lines)]
    passed = [seconds for seconds in passed if seconds > 0]
    return round(statistics.median(passed) / epochs, 1) if passed else None


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="umls", choices=list(RECIPES))
    parser.add_argument("--model", default="DistMult", choices=list(MODELS))
    parser.add_argument("--seed", type=int, default=0)
    for name in ("dimensions", "epochs", "batch_questions", "patience"):
        parser.add_argument("--" + name.replace("_", "-"), type=int, help="[default: the data set's recipe]")
    for name in ("learning_rate", "regularisation"):
        parser.add_argument("--" + name.replace("_", "-"), type=float, help="[default: the data set's recipe]")
    parser.add_argument("--search", action="store_true", help="validation alone: test edges are not ranked, not kept")
    parser.add_argument("--quick", action="store_true", help="UMLS, 20 epochs; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    return parser.parse_args()


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The recipe of the data set with what the options change."""
    recipe = RECIPES[options.dataset]
    changes = {name: value for name, value in vars(options).items() if name in asdict(recipe) and value is not None}
    return replace(recipe, **(changes | ({"epochs": 20} if options.quick else {})))


def main() -> None:
    """Train and rank one model on one data set, and keep its figures."""
    options = arguments()
    data, recipe = read_dataset("umls" if options.quick else options.dataset), recipe_of(options)
    name = f"{options.dataset} {options.model} seed {options.seed}"
    key = "-".join(
        str(value) for value in (recipe.dimensions, recipe.learning_rate, recipe.regularisation, recipe.epochs)
    )
    directory = WORK / f"link-{name.replace(' ', '-')}-{key}"
    ranker, training = fit(data, options.model, recipe, options.seed, directory)
    result: dict[str, Any] = {"date": today(), "dataset": options.dataset, "model": options.model, "seed": options.seed}
    result |= {"recipe": asdict(recipe), "training": training}
    if not options.search:
        started, test = time.perf_counter(), data.parts["test"]
        found = rank_edges(
            Ranker(ranker.eval()), test, data.known, np.zeros(len(data.entities), np.int64), allow_loops=True
        )
        result["report"] = ranking_report(found, data.relations)
        del result["report"]["by_relation"]  # hundreds of them; their mean, macro, stays
        result["seconds"] = {"test": round(time.perf_counter() - started, 1)}
        result["hardware"] = hardware() | {"load_average": round(os.getloadavg()[0], 1)}
    if not (options.quick or options.search):
        save("link_prediction", load("link_prediction") | {name: result})
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
