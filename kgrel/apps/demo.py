"""The whole line on a generated world: from sentences and name lists to edges that no sentence mentions.

Because the world is generated, the truth is known, and the summary says how well the line found it, beside
baselines that see only counts or labels.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from kgrel.apps.demo_search import search_quality
from kgrel.apps.settings import DemoSettings
from kgrel.baselines.counts import degree_product_of
from kgrel.data.artifact import refuse_foreign
from kgrel.data.errors import KgrelError
from kgrel.data.files import refuse_existing
from kgrel.data.progress import Progress, Silent
from kgrel.evaluate.pairs import ALL, evaluate_pairs
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.export.dispatch import Inputs, export_scored
from kgrel.export.settings import ExportSettings
from kgrel.export.validate import validate_export
from kgrel.graph.build import import_graph
from kgrel.metrics.classification import average_precision, best
from kgrel.model.representation import Representation
from kgrel.score.candidates import Resolver, find_columns
from kgrel.score.stream import score_file
from kgrel.synthetic import WorldSettings, make_world, shuffled_text, write_world
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.train.pair_model import PairModel
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PairSettings, PretrainSettings
from kgrel.train.train_pairs import train_pairs

LEXICONS = {"GENE": "genes.tsv", "DISEASE": "diseases.tsv", "CHEMICAL": "chemicals.tsv"}
PRETRAIN = PretrainSettings(
    size="tiny",
    steps=1200,
    batch_size=512,
    learning_rate=1e-2,
    schedule="cosine",
    validate_every=400,
    checkpoint_every=400,
    device="cpu",
)
PAIRS = PairSettings(steps=4000, learning_rate=1e-3, validate_every=200, patience=6, device="cpu")
BASELINES = {
    "cooccurrence": "co-occurrence",
    "count": "log co-mention count",
    "degree": "label-degree product",
    "label_only": "label-only embeddings",
}
"""Name in the summary → name in the evaluation."""
UNSCORED = -1.0
"""Ranks a candidate of which no sentence names an entity behind all others: a related one counts as missed."""


@contextmanager
def working_directory(out: Path | None, overwrite: bool) -> Iterator[Path]:
    """``out``, made if need be, or a temporary directory that is deleted afterwards."""
    if out is None:
        with tempfile.TemporaryDirectory(prefix="kgrel-demo-") as directory:
            yield Path(directory)
        return
    for name in ("corpus", "repr", "pairs", "index", "graph", "predictions-kgx"):
        refuse_existing(out / name, overwrite)
        refuse_foreign(out / name)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KgrelError(f"{out}: cannot be made ({error.strerror})") from None
    yield out


def run_demo(
    out: str | Path | None = None,
    settings: DemoSettings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Generate a world, learn from its text, and score pairs that never occur together in a sentence.

    Args:
        out: keeps ``world/``, ``corpus/``, ``repr/``, ``pairs/``, ``index/``, ``graph/``, ``candidates.csv``,
            ``scored.csv`` and ``predictions-kgx/``; None leaves nothing behind.

    Returns:
        ``world``: counts; ``pairs``: F1 on test pairs of the model and the baselines; ``unseen``: average precision
        on pairs that no sentence mentions together, of the model and of label degrees; ``search``: see
        :mod:`kgrel.apps.demo_search`; ``export``: what became of the candidates, and how many problems the exported
        files have; ``seconds``.

    Raises:
        KgrelError: an artifact stands in ``out`` already and ``overwrite`` is false.
    """
    settings, progress, started = settings or DemoSettings(), progress or Silent(), time.monotonic()
    with working_directory(Path(out) if out is not None else None, overwrite) as directory:
        files = make_files(directory, settings)
        model = run_line(directory, files, settings, overwrite, progress)
        score_file(model, directory / "candidates.csv", directory / "scored.csv", overwrite=True, progress=progress)
        summary = {
            "world": {"seed": settings.seed, "shuffled": settings.shuffled, "entities": len(model.entities)},
            "pairs": seen_quality(model, progress),
            "unseen": unseen_quality(model, directory / "scored.csv", files["truth.tsv"]),
            "export": export_novel(directory, files, overwrite, progress),
            "search": search_quality(directory, files, settings.seed, overwrite, progress),
        }
    return summary | {"seconds": round(time.monotonic() - started, 1)}


