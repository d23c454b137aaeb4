"""What graph and text are worth beside each other: models on the test pairs of one split, and in rankings.

    python benchmarks/graph_table.py --name warm --models text=PAIRS paths=PAIRS ComplEx=BASELINE --reference text

graph_models.py makes the models. They must have the same pairs and the same split. What several combinations have in
common is scored once, and each is asked for the same edges.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import RELATIONS, Lines, hardware, load, save, seconds_in_all, today
from metaedges import by_metaedge

from kgrel.data.entities import EntityTable
from kgrel.evaluate.pair_ranking import listed_edges, rank_listed
from kgrel.graph.graph import Graph
from kgrel.metrics.bootstrap import (
    Statistic,
    average_precision_statistic,
    interval,
    mean_statistic,
    paired_difference,
)
from kgrel.metrics.classification import auroc, average_precision, best
from kgrel.metrics.ranks import KINDS
from kgrel.score.opening import open_scorer
from kgrel.train.pair_artifact import Floats, PairArtifact
from kgrel.train.pair_data import Flags, Part, Rows, rows_in

Scored = tuple[Floats, Floats]
Keys = list[tuple[Any, ...]]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """How well every model tells listed from other pairs that all hold out, and ranks them, by class.

    Raises:
        SystemExit: a model has other pairs.
    """
    part, draws = (Part.VALIDATION, 50) if options.quick else (Part.TEST, 1000)
    nodes = None if options.graph is None else Graph.open(options.graph).entities
    answers: dict[tuple[str, bytes], Scored] = {}
    found: dict[str, dict[str, Any]] = {}
    asked: dict[str, Asked] = {}
    ranked: dict[str, RankedEdges] = {}
    for name, path in (model.split("=", 1) for model in options.models):
        Lines().say(name)
        model = open_scorer(path)
        remember(model, answers)
        asked[name] = scored_by_class(model, part, nodes)
        refuse_other(name, asked[name].keys, next(iter(asked.values())).keys)
        found[name] = asked[name].figures() | told(model, part)
        if options.ranked:
            ranked[name] = ranked_edges(model, part, options.ranked)
            refuse_other(name, ranked[name].keys, next(iter(ranked.values())).keys)
            found[name] |= ranked[name].figures(draws)
    others = [name for name in asked if options.reference is not None and name != options.reference]
    differences = {
        key: {name: differences_of(by_model[options.reference], by_model[name], draws) for name in others}
        for key, by_model in (("differences", asked), ("mrr_differences", ranked))
        if by_model
    }
    shown = {"part": part.name.lower(), "models": found, "ranked": options.ranked, "reference": options.reference}
    return shown | differences


def remember(model: PairArtifact, answers: dict[tuple[str, bytes], Scored]) -> None:
    """Let a model, or each of those that it combines, look up what the same artifact answered to the same pairs."""
    for one in getattr(model, "members", [model]):
        one.predict = remembered(one.predict, one.artifact.hash, answers)


def remembered(
    ask: Callable[[Rows, Rows], Scored], name: str, answers: dict[tuple[str, bytes], Scored]
) -> Callable[[Rows, Rows], Scored]:
    """A function that asks once."""

    def predict(heads: Rows, tails: Rows) -> Scored:
        key = name, hashlib.sha256(np.stack([heads, tails]).tobytes()).digest()
        if key not in answers:
            answers[key] = ask(heads, tails)
        return answers[key]

    return predict


def refuse_other(name: str, keys: Keys, first: Keys) -> None:
    """Refuse a model that is asked for something else than the first one.

    Raises:
        SystemExit: it is.
    """
    if keys != first:
        raise SystemExit(f"{name}: has other pairs than the first model")


def told(model: PairArtifact, part: Part) -> dict[str, Any]:
    """What a model's artifact tells of leaks and of time."""
    assert model.artifact is not None
    summary = model.artifact.manifest.summary
    shown = {"leakage": summary["leakage"], "joined": joined_pairs(summary, part)}
    kept = {"held_out": summary["held_out"]} if "held_out" in summary else {}
    return shown | kept | {"seconds": seconds_in_all(model.artifact.path)}


def joined_pairs(summary: dict[str, Any], part: Part) -> int | None:
    """Edges or pairs of held-out pairs that are left in the graph that a model saw; None where it saw none."""
    for of_graph in ("graph_encoder", "held_out"):
        if of_graph in summary:
            return int(summary[of_graph]["edges_left"])
    left = summary["leakage"][part.name.lower()].get("pairs_joined_in_the_graph")
    return None if left is None else int(left)


@dataclass(frozen=True)
class Asked:
    """What a model answers about the pairs of a part, in the order of their keys.

    Attributes:
        keys: each pair by types and identifiers.
        ends: an entity number for each end (n, 2).
        by_class: which rows are asked, whether they are listed, and their scores; under ``all`` whether they are listed
            under any class, and the best score of all; under ``all in the graph`` those of which both ends are nodes.
    """

    keys: Keys
    ends: Rows
    by_class: dict[str, tuple[Flags, Flags, Floats]]
    by_metaedge: dict[str, dict[str, Any]]

    def figures(self) -> dict[str, Any]:
        """Average precision and AUROC of each class."""
        measures = {"average_precision": average_precision, "auroc": auroc}
        return {"by_metaedge": self.by_metaedge} | {
            key: {name: measure(listed, scores) for name, (_, listed, scores) in self.by_class.items()}
            for key, measure in measures.items()
        }

    def statistics(self) -> dict[str, tuple[Rows, Statistic]]:
        """Ends and average precision, by class."""
        return {
            name: (self.ends[rows], average_precision_statistic(listed, scores))
            for name, (rows, listed, scores) in self.by_class.items()
        }


