"""Makes the models of graph_table.py: text, paths, both, a graph encoder, path counts, and these combined.

    python benchmarks/pair_classification.py --splits warm                  # the text and the baselines, in runs/table
    python benchmarks/graph_models.py --text runs/table/warm-seed0-kgrel-fine-tuned --out runs/graph-warm
    python benchmarks/graph_table.py --models text=PAIRS paths=runs/graph-warm/paths-pairs …

``--text`` is a frozen classifier of the representation; its split is that of all others, and validation and test pairs
lose their edges before paths are drawn or counted, or anything is encoded. What is finished in ``--out`` is not made
again, and a killed training goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from common import RELATIONS, WORK, Lines
from graph import EDGES, NODES

from kgrel.apps.train_combined import MEMBERS, OF_A_GRAPH
from kgrel.baselines.baseline import train_baseline
from kgrel.baselines.path_counts import PathCountScorer
from kgrel.baselines.settings import PathCountSettings
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.model.representation import Representation
from kgrel.score.combine import combine_pairs
from kgrel.score.settings import CombineSettings
from kgrel.text.corpus import Corpus
from kgrel.train.pair_model import PairModel
from kgrel.train.path_corpus import build_path_corpus
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PAIR_RECIPES, PRETRAIN_RECIPES, PairSettings, PretrainSettings
from kgrel.train.train_pairs import train_pairs

ROWS = ("path-counts", "paths", "both", "graph-encoder", "combined")
TEXT, GRAPH = ("kgrel-fine-tuned",), tuple(OF_A_GRAPH)
LABELS = tuple(name for name in MEMBERS if name not in TEXT)
COMBINED = {
    "text, graph and labels": TEXT + LABELS + GRAPH,
    "text and graph": TEXT + GRAPH,
    "graph and labels": LABELS + GRAPH,
    "text and labels": TEXT + LABELS,
}
"""Name → members of ``kgrel train-combined``: path counts, and what pair_classification.py made."""
GRAPH_WIDTH = 64
"""Units of the graph encoder."""


def done(path: Path) -> bool:
    """Whether an artifact is finished."""
    return (path / "manifest.json").exists()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    text = WORK / "table" / "warm-seed0-kgrel-fine-tuned"
    parser.add_argument("--text", type=Path, default=text, help="PAIRS of the text alone")
    parser.add_argument("--representation", type=Path, default=WORK / "repr-gaussian-2400", help="its REPR")
    parser.add_argument("--corpus", type=Path, default=WORK / "corpus", help="its CORPUS")
    parser.add_argument("--out", type=Path, default=WORK / "graph", help="directory of the artifacts")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, help="which rows of the table")
    parser.add_argument("--pretrain-steps", type=int, default=PretrainSettings().steps, help="of each pretraining")
    parser.add_argument("--steps", type=int, default=PairSettings().steps, help="most steps of each classifier")
    parser.add_argument("--quick", action="store_true", help="few steps, under quick/ of --out")
    parser.add_argument("--json", action="store_true", help="print where the models are as one JSON line, last")
    return parser.parse_args()


class Maker:
    """Makes what is missing."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.out = options, options.out / "quick" if options.quick else options.out
        if not done(self.out / "hetionet"):
            import_graph([NODES, EDGES], self.out / "hetionet", progress=Lines())
        self.graph = Graph.open(self.out / "hetionet")
        text = PairModel.open(options.text)
        steps = 20 if options.quick else options.steps
        changes = {"split": text.settings.split, "labels": text.settings.labels, "seed": text.settings.seed}
        self.pairs = dataclasses.replace(PAIR_RECIPES["fine-tuned"], steps=steps, **changes)
        self.counts = dataclasses.replace(PathCountSettings(), **changes)
        pretraining = 20 if options.quick else options.pretrain_steps
        self.pretrain = dataclasses.replace(PRETRAIN_RECIPES["default"], steps=pretraining)

    def make(self, row: str) -> dict[str, Path]:
        """One row of the table, or all of those that combine others."""
        if row == "combined":
            return {name: self.combined(name) for name in COMBINED}
        made = {
            "path-counts": self.path_counts,
            "paths": lambda: self.contexts("paths", None),
            "both": lambda: self.contexts("both", Corpus.open(self.options.corpus)),
            "graph-encoder": self.graph_encoder,
        }[row]()
        return {row: made}

    def combined(self, name: str) -> Path:
        """Several members as one, the text's and the labels' from where pair_classification.py keeps them."""
        out, split = self.out / name.replace(",", "").replace(" ", "-"), f"{self.pairs.split}-seed{self.pairs.seed}"
        if not done(out):
            places = {member: WORK / "table" / f"{split}-{member}" for member in TEXT + LABELS}
            places["path-counts"] = self.path_counts()
            combine_pairs([places[member] for member in COMBINED[name]], out, CombineSettings(title=name))
        return out

    def path_counts(self) -> Path:
        """Path counts and logistic regression."""
        out, corpus = self.out / "path-counts", Corpus.open(self.options.corpus)
        if not done(out):
            train_baseline(PathCountScorer, corpus, RELATIONS, out, self.counts, graph=self.graph, progress=Lines())
        return out

    def contexts(self, name: str, corpus: Corpus | None) -> Path:
        """A classifier on a representation that was pretrained on paths, with or without the contexts of a text."""
        place, text = self.out / name, self.options.text
        if not done(place):
            build_path_corpus(self.graph, place, pairs=text, corpus=corpus, progress=Lines())
        learned = self.out / f"{name}-repr"
        if not done(learned):
            pretrain(Corpus.open(place), learned, self.pretrain, progress=Lines())
        out = self.out / f"{name}-pairs"
        if not done(out):
            opened = Representation.open(learned), Corpus.open(place)
            # The contexts of pairs that no sentence names would make it another split, were it drawn again.
            train_pairs(*opened, RELATIONS, out, dataclasses.replace(self.pairs, split="given"), progress=Lines())
        return out

    def graph_encoder(self) -> Path:
        """The classifier of the text with encodings of both entities from the graph."""
        out = self.out / "graph-encoder-pairs"
        if not done(out):
            opened = Representation.open(self.options.representation), Corpus.open(self.options.corpus)
            settings = dataclasses.replace(self.pairs, graph_width=GRAPH_WIDTH)
            train_pairs(*opened, RELATIONS, out, settings, graph=self.graph, progress=Lines())
        return out


def main() -> None:
    """Make the rows in turn."""
    options = arguments()
    maker = Maker(options)
    made = {"text": str(options.text)}
    for row in options.rows:
        made |= {name: str(path) for name, path in maker.make(row).items()}
    print(json.dumps(made) if options.json else "\n".join(f"{row}={path}" for row, path in made.items()))


if __name__ == "__main__":
    main()
