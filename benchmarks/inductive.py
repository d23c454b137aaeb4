"""Entities that no context names: how well their embeddings are predicted, and what pairs with them lose.

    python benchmarks/inductive.py --pairs PAIRS --graph GRAPH

One encoder is trained from surroundings and name, one from either alone. A tenth of the entities is held out of all of
them: their learned embeddings are compared with the predicted ones, and the pair classifier scores the pairs that they
stand in with either. Text that names a held-out entity was read in pretraining, so that its neighbours' embeddings know
of it: for entities that no text names, expect somewhat less.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import WORK, Lines, hardware, load, save, today
from torch import Tensor
from torch.nn import functional as F

from kgrel.data.settings import to_json
from kgrel.graph.graph import Graph
from kgrel.metrics.classification import auroc, average_precision, best
from kgrel.model.relvm import PairPrior
from kgrel.model.uncertainty import pooled
from kgrel.train.graph_settings import InductiveSettings
from kgrel.train.inductive import Inductive
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel
from kgrel.train.train_inductive import read_embeddings, train_inductive

SEES = ("both", "graph", "name")


def trained(pairs: Path, graph: Path, sees: Any, options: argparse.Namespace) -> Inductive:
    """An encoder, trained unless it was before."""
    out = options.out / ("quick" if options.quick else "") / f"inductive-{sees}"
    if not (out / "manifest.json").exists():
        steps = 10 if options.quick else options.steps
        settings = dataclasses.replace(InductiveSettings(), sees=sees, steps=steps)
        train_inductive(read_embeddings(pairs), Graph.open(graph), out, settings, progress=Lines())
    return Inductive.open(out)


Scores = tuple[np.ndarray, np.ndarray]


def scored_with(model: PairModel, rows: np.ndarray, held_out: Tensor, vectors: list[Tensor]) -> Scores:
    """Scores of pairs of the data with other embeddings of the held-out entities, and their spread: (n, C) each."""
    found = []
    for one in vectors:
        prior = PairPrior(model.prior.dimensions, len(model.entities))
        table = model.prior.entity_embedding.weight.detach().clone()
        table[held_out] = one
        prior.load_state_dict({**model.prior.state_dict(), "entity_embedding.weight": table})
        other = dataclasses.replace(model, prior=prior.eval())
        found.append(other.predict(model.data.heads[rows], model.data.tails[rows]))
    mean, std = pooled(*(torch.from_numpy(np.stack(part)) for part in zip(*found, strict=True)))
    return mean.numpy(), std.numpy()


def figures(model: PairModel, rows: np.ndarray, scores: Scores) -> dict[str, float | None]:
    """How well listed pairs are told from others, and the mean spread of the best class."""
    listed, (classes, values) = model.data.positive[rows], best(scores[0], model.data.possible(rows))
    spread = float(scores[1][np.arange(len(rows)), classes].mean())
    told = {"average_precision": average_precision(listed, values), "auroc": auroc(listed, values)}
    return told | {"score": float(values.mean()), "score_std": spread}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All encoders on the same held-out entities."""
    model = PairModel.open(options.pairs)
    encoders = {sees: trained(options.pairs, options.graph, sees, options) for sees in SEES}
    first, data = encoders["both"], model.data
    part = Part.VALIDATION if options.quick else Part.TEST
    held = np.isin(np.arange(len(model.entities)), first.held_out.numpy())
    rows = data.rows(part)
    rows = rows[held[data.heads[rows]] | held[data.tails[rows]]]
    own = F.normalize(model.prior.entity_embedding.weight.detach(), dim=1)
    types = np.array(model.entities.types)
    means = {name: own[torch.from_numpy((types == name) & ~held)].mean(0) for name in np.unique(types).tolist()}
    of_type = torch.stack([means[name] for name in types[first.held_out.numpy()].tolist()])
    index = {name: row for row, name in enumerate(first.types)}
    kinds = torch.tensor([index[name] for name in types[first.held_out.numpy()].tolist()])
    displaced = [first.held_out_predicted + first.errors[kinds, draw] for draw in range(first.draws)]
    vectors = {"learned": [own[first.held_out]], "mean of the type": [of_type]}
    vectors |= {f"predicted, {sees}": [encoder.held_out_predicted] for sees, encoder in encoders.items()}
    vectors["predicted, both, displaced by errors"] = displaced
    found = {name: figures(model, rows, scored_with(model, rows, first.held_out, one)) for name, one in vectors.items()}
    listed = data.positive[rows]
    summaries = {sees: encoder.artifact.manifest.summary for sees, encoder in encoders.items() if encoder.artifact}
    seconds = {
        sees: json.loads((encoder.artifact.path / "run.json").read_text())["seconds"]
        for sees, encoder in encoders.items()
        if encoder.artifact
    }
    assert first.artifact is not None
    return {
        "date": today(),
        "hardware": hardware(),
        "settings": to_json(InductiveSettings()) | {"steps": first.artifact.manifest.settings["steps"]},
        "part": part.name.lower(),
        "predicted": summaries["both"]["predicted"],
        "held_out_pairs": summaries["both"]["held_out_pairs"],
        "cosine": {sees: summary["test"] for sees, summary in summaries.items()},
        "seconds": seconds,
        "pairs": {"pairs": len(rows), "listed": int(listed.sum()), "base_rate": float(listed.mean()), "scored": found},
    }


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=WORK / "pairs-default-seed0", help="PAIRS, frozen")
    parser.add_argument("--graph", type=Path, default=WORK / "graph" / "hetionet", help="GRAPH")
    parser.add_argument("--out", type=Path, default=WORK / "graph", help="directory of the encoders")
    parser.add_argument("--steps", type=int, default=InductiveSettings().steps, help="most steps of each encoder")
    parser.add_argument("--quick", action="store_true", help="few steps, validation pairs; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    result = measure(options)
    if not options.quick:
        save("graph", load("graph") | {"inductive": result})
    print(json.dumps(result, allow_nan=False) if options.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