def make_files(directory: Path, settings: DemoSettings) -> dict[str, Path]:
    """Generate the world and write its files."""
    world = make_world(WorldSettings(seed=settings.seed))
    if settings.shuffled:
        world = shuffled_text(world, settings.seed)
    files = write_world(world, directory / "world")
    files["candidates.csv"].replace(directory / "candidates.csv")
    return files


def run_line(
    directory: Path, files: dict[str, Path], settings: DemoSettings, overwrite: bool, progress: Progress
) -> PairModel:
    """Build the corpus, pretrain, train the pair classifier."""
    lexicons = [(type_, files[name]) for type_, name in LEXICONS.items()]
    build_corpus([files["sentences.tsv"]], lexicons, directory / "corpus", overwrite=overwrite, progress=progress)
    corpus = Corpus.open(directory / "corpus")
    pretraining = dataclasses.replace(PRETRAIN, seed=settings.seed)
    pretrain(corpus, directory / "repr", pretraining, overwrite=overwrite, progress=progress)
    train_pairs(
        Representation.open(directory / "repr"),
        corpus,
        files["relations.tsv"],
        directory / "pairs",
        dataclasses.replace(PAIRS, seed=settings.seed),
        overwrite=overwrite,
        progress=progress,
    )
    return PairModel.open(directory / "pairs")


def export_novel(directory: Path, files: dict[str, Path], overwrite: bool, progress: Progress) -> dict[str, int]:
    """Export the candidates above the threshold that neither the relations table nor the graph has, and check them."""
    graph, out = directory / "graph", directory / "predictions-kgx"
    import_graph([files["nodes.tsv"], files["edges.sif"]], graph, overwrite=overwrite, progress=progress)
    settings = ExportSettings(primary_knowledge_source="infores:kgrel-demo", novel_only=True)
    inputs = Inputs(directory / "scored.csv", directory / "pairs", graph=graph, corpus=directory / "corpus")
    counts = export_scored("kgx", inputs, out, settings, overwrite=overwrite, progress=progress)
    kept = {name: counts[name] for name in ("rows", "unscored", "below", "known", "edges", "nodes")}
    return kept | {"problems": sum(validate_export(out).problems.values())}


def seen_quality(model: PairModel, progress: Progress) -> dict[str, float]:
    """F1 and average precision on co-mentioned test pairs, and F1 of each baseline."""
    report = evaluate_pairs(model, EvaluationSettings(draws=100), progress)[ALL]
    methods = report["methods"]
    quality = {name: methods[model.title][name] for name in ("f1", "precision", "recall", "average_precision")}
    quality |= {f"{short}_f1": methods[name]["f1"] for short, name in BASELINES.items()}
    return quality | {"base_rate": report["base_rate"]}


def unseen_quality(model: PairModel, scored: Path, truth: Path) -> dict[str, float | None]:
    """Average precision on the candidates, against the planted truth."""
    rows = pd.read_csv(scored, dtype=str)
    answers = pd.read_csv(truth, sep="\t", dtype=str)
    related = (answers["related"] == "1").to_numpy()
    pairs = Resolver(model.entities).resolve(pa.Table.from_pandas(rows), find_columns(list(rows.columns), str(scored)))
    ok = pairs.ok
    by_degree = np.full(len(rows), UNSCORED)
    degrees = degree_product_of(model.data, pairs.heads[ok], pairs.tails[ok])
    by_degree[ok] = best(degrees, model.possible(pairs.heads[ok], pairs.tails[ok]))[1]
    scores = pd.to_numeric(rows["score"]).fillna(UNSCORED).to_numpy()
    return {
        "pairs": len(rows),
        "scored": len(ok),
        "seen_in_text": int((pd.to_numeric(rows["seen_in_text"]) > 0).sum()),
        "base_rate": float(related.mean()),
        "average_precision": average_precision(related, scores),
        "degree_average_precision": average_precision(related, by_degree),
    }
