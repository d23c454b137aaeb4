"""Knowledge-graph embeddings of the training labels as a scorer of pairs.

A listed pair is an edge of its class, from the entity of the first type to that of the second; where both have one
type, it is an edge in both directions. A softmax over entities says which answer is likely, not how many answers there
are, so that its scores are not comparable between questions. What is comparable is the expected number of edges

    n(x, r, ?) p(y | x, r, ?)        and        n(?, r, y) p(x | ?, r, y),

n being one more than the training answers to the question. The score is the mean of the two logarithms, and for two
entities of one type that of both directions.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from kgrel.baselines.baseline import Baseline, Sources
from kgrel.baselines.kge_models import BILINEAR, EntityRanker
from kgrel.baselines.kge_training import KgeTask, KgeTraining, new_ranker
from kgrel.baselines.settings import KgeSettings
from kgrel.baselines.triples import AnswerTypes, Triples
from kgrel.data.artifact import Artifact, Kind
from kgrel.data.errors import ArtifactError
from kgrel.data.progress import Progress
from kgrel.metrics.classification import average_precision, best
from kgrel.model.representation import load_tensors, load_weights, save_weights
from kgrel.train.loop import LoopSettings
from kgrel.train.pair_artifact import Floats, Scale
from kgrel.train.pair_data import PairData, Part, Rows
from kgrel.train.run import Run
from kgrel.train.settings import SplitSettings
from kgrel.train.tries import train_best

WEIGHTS = "weights.safetensors"
OFFSETS = "offsets.safetensors"
"""Of :class:`PairScores`; artifacts of 0.1 have none."""
CHUNK = 16_384
QUESTIONS = 512
"""Questions whose scores of all entities are held at a time."""


def label_triples(data: PairData) -> Triples:
    """The edges that the training labels make."""
    rows = data.rows(Part.TRAINING, positive=True)
    places, classes = np.nonzero(data.labels[rows])
    heads, tails = data.heads[rows][places], data.tails[rows][places]
    first, second = data.type_rows[heads], data.type_rows[tails]
    heads, tails = np.where(first <= second, heads, tails), np.where(first <= second, tails, heads)
    both = first == second
    return Triples(
        np.concatenate([heads, tails[both]]),
        np.concatenate([classes, classes[both]]),
        np.concatenate([tails, heads[both]]),
    )


def answer_types(data: PairData) -> AnswerTypes:
    """Which entities can stand on either side of a class: what types allow, whether or not a training label shows it.

    A class without any has small scores then, log n − log Σ exp s being about minus the log of the candidates' number;
    were it left out, its 0 would stand above every logarithm.
    """
    allowed = np.triu(data.classes.allowed.transpose(2, 0, 1))
    return AnswerTypes(data.type_rows, np.stack([allowed.any(axis=2), allowed.any(axis=1)], axis=1))


class PairScores:
    """The scores of pairs that a ranker gives, with the normalisers of the questions computed once.

    Args:
        entities: rows of the only entities that will be scored; None = all.
        offsets: those of another for the same ranker and data; None = compute them.
    """

    def __init__(
        self, ranker: EntityRanker, data: PairData, entities: Rows | None = None, offsets: Floats | None = None
    ) -> None:
        self.ranker, self.type_rows, self.classes = ranker, data.type_rows, len(data.classes.names)
        self.types = answer_types(data)
        self.device = ranker.model.node_emb.weight.device
        if offsets is None:
            every = np.arange(len(data.type_rows))
            offsets = self._offsets(label_triples(data), every if entities is None else entities)
        self.offsets = offsets

    @torch.no_grad()
    def _offsets(self, triples: Triples, entities: Rows) -> Floats:
        """log n − log Σ exp score of each question: (2, classes, entities), heads asked for in [0], tails in [1].

        Questions that no entity can answer have 0.
        """
        size = len(self.type_rows)
        offsets = np.zeros((2, self.classes, size))
        for tails, relation in itertools.product((False, True), range(self.classes)):
            counts = np.bincount(triples.ends(tails)[0][triples.relations == relation], minlength=size)
            columns = np.flatnonzero(self.types.possible(np.array([relation]), np.array([tails]))[0])
            asked = entities[self.types.possible(np.array([relation]), np.array([not tails]), entities)[0]]
            wanted = torch.from_numpy(columns).to(self.device)
            for start in range(0, len(asked), QUESTIONS):
                known = asked[start : start + QUESTIONS]
                scores = self.ranker(*self._question(known, relation, tails), wanted)
                # log Σ exp s, by way of log softmax, which torch computes five times faster than logsumexp.
                logs = (scores[:, 0] - scores.log_softmax(dim=1)[:, 0]).double().cpu().numpy()
                offsets[int(tails), relation, known] = np.log1p(counts[known]) - logs
        return offsets

    def _question(self, known: Rows, relation: int, tails: bool) -> tuple[Tensor, Tensor, Tensor]:
        shape = (len(known),)
        relations, sides = torch.full(shape, relation), torch.full(shape, tails)
        return torch.from_numpy(known).to(self.device), relations.to(self.device), sides.to(self.device)

    def __call__(self, heads: Rows, tails: Rows) -> Floats:
        """Score of each class (n, C), 0 for classes that the types rule out."""
        first = self.type_rows[heads] <= self.type_rows[tails]
        x, y = np.where(first, heads, tails), np.where(first, tails, heads)
        found = self._directed(x, y)
        twins = np.flatnonzero(self.type_rows[heads] == self.type_rows[tails])
        found[twins] = (found[twins] + self._directed(y[twins], x[twins])) / 2
        possible = self.types.allowed[:, 0][:, self.type_rows[x]] & self.types.allowed[:, 1][:, self.type_rows[y]]
        return np.where(possible.T, found, 0.0)

    @torch.no_grad()
    def _directed(self, x: Rows, y: Rows) -> Floats:
        found = np.zeros((len(x), self.classes))
        for start, relation in itertools.product(range(0, len(x), CHUNK), range(self.classes)):
            rows = slice(start, start + CHUNK)
            heads, relations, _ = self._question(x[rows], relation, True)
            scores = self.ranker.pairs(heads, relations, torch.from_numpy(y[rows]).to(self.device))
            offsets = (self.offsets[1, relation, x[rows]] + self.offsets[0, relation, y[rows]]) / 2
            found[rows, relation] = scores.double().cpu().numpy() + offsets
        return found


@dataclass(kw_only=True)
class GraphEmbedding(Baseline):
    """TransE, DistMult, ComplEx or RotatE, trained on the training labels."""

    KIND: ClassVar[Kind] = Kind.KGE
    SETTINGS: ClassVar[type[SplitSettings]] = KgeSettings
    settings: KgeSettings
    pair_scores: PairScores | None = None
    dimensions: int = 0

    @property
    def title(self) -> str:
        """What it is called in tables."""
        return self.settings.model

    @property
    def scale(self) -> Scale:
        """See :class:`PairArtifact`."""
        return "logit"

    def fit(self, sources: Sources, run: Run, progress: Progress) -> dict[str, Any]:
        """See :class:`Baseline`; tries each of :func:`tried` and keeps the best on validation."""
        wanted = {name_of(settings): settings for settings in tried(self.settings)}
        tries = [(name, partial(task_of, self.data, settings)) for name, settings in wanted.items()]
        kept = train_best(tries, run, progress, self.title)
        ranker = kept.task.module.ranker
        save_weights(ranker.state_dict(), run.directory / WEIGHTS)
        self.dimensions = wanted[kept.name].dimensions
        self.pair_scores = PairScores(ranker.cpu().eval(), self.data)
        save_weights({"offsets": torch.from_numpy(self.pair_scores.offsets)}, run.directory / OFFSETS)
        found = {name: {**searched(wanted[name]), **figures} for name, figures in kept.tried.items()}
        return {"chosen": found[kept.name], "tried": list(found.values())}

    def model_json(self) -> dict[str, Any]:
        """The dimensions that were chosen."""
        return {"dimensions": self.dimensions}

    def read_fitted(self, model: dict[str, Any]) -> None:
        """See :class:`Baseline`."""
        assert self.artifact is not None
        self.dimensions = model["dimensions"]
        ranker = EntityRanker(self.settings.model, len(self.entities), len(self.classes), self.dimensions)
        load_weights(ranker, self.artifact, WEIGHTS)
        self.pair_scores = PairScores(ranker.eval(), self.data, offsets=self._read_offsets(self.artifact))

    def _read_offsets(self, artifact: Artifact) -> Floats | None:
        if OFFSETS not in artifact.manifest.files:
            return None
        offsets, shape = load_tensors(artifact, OFFSETS).get("offsets"), (2, len(self.classes), len(self.entities))
        if offsets is None or offsets.shape != shape:
            raise ArtifactError(f"{artifact.path}: {OFFSETS} does not fit the pairs (offsets is not {shape})")
        found: Floats = offsets.numpy()
        return found

    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """See :class:`Baseline`."""
        assert self.pair_scores is not None
        return self.pair_scores(heads, tails)


def tried(settings: KgeSettings) -> list[KgeSettings]:
    """The settings that are searched: beside the given ones, others near them."""
    if not settings.search:
        return [settings]
    if settings.model in BILINEAR and settings.regularisation:
        near: list[dict[str, Any]] = [{}, {"regularisation": round(settings.regularisation * 3, 9)}]
    else:
        near = [{}, {"learning_rate": settings.learning_rate / 3}]
    if settings.search_dimensions:
        near += [one | {"dimensions": 2 * settings.dimensions} for one in near]
    return [dataclasses.replace(settings, **changes) for changes in near]


def searched(settings: KgeSettings) -> dict[str, Any]:
    """What a search may change."""
    return {name: getattr(settings, name) for name in ("dimensions", "regularisation", "learning_rate")}


def name_of(settings: KgeSettings) -> str:
    """What a training is called, by :func:`searched`."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in searched(settings).items())


