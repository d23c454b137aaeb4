"""Training knowledge-graph embeddings: the true answer of each query against every other, or a sample of them.

The loss is the mean over triples, of both sides, of −log softmax of the true answer's score among the candidates: all
entities of the right type (1-vs-all), or those that are drawn for the batch. Triples that ask the same question,
(h, r, ?) or (?, r, t), share its scores: a batch holds questions with all their answers, so that the same mean costs as
many rows of the score matrix as there are questions, not triples (FB15k-237: 149,689 instead of 544,230).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.baselines.kge_models import EntityRanker
from kgrel.baselines.triples import AnswerTypes, Questions, Rows, Triples
from kgrel.train.batches import Stream, rng_of, torch_seed

Validator = Callable[[EntityRanker], dict[str, float]]
"""Figures of a ranker on held-out data; ``stop`` among them, higher is better."""
UNTYPED = -1e9
"""Score of an entity of the wrong type. Finite, so that no NaN can arise."""


@dataclass(frozen=True)
class KgeTraining:
    """What the loss depends on beside the triples."""

    batch_questions: int
    negatives: int
    """Entities drawn for each batch; 0 = all entities."""
    regularisation: float
    """Weight of the N3 penalty."""
    seed: int


class LossModule(nn.Module):
    """The ranker with its loss, so that it is trained through ``forward`` alone."""

    def __init__(self, ranker: EntityRanker) -> None:
        super().__init__()
        self.ranker = ranker

    def forward(
        self,
        question: tuple[Tensor, Tensor, Tensor],
        answer: tuple[Tensor, Tensor],
        columns: Tensor | None,
        possible: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Mean over answers of −log p(answer | question), and the N3 penalty of a triple: two scalars.

        Args:
            question: known entities, relations, and whether the tail is asked for (B,).
            answer: number of the question in the batch, and column of the answer (a,).
            columns: the entities that are scored (N,), sorted; None = all.
            possible: bool (B, N), false for entities of the wrong type; None = all are possible.
        """
        scores = self.ranker(*question, columns).float()
        if possible is not None:
            scores = scores.masked_fill(~possible, UNTYPED)
        log_p = F.log_softmax(scores, dim=1)
        places, found = answer
        known, relations = question[0][places], question[1][places]
        entities = torch.cat([known, found if columns is None else columns[found]])
        return -log_p[places, found].mean(), self.ranker.nuclear_norm(entities, relations)


class KgeTask:
    """Trains a ranker on triples; validation is the caller's.

    Args:
        types: None where every entity can answer every question.
        validator: maps the ranker to figures on held-out triples or pairs, see :class:`kgrel.train.loop.Task`.
    """

    def __init__(
        self,
        ranker: EntityRanker,
        triples: Triples,
        types: AnswerTypes | None,
        settings: KgeTraining,
        validator: Validator,
    ) -> None:
        self.module = LossModule(ranker)
        self.questions, self.settings, self.validator = Questions.of(triples), settings, validator
        self.types = None if types is None or types.allowed.all() else types
        self.steps_per_epoch = -(-len(self.questions) // settings.batch_questions)
        self.entities = ranker.model.num_nodes
        self._epoch, self._order = -1, np.zeros(0, dtype=np.int64)

    def batch(self, step: int) -> Rows:
        """Questions of a step (from 1); each once an epoch."""
        epoch, place = divmod(step - 1, self.steps_per_epoch)
        if epoch != self._epoch:
            rng = rng_of(self.settings.seed, Stream.EPOCH, epoch)
            self._epoch, self._order = epoch, rng.permutation(len(self.questions))
        start = place * self.settings.batch_questions
        return self._order[start : start + self.settings.batch_questions]

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`."""
        rows, q = self.batch(step), self.questions
        places, answers = q.answers_of(rows)
        columns = None
        if self.settings.negatives:
            rng = rng_of(self.settings.seed, Stream.NEGATIVES, step)
            columns = np.union1d(answers, rng.integers(0, self.entities, self.settings.negatives))
            answers = np.searchsorted(columns, answers)
        possible = None
        if self.types is not None:
            possible = on(self.types.possible(q.relations[rows], q.tails[rows], columns), device)
        question = on(q.known[rows], device), on(q.relations[rows], device), on(q.tails[rows], device)
        found = on(places, device), on(answers, device)
        loss, norm = forward(question, found, None if columns is None else on(columns, device), possible)
        return loss + self.settings.regularisation * norm, {"loss": loss.item()}

    def validate(self, step: int) -> dict[str, float]:
        """See :class:`kgrel.train.loop.Task`."""
        return self.validator(self.module.ranker)


def on(array: npt.NDArray[np.generic], device: torch.device) -> Tensor:
    """An array on a device."""
    return torch.from_numpy(array).to(device)


def new_ranker(name: str, entities: int, relations: int, dimensions: int, seed: int) -> EntityRanker:
    """A ranker with seeded initial weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, Stream.INITIALISATION))
        return EntityRanker(name, entities, relations, dimensions)