def scored_by_class(model: PairArtifact, part: Part, nodes: EntityTable | None) -> Asked:
    """Score the pairs of a part."""
    data, table, rows = model.data, model.entities, model.data.rows(part)
    keys = keys_of(table, data.heads[rows], data.tails[rows])
    order = sorted(range(len(rows)), key=keys.__getitem__)
    keys, rows = [keys[place] for place in order], rows[order]
    scores, _ = model.predict(data.heads[rows], data.tails[rows])
    possible, labels = data.possible(rows), data.labels[rows]
    related, top = labels.any(axis=1), best(scores, possible)[1]
    inside = {"all": np.ones(len(rows), np.bool_)}
    if nodes is not None:
        known = rows_in(nodes, table) >= 0
        inside["all in the graph"] = known[data.heads[rows]] & known[data.tails[rows]]
    by_class = {name: (of, related[of], top[of]) for name, of in inside.items()}
    for column, name in enumerate(model.classes):
        of = possible[:, column]
        if labels[of, column].any():
            by_class[name] = of, labels[of, column], scores[of, column]
    return Asked(keys, numbered(keys), by_class, by_metaedge(model, rows, scores, RELATIONS))


def keys_of(table: EntityTable, heads: Rows, tails: Rows) -> Keys:
    """Each pair by types and identifiers, the lower end first, whatever row an entity has."""
    names = list(zip(table.types, table.ids, strict=True))
    pairs = zip(heads.tolist(), tails.tolist(), strict=True)
    return [(*min(names[a], names[b]), *max(names[a], names[b])) for a, b in pairs]


def numbered(keys: Keys) -> Rows:
    """A number for the entity at each end of some keys (n, 2)."""
    ends = [(key[:2], key[2:4]) for key in keys]
    numbers = {end: number for number, end in enumerate(sorted({end for pair in ends for end in pair}))}
    return np.array([[numbers[first], numbers[second]] for first, second in ends])


@dataclass(frozen=True)
class RankedEdges:
    """Where a model ranks the ends of some listed pairs, in an order that all models share.

    Attributes:
        keys: each pair by types and identifiers, with its class.
        ends: an entity number for each end (n, 2).
        reciprocal: ``optimistic``, ``realistic``, ``pessimistic`` → mean of 1 / rank of both ends (n,).
        candidates: among how many entities an end is ranked, on average.
    """

    keys: Keys
    ends: Rows
    reciprocal: dict[str, Floats]
    candidates: float

    @property
    def by_class(self) -> dict[str, Rows]:
        """The rows of each class, and of all."""
        classes = np.array([key[-1] for key in self.keys])
        return {"all": np.arange(len(classes))} | {name: np.flatnonzero(classes == name) for name in np.unique(classes)}

    def figures(self, draws: int) -> dict[str, Any]:
        """Filtered mean reciprocal rank by how ties are ranked and by class; the realistic one's interval."""
        by_class = self.by_class.items()
        mrr = {ties: {name: float(of[rows].mean()) for name, rows in by_class} for ties, of in self.reciprocal.items()}
        bounds = {
            name: asdict(interval(statistic, *ends.T, draws=draws))
            for name, (ends, statistic) in self.statistics().items()
        }
        return {"mrr": mrr, "mrr_interval": bounds, "candidates": self.candidates}

    def statistics(self) -> dict[str, tuple[Rows, Statistic]]:
        """Ends and realistic mean reciprocal rank, by class."""
        values = self.reciprocal["realistic"]
        return {name: (self.ends[rows], mean_statistic(values[rows])) for name, rows in self.by_class.items()}


def ranked_edges(model: PairArtifact, part: Part, count: int) -> RankedEdges:
    """Rank both ends of so many listed pairs of a part among all entities of their type."""
    edges = listed_edges(model, part)
    pairs = keys_of(model.entities, edges.heads, edges.tails)
    keys = [(*pair, model.classes[number]) for pair, number in zip(pairs, edges.relations.tolist(), strict=True)]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__))
    chosen = order[np.sort(np.random.default_rng(0).permutation(len(order))[:count])]
    found, keys = rank_listed(model, edges.taken(chosen)), [keys[row] for row in chosen]
    reciprocal = {ties: np.bincount(found.edges, 0.5 / getattr(found.ranks, ties)) for ties in KINDS}
    return RankedEdges(keys, numbered(keys), reciprocal, float(found.ranks.candidates.mean()))


def differences_of(reference: Asked | RankedEdges, other: Asked | RankedEdges, draws: int) -> dict[str, Any]:
    """A figure of the reference minus that of the other, by class, with its entity-clustered interval."""
    second = other.statistics()
    return {
        name: asdict(paired_difference(statistic, second[name][1], *ends.T, draws=draws))
        for name, (ends, statistic) in reference.statistics().items()
        if name in second
    }


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=ARTIFACT", help="rows of the table")
    parser.add_argument("--name", default="warm", help="what the table is called; one of that name is replaced")
    parser.add_argument("--graph", type=Path, help="GRAPH: also tell of pairs with both entities in it")
    parser.add_argument("--reference", metavar="NAME", help="row that the others are compared with")
    parser.add_argument("--ranked", type=int, default=0, help="listed pairs whose ends are ranked as well")
    parser.add_argument("--quick", action="store_true", help="validation pairs, few draws; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    result = {"date": today(), "hardware": hardware()} | measure(options)
    kept = load("graph")
    if not options.quick:
        save("graph", kept | {"tables": kept.get("tables", {}) | {options.name: result}})
    print(json.dumps(result, allow_nan=False) if options.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