def task_of(data: PairData, settings: KgeSettings) -> tuple[KgeTask, LoopSettings]:
    """An embedding to be trained on the training labels; ``stop`` is its average precision on the validation pairs."""
    triples, rows = label_triples(data), data.rows(Part.VALIDATION)
    possible, listed = data.possible(rows), data.positive[rows]
    entities = np.union1d(data.heads[rows], data.tails[rows])

    def validate(ranker: EntityRanker) -> dict[str, float]:
        scores = PairScores(ranker, data, entities)(data.heads[rows], data.tails[rows])
        found = average_precision(listed, best(scores, possible)[1])
        return {"stop": found if found is not None else 0.0}

    classes, size = len(data.classes.names), len(data.type_rows)
    ranker = new_ranker(settings.model, size, classes, settings.dimensions, settings.seed)
    training = KgeTraining(settings.batch_questions, settings.negatives, settings.regularisation, settings.seed)
    task = KgeTask(ranker, triples, answer_types(data), training, validate)
    loop = LoopSettings(
        steps=settings.epochs * task.steps_per_epoch,
        learning_rate=settings.learning_rate,
        validate_every=settings.validate_epochs * task.steps_per_epoch,
        checkpoint_every=settings.validate_epochs * task.steps_per_epoch,
        patience=settings.patience,
        precision=settings.precision,
        device=settings.device,
    )
    return task, loop
