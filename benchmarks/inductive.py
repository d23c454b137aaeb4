"""Entities that no context names: what is told of them from a graph, and what their pairs lose.

    python benchmarks/inductive.py --path-counts runs/graph-warm/path-counts

A tenth of the entities that stand in both corpus and graph lose their names before anything is learned:

    names without them ─▶ corpus ─▶ pretraining ─▶ pair classifier ─▶ encoder of the graph ─▶ their test pairs

so that these entities are in no context and no training label; in sentences about others their names are plain words,
and the graph keeps their other edges. Their pairs of the *whole* corpus's test split, listed or not, are then scored as
``score-pairs --inductive`` does, and the edges between the two entities of each of these left the graph before. The row
*learned* is of the same classifier on the whole corpus, which read all sentences about them.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from common import DATA, LEXICONS, RELATIONS, WORK, Lines, hardware, load, save, today
from torch.nn import functional as F

from kgrel.baselines.path_counts import PathCountScorer
from kgrel.data.entities import EntityTable
from kgrel.data.settings import to_json
from kgrel.graph.graph import Graph
from kgrel.metrics.classification import auroc, average_precision, best
from kgrel.model.representation import Representation
from kgrel.score.inductive import InductiveScorer
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.train.batches import Stream, rng_of
from kgrel.train.graph_settings import InductiveSettings
from kgrel.train.pair_data import Part, rows_in
from kgrel.train.pair_model import PairModel
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PAIR_RECIPES, PairSettings, PretrainSettings
from kgrel.train.train_inductive import read_embeddings, train_inductive
from kgrel.train.train_pairs import train_pairs

S = TypeVar("S", PretrainSettings, PairSettings, InductiveSettings)
SHARE = 0.1
"""Of the entities in corpus and graph, how many lose their names."""
ENCODERS = {"graph": "frozen", "name": "frozen", "both": "frozen", "graph, fine-tuned": "fine-tuned"}
"""Row → recipe of the classifier whose embeddings are imitated; what the encoder sees stands before the comma."""


@dataclass(frozen=True)
class Asked:
    """Test pairs of the whole corpus with a nameless entity, their other entity being named.

    Attributes:
        whole: the classifier that learned from the whole corpus.
        rows: the pairs in its data (n,).
        names: the pairs as a table, which ``train_inductive`` reads.
    """

    whole: PairModel
    rows: np.ndarray
    names: Path

    def ends(self, known: EntityTable) -> tuple[np.ndarray, np.ndarray]:
        """The rows of both entities of each pair in another table, −1 where one is not there: (n,) each."""
        places = rows_in(known, self.whole.entities)
        return places[self.whole.data.heads[self.rows]], places[self.whole.data.tails[self.rows]]


def nameless(known: EntityTable, graph: Graph) -> np.ndarray:
    """Which entities lose their names (entities,): a share of those in the graph, by type."""
    held, types = np.zeros(len(known), np.bool_), np.array(known.types)
    inside = rows_in(graph.entities, known) >= 0
    for number, kind in enumerate(np.unique(types[inside]).tolist()):
        rows = rng_of(0, Stream.HOLD_OUT, number).permutation(np.flatnonzero(inside & (types == kind)))
        held[rows[: round(SHARE * len(rows))]] = True
    return held


def lexicon_without(path: Path, ids: set[str], out: Path) -> Path:
    """A list of names without the lines of some identifiers, which stand in the first column."""
    with gzip.open(path, "rt", encoding="utf-8") as source, gzip.open(out, "wt", encoding="utf-8") as target:
        target.writelines(line for line in source if line.split("\t", 1)[0] not in ids)
    return out


def corpus_without(known: EntityTable, held: np.ndarray, options: argparse.Namespace) -> Corpus:
    """The corpus of the same sentences in which nothing names the held-out entities."""
    out = options.out / "corpus"
    if not (out / "manifest.json").exists():
        options.out.mkdir(parents=True, exist_ok=True)
        ids = {kind: {known.ids[row] for row in np.flatnonzero(held) if known.types[row] == kind} for kind in LEXICONS}
        lexicons = [
            (kind, lexicon_without(DATA / "dictionaries" / name, ids[kind], options.out / name))
            for kind, name in LEXICONS.items()
        ]
        sentences = "sentences-20k.tsv" if options.quick else "sentences.tsv.gz"
        build_corpus([DATA / "corpus" / sentences], lexicons, out, progress=Lines())
    corpus = Corpus.open(out)
    left = rows_in(corpus.entities, known)[held]
    if (left >= 0).any():
        raise SystemExit(f"{int((left >= 0).sum())} held-out entities are still named")
    return corpus


def steps_of(settings: S, quick: int, options: argparse.Namespace) -> S:
    """The settings, with so many steps where it must be quick."""
    return dataclasses.replace(settings, steps=quick) if options.quick else settings


def pairs_of(recipe: str, corpus: Corpus, options: argparse.Namespace) -> Path:
    """A classifier of pairs, its representation pretrained on a corpus that names no held-out entity."""
    directory: Path = options.out
    representation, out = directory / "repr", directory / f"pairs-{recipe}"
    if not (representation / "manifest.json").exists():
        settings = steps_of(PretrainSettings(precision="fp32"), 20, options)
        pretrain(corpus, representation, settings, progress=Lines())
    if not (out / "manifest.json").exists():
        opened, settings_ = Representation.open(representation), steps_of(PAIR_RECIPES[recipe], 100, options)
        train_pairs(opened, corpus, RELATIONS, out, settings_, progress=Lines())
    return out


def encoder_of(sees: Any, pairs: Path, asked: Asked, graph: Graph, options: argparse.Namespace) -> InductiveScorer:
    """A classifier joined by the entities that an encoder of the graph tells of."""
    out = options.out / f"{pairs.name}-inductive-{sees}"
    if not (out / "manifest.json").exists():
        settings = steps_of(InductiveSettings(sees=sees), 10, options)
        train_inductive(read_embeddings(pairs), graph, out, settings, held_out=asked.names, progress=Lines())
    return InductiveScorer.load(pairs, out)


def asked_pairs(held: np.ndarray, named: EntityTable, options: argparse.Namespace) -> Asked:
    """The pairs that are scored; written as a table as well, so that their edges can leave the graph."""
    whole = PairModel.open(options.pairs)
    data, known, names = whole.data, whole.entities, options.out / "asked.tsv"
    rows, there = data.rows(Part.TEST), rows_in(named, known) >= 0
    first, second = data.heads[rows], data.tails[rows]
    rows = rows[(held[first] & there[second]) | (held[second] & there[first])]
    ends = zip(data.heads[rows].tolist(), data.tails[rows].tolist(), strict=True)
    lines = [f"{known.types[x]}::{known.ids[x]}\t{known.types[y]}::{known.ids[y]}\n" for x, y in ends]
    names.write_text("source_id\ttarget_id\n" + "".join(lines), encoding="utf-8")
    return Asked(whole, rows, names)


def of_means(scorer: InductiveScorer) -> InductiveScorer:
    """The same classifier with the mean direction of the learned entities of its type for each predicted one."""
    learned = F.normalize(scorer.pairs.prior.entity_embedding.weight.detach(), dim=1)
    types = np.array(scorer.pairs.entities.types)
    means = {kind: learned[torch.from_numpy(types == kind)].mean(0) for kind in set(scorer.inductive.entities.types)}
    predicted = torch.stack([means[kind] for kind in scorer.inductive.entities.types])
    return dataclasses.replace(scorer, inductive=dataclasses.replace(scorer.inductive, predicted=predicted))


def undisplaced(scorer: InductiveScorer) -> InductiveScorer:
    """The same without the spread of its predictions."""
    nothing = torch.zeros_like(scorer.inductive.errors[:, :1])
    return dataclasses.replace(scorer, inductive=dataclasses.replace(scorer.inductive, errors=nothing))


def figures(asked: Asked, scorer: Any) -> dict[str, float | None]:
    """How well listed pairs are told from others, and the mean score and spread of the best class.

    Raises:
        SystemExit: the scorer does not know an entity.
    """
    heads, tails = asked.ends(scorer.entities)
    if min(heads.min(), tails.min()) < 0:
        raise SystemExit("an entity of the asked pairs is not known")
    mean, std = scorer.predict(heads, tails)
    listed, possible = asked.whole.data.positive[asked.rows], asked.whole.data.possible(asked.rows)
    order = [scorer.classes.index(name) for name in asked.whole.classes]
    classes, values = best(mean[:, order], possible)
    spread = float(std[:, order][np.arange(len(values)), classes].mean())
    told = {"average_precision": average_precision(listed, values), "auroc": auroc(listed, values)}
    return told | {"score": float(values.mean()), "score_std": spread}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All encoders on the same pairs."""
    graph, known = Graph.open(options.graph), PairModel.open(options.pairs).entities
    held = nameless(known, graph)
    corpus = corpus_without(known, held, options)
    asked = asked_pairs(held, corpus.entities, options)
    scorers = {
        name: encoder_of(name.partition(",")[0], pairs_of(recipe, corpus, options), asked, graph, options)
        for name, recipe in ENCODERS.items()
    }
    rows: dict[str, Any] = {"learned": asked.whole, "mean of the type": undisplaced(of_means(scorers["graph"]))}
    for name, scorer in scorers.items():
        rows |= {f"predicted, {name}": scorer, f"predicted, {name}, undisplaced": undisplaced(scorer)}
    if options.path_counts is not None:
        rows["path counts"] = PathCountScorer.open(options.path_counts)
    listed = asked.whole.data.positive[asked.rows]
    artifacts = {name: scorer.inductive.artifact for name, scorer in scorers.items()}
    summaries = {name: one.manifest.summary for name, one in artifacts.items() if one is not None}
    return {
        "date": today(),
        "hardware": hardware(),
        "settings": to_json(InductiveSettings()),
        "nameless": {kind: int(held[np.array(known.types) == kind].sum()) for kind in LEXICONS},
        "held_out_pairs": summaries["graph"]["held_out_pairs"],
        "cosine": {name: summary["test"] for name, summary in summaries.items()},
        "seconds": {
            name: json.loads((one.path / "run.json").read_text())["seconds"]
            for name, one in artifacts.items()
            if one is not None
        },
        "pairs": {
            "pairs": len(listed),
            "listed": int(listed.sum()),
            "base_rate": float(listed.mean()),
            "scored": {name: figures(asked, scorer) for name, scorer in rows.items()},
        },
    }


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pairs", type=Path, default=WORK / "table" / "warm-seed0-kgrel-frozen", help="PAIRS of the whole corpus"
    )
    parser.add_argument("--graph", type=Path, default=WORK / "graph" / "hetionet", help="GRAPH")
    parser.add_argument("--path-counts", type=Path, help="PATH_COUNTS of the same split, for a row beside")
    parser.add_argument("--out", type=Path, default=WORK / "inductive", help="directory of what is made")
    parser.add_argument("--quick", action="store_true", help="the sample of the sentences, few steps; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    if options.quick:
        options.out = options.out.with_name(f"{options.out.name}-quick")
    result = measure(options)
    if not options.quick:
        save("graph", load("graph") | {"inductive": result})
    print(json.dumps(result, allow_nan=False) if options.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
