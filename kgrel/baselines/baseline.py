"""What every baseline is: a scorer that is fitted to labelled pairs, saved as an artifact, and opened again."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from kgrel.data.artifact import Artifact, Kind, Manifest, finish_artifact, open_artifact, opens_artifact, settings_of
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.graph.graph import Graph
from kgrel.metrics.classification import best
from kgrel.text.corpus import Corpus
from kgrel.train.pair_artifact import Floats, PairArtifact, describe, read_parts
from kgrel.train.pair_data import Rows
from kgrel.train.run import Run
from kgrel.train.settings import UNSAID, SplitSettings
from kgrel.train.train_pairs import PairInputs, parents_of, prepare_pairs


@dataclass(frozen=True)
class Sources:
    """What a baseline may learn from beside the labels."""

    corpus: Corpus
    graph: Graph | None = None


@dataclass(kw_only=True)
class Baseline(PairArtifact):
    """Scores pairs without a representation.

    A score is symmetric in the two entities, finite, and comparable among pairs and classes, but no probability.
    """

    KIND: ClassVar[Kind]
    SETTINGS: ClassVar[type[SplitSettings]]

    def fit(self, sources: Sources, run: Run, progress: Progress) -> dict[str, Any]:
        """Learn from the training pairs, choose on the validation pairs; returns what to tell about it."""
        return {}

    @abstractmethod
    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """Score of each positive class for n pairs of entity rows: (n, C)."""

    def predict(self, heads: Rows, tails: Rows) -> tuple[Floats, Floats]:
        """The scores, and a spread of zero: (n, C) each."""
        mean = self.scores(heads, tails)
        return mean, np.zeros_like(mean)

    def quick(self, heads: Rows, tails: Rows) -> Floats:
        """The score of the best class (n,)."""
        return best(self.scores(heads, tails), self.possible(heads, tails))[1]

    def read_fitted(self, model: dict[str, Any]) -> None:
        """Read what :meth:`fit` learned from the artifact's files.

        Args:
            model: the content of ``model.json``.
        """

    @classmethod
    def new(cls, inputs: PairInputs, corpus: Corpus, settings: SplitSettings) -> Self:
        """An unfitted baseline for labelled pairs of the corpus' entities."""
        listed = inputs.relations
        return cls(
            entities=corpus.entities,
            data=inputs.data,
            comentions=inputs.comentions,
            relations=(listed.heads, listed.tails, listed.classes),
            thresholds=np.zeros(len(listed.class_names)),
            settings=settings,
        )

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path, verify: bool = True) -> Self:
        """Open an artifact of :func:`train_baseline`.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or files that do not fit together.
        """
        artifact = open_artifact(path, cls.KIND, verify)
        parts = read_parts(artifact)
        model = parts.pop("model")
        opened = cls(settings=settings_of(artifact, cls.SETTINGS, UNSAID), **parts)
        opened.read_fitted(model)
        return opened


def train_baseline(
    cls: type[Baseline],
    corpus: Corpus,
    relations: str | Path,
    out: str | Path,
    settings: SplitSettings,
    *,
    graph: Graph | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Fit a baseline on the split that ``train-pairs`` makes with the same settings, tune its threshold, write it.

    An unfinished run in ``out`` is gone on with if settings and inputs are the same: the attention model and graph
    embeddings from their checkpoints, the others, which take a minute or two, from the start.

    Args:
        graph: whose paths are counted, by the baseline that does so.

    Raises:
        KgrelError: ``out`` exists, or there is too little to learn from.
    """
    started, out, progress = time.monotonic(), Path(out), progress or Silent()
    inputs = prepare_pairs(corpus.entities, corpus, relations, settings)
    parents = parents_of(corpus, relations, settings)
    if graph is not None and graph.artifact is not None:
        parents["walked_graph"] = graph.artifact.hash
    run = Run(out, {"kind": cls.KIND, "settings": to_json(settings), "parents": parents}, overwrite)
    baseline = cls.new(inputs, corpus, settings)
    found = baseline.fit(Sources(corpus, graph), run, progress)
    tuned = baseline.tune()
    baseline.write(out)
    summary = {**found, **tuned, **describe(baseline), **inputs.summary}
    manifest = Manifest(cls.KIND, to_json(settings), settings.seed, parents, summary)
    artifact = finish_artifact(out, manifest, time.monotonic() - started)
    run.close()
    return artifact


def shared_settings(target: type, settings: Any) -> dict[str, Any]:
    """The values of the attributes that two settings dataclasses have in common."""
    names = {field.name for field in fields(target)} & {field.name for field in fields(settings)}
    return {name: getattr(settings, name) for name in names}
