"""How well methods find the listed pairs of each edge type of the graph, where a class is made of several.

A pair listed under an edge type counts against the pairs of its class that are listed under none: three quarters of
CHEMICAL-GENE are effects of drugs on expression (CuG, CdG), which text seldom states, and one is binding (CbG).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kgrel.metrics.classification import average_precision
from kgrel.train.pair_artifact import Floats, PairArtifact
from kgrel.train.pair_data import Rows


@cache
def listed_under(relations: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """(class, edge type) → sources and targets, of the classes that have several."""
    table = pd.read_csv(relations, sep="\t", dtype=str, usecols=["class", "metaedge", "source_id", "target_id"])
    several = table.groupby("class")["metaedge"].nunique() > 1
    kept = table[table["class"].map(several)]
    return {(str(key[0]), str(key[1])): frame for key, frame in kept.groupby(["class", "metaedge"])}


def by_metaedge(model: PairArtifact, rows: Rows, scores: Floats, relations: Path) -> dict[str, dict[str, Any]]:
    """Edge type → how many of some pairs are listed under it, and the average precision of finding these.

    Args:
        rows: of the model's labelled pairs.
        scores: of each class (n, C).
    """
    data, size, found = model.data, len(model.entities), {}
    keys, possible = data.heads[rows] * size + data.tails[rows], data.possible(rows)
    numbers = {name: row for row, name in enumerate(zip(model.entities.types, model.entities.ids, strict=True))}
    for (name, metaedge), frame in listed_under(relations).items():
        column = model.classes.index(name)
        ends = [
            np.array([numbers.get((kind, one), -1) for one in frame[side]], np.int64)
            for kind, side in zip(name.split("-"), ("source_id", "target_id"), strict=True)
        ]
        known = np.minimum(*ends) >= 0
        listed = np.isin(keys, (np.minimum(*ends) * size + np.maximum(*ends))[known])
        asked = possible[:, column] & (listed | ~data.labels[rows, column])
        if listed[asked].any():
            precision = average_precision(listed[asked], scores[asked, column])
            found[metaedge] = {"listed": int(listed[asked].sum()), "average_precision": precision}
    return found
