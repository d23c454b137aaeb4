"""Rankings of the real classifier: what the cheap first pass loses, and who fills the first places.

    python benchmarks/rankings.py --pairs runs/pairs-default-seed0

The most mentioned diseases are ranked against all genes. *Recall*: the share of each disease's best 20 and 100 genes by
the full pass that are still there where the first pass pruned. *Rarity*: how the first places are shared among genes
by the number of contexts that mention them; and, on validation pairs, whether the listed share keeps up with the
score where an entity is rare.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from common import WORK, hardware, save, today

from kgrel.metrics.bootstrap import interval, mean_statistic
from kgrel.metrics.classification import best
from kgrel.score.rank import prune, rank_pairs, rows_of_type, score_tails
from kgrel.score.scorer import entity_contexts
from kgrel.score.settings import RankSettings
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel

SHARES = (0.02, 0.05, 0.1, 0.25)
TOPS = (20, 100)
BANDS = ((0, 1), (2, 4), (5, 9), (10, 29), (30, 99), (100, 10**9))
"""Numbers of contexts, both ends included."""
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def pruning_recall(model: PairModel, heads: Rows, tails: Rows, full: list[Floats]) -> list[dict[str, Any]]:
    """Share of the best tails of each head that the first pass leaves, mean over heads."""
    table = []
    for share in SHARES:
        row: dict[str, Any] = {"prune_to": share}
        for top in TOPS:
            found = []
            for head, scores in zip(heads.tolist(), full, strict=True):
                left = prune(model, head, tails, RankSettings(top=top, prune_to=share))
                found.append(np.isin(tails[np.argsort(-scores, kind="stable")[:top]], left).mean())
            row[f"recall_at_{top}"] = float(np.mean(found))
            row[f"least_recall_at_{top}"] = float(np.min(found))
        table.append(row)
    return table


def pass_seconds(model: PairModel, heads: Rows, tails: Rows) -> dict[str, float]:
    """Seconds of a ranking with and without pruning to a tenth."""
    seconds = {}
    for name, share in (("full", 1.0), ("pruned_to_a_tenth", 0.1)):
        start = time.perf_counter()
        rank_pairs(model, heads, tails, RankSettings(top=100, prune_to=share))
        seconds[name] = time.perf_counter() - start
    return seconds


def first_places(model: PairModel, tails: Rows, full: list[Floats], top: int = 20) -> list[dict[str, Any]]:
    """Who fills the first places, by contexts of the gene."""
    contexts, counts = entity_contexts(model)[tails], np.zeros(len(tails))
    labels = model.data.label_degrees()[tails].sum(1)
    for scores in full:
        counts[np.argsort(-scores, kind="stable")[:top]] += 1
    mean, table = np.mean(full, axis=0), []
    for low, high in BANDS:
        inside = (contexts >= low) & (contexts <= high)
        if inside.any():
            row: dict[str, Any] = {"contexts": [low, high], "genes": int(inside.sum())}
            row |= {"share_of_genes": float(inside.mean())}
            row |= {"share_of_first_places": float(counts[inside].sum() / counts.sum())}
            row |= {"mean_score": float(mean[inside].mean())}
            table.append(row | {"labelled": float((labels[inside] > 0).mean())})
    return table


def honesty(model: PairModel, draws: int) -> list[dict[str, Any]]:
    """On validation pairs by contexts of the rarer entity: mean score less listed share, and precision."""
    data, contexts = model.data, entity_contexts(model)
    rows = data.rows(Part.VALIDATION)
    heads, tails = data.heads[rows], data.tails[rows]
    classes, scores = best(model.predict(heads, tails)[0], data.possible(rows))
    listed, predicted = data.labels[rows, classes], scores > model.thresholds[classes]
    rarer, table = np.minimum(contexts[heads], contexts[tails]), []
    for low, high in BANDS:
        inside = np.flatnonzero((rarer >= low) & (rarer <= high))
        for which, chosen in (("all", inside), ("above the threshold", inside[predicted[inside]])):
            if len(chosen):
                gap = scores[chosen] - listed[chosen]
                bounds = mean_interval(gap, heads[chosen], tails[chosen], draws)
                row: dict[str, Any] = {"contexts": [low, high], "which": which, "pairs": len(chosen)}
                row |= {"mean_score": float(scores[chosen].mean()), "listed": float(listed[chosen].mean())}
                table.append(row | {"score_minus_listed": float(gap.mean()), "interval": bounds})
    return table


def mean_interval(values: Floats, heads: Rows, tails: Rows, draws: int) -> list[float | None]:
    """95 % interval of a mean over pairs, entities resampled."""
    found = interval(mean_statistic(values), heads, tails, draws, 0)
    return [found.low, found.high]


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=WORK / "pairs-default-seed0", help="PAIRS artifact")
    parser.add_argument("--diseases", type=int, default=60, help="the most mentioned ones")
    parser.add_argument("--quick", action="store_true", help="5 diseases; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    model = PairModel.open(options.pairs)
    contexts = entity_contexts(model)
    diseases, genes = (rows_of_type(model.entities, type_) for type_ in ("DISEASE", "GENE"))
    count = 5 if options.quick else options.diseases
    heads = diseases[np.argsort(-contexts[diseases], kind="stable")[:count]]
    full = [score_tails(model, head, genes).scores for head in heads.tolist()]
    norms = model.prior.entity_embedding.weight.detach().norm(dim=1).numpy()
    bands = [(low, high, (contexts >= low) & (contexts <= high)) for low, high in BANDS]
    result: dict[str, Any] = {
        "date": today(),
        "hardware": hardware(),
        "artifact": options.pairs.name,
        "diseases": count,
        "genes": len(genes),
        "pruning": pruning_recall(model, heads, genes, full),
        "seconds": pass_seconds(model, heads[:5], genes),
        "first_places": first_places(model, genes, full),
        "honesty": honesty(model, 100 if options.quick else 1000),
        "norms": [
            {"contexts": [low, high], "entities": int(inside.sum()), "mean_norm": float(norms[inside].mean())}
            for low, high, inside in bands
            if inside.any()
        ],
    }
    if not options.quick:
        save("rankings", result)
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
