"""The attention model as a scorer.

It would have to read a pair's sentences to score it. They do not change, so the scores of all co-mentioned pairs are
computed once, after training, and kept; every other pair has the score of a pair without a sentence.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from kgrel.baselines.attention_model import AttentionModel
from kgrel.baselines.bags import Bags
from kgrel.baselines.baseline import Baseline, Sources, shared_settings
from kgrel.baselines.settings import AttentionSettings
from kgrel.data.artifact import Kind
from kgrel.data.errors import ArtifactError, NonFiniteError
from kgrel.data.progress import Progress
from kgrel.metrics.classification import average_precision, best
from kgrel.model.representation import load_tensors, save_weights
from kgrel.train.batches import Stream, rng_of, torch_seed
from kgrel.train.loop import LoopSettings
from kgrel.train.pair_artifact import Floats, Scale
from kgrel.train.pair_data import PairData, Part, Rows
from kgrel.train.pairs import PairBatches, target_distribution, with_no_relation
from kgrel.train.run import Run
from kgrel.train.settings import SplitSettings
from kgrel.train.tries import train_best

WEIGHTS, SCORES = "weights.safetensors", "scores.safetensors"
TILE = 256
"""Pairs that are scored at a time."""


class AttentionTask:
    """−log p(r | sentences of the pair), mean over a batch of listed and NO-RELATION pairs."""

    def __init__(self, data: PairData, bags: Bags, settings: AttentionSettings) -> None:
        self.data, self.bags, self.settings = data, bags, settings
        self.batches = PairBatches(data, settings)
        held_out = rng_of(settings.seed, Stream.HOLD_OUT).permutation(data.rows(Part.VALIDATION))
        self.held_out = np.sort(held_out[: settings.validation_pairs])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(settings.seed, Stream.INITIALISATION))
            words, classes = len(bags.corpus.words), len(data.classes.names)
            self.module = AttentionModel(words, classes, settings.word_dimensions, settings.hidden, settings.dropout)

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`."""
        rows, heads, tails = self.batches.batch(step)
        rng = rng_of(self.settings.seed, Stream.NOISE, step)
        # Dropout draws from torch's own generator: seeded by the step, so that a resumed run draws the same.
        torch.manual_seed(torch_seed(self.settings.seed, Stream.NOISE, step))
        log_p = forward(*self._inputs(heads, tails, device, rng))
        loss = -(target_distribution(self.data.labels[rows]).to(device) * log_p).sum(-1).mean()
        return loss, {"loss": loss.item()}

    def validate(self, step: int) -> dict[str, float]:
        """Average precision of "listed" on validation pairs."""
        rows = self.held_out
        scores = self.scores(self.data.heads[rows], self.data.tails[rows])
        ap = average_precision(self.data.positive[rows], best(scores, self.data.possible(rows))[1])
        return {"stop": ap if ap is not None else 0.0}

    def _inputs(
        self, heads: Rows, tails: Rows, device: torch.device, rng: np.random.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        pairs, contexts = self.bags.contexts(heads, tails, self.settings.max_sentences, rng)
        tokens, lengths = self.bags.tokens(contexts, self.settings.max_tokens)
        possible = with_no_relation(self.data.classes.possible(self.data.type_rows, heads, tails))
        placed = (torch.from_numpy(array).to(device) for array in (tokens, pairs, possible))
        on_tokens, on_pairs, on_possible = placed
        return on_tokens, torch.from_numpy(lengths), on_pairs, on_possible

    @torch.no_grad()
    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """p(r) of the positive classes: (n, C)."""
        device, training = self.module.nothing.device, self.module.training
        self.module.eval()
        parts = [np.zeros((0, len(self.data.classes.names)))]
        for start in range(0, len(heads), TILE):
            rows = slice(start, start + TILE)
            log_p = self.module(*self._inputs(heads[rows], tails[rows], device, None))
            parts.append(log_p.exp()[:, 1:].double().cpu().numpy())
        self.module.train(training)
        return np.concatenate(parts)


@dataclass(kw_only=True)
class Attention(Baseline):
    """Scores are p(r | sentences of the pair)."""

    KIND: ClassVar[Kind] = Kind.ATTENTION
    SETTINGS: ClassVar[type[SplitSettings]] = AttentionSettings
    settings: AttentionSettings
    seen: Floats | None = None
    """Scores of the co-mentioned pairs (P, C), in their order."""
    unseen: Floats | None = None
    """Scores of a pair without a sentence, by the types of the two (T, T, C)."""

    @property
    def title(self) -> str:
        """What it is called in tables."""
        return "attention"

    @property
    def scale(self) -> Scale:
        """See :class:`PairArtifact`."""
        return "probability"

    def fit(self, sources: Sources, run: Run, progress: Progress) -> dict[str, Any]:
        """See :class:`Baseline`; tries each learning rate and keeps the best on validation."""
        bags = Bags(sources.corpus)

        def attempt(rate: float) -> tuple[AttentionTask, LoopSettings]:
            settings = dataclasses.replace(self.settings, learning_rates=(rate,))
            loop = LoopSettings(**shared_settings(LoopSettings, settings), learning_rate=rate)
            return AttentionTask(self.data, bags, settings), loop

        rates = {f"learning rate {rate}": rate for rate in self.settings.learning_rates}
        best = train_best([(name, partial(attempt, rate)) for name, rate in rates.items()], run, progress, "attention")
        self._keep(best.task, run)
        found = {name: {"learning_rate": rates[name], **figures} for name, figures in best.tried.items()}
        return {"chosen": found[best.name], "tried": list(found.values())}

    def _keep(self, task: AttentionTask, run: Run) -> None:
        heads, tails, _ = self.comentions
        self.seen, self.unseen = task.scores(heads, tails), unseen_scores(task)
        if not (np.isfinite(self.seen).all() and np.isfinite(self.unseen).all()):
            raise NonFiniteError("a score of the attention model is not finite; try a smaller learning rate")
        save_weights(task.module.state_dict(), run.directory / WEIGHTS)
        scores = {"seen": torch.from_numpy(self.seen), "unseen": torch.from_numpy(self.unseen)}
        save_weights(scores, run.directory / SCORES)

    def read_fitted(self, model: dict[str, Any]) -> None:
        """See :class:`Baseline`."""
        assert self.artifact is not None
        tensors = {name: tensor.numpy() for name, tensor in load_tensors(self.artifact, SCORES).items()}
        classes, types = len(self.classes), len(self.data.classes.types)
        shapes = {"seen": (len(self.comentions[0]), classes), "unseen": (types, types, classes)}
        for name, shape in shapes.items():
            if name not in tensors or tensors[name].shape != shape:
                raise ArtifactError(f"{self.artifact.path}: {SCORES} does not fit the pairs ({name} is not {shape})")
        self.seen, self.unseen = tensors["seen"], tensors["unseen"]

    @cached_property
    def _keys(self) -> Rows:
        heads, tails, _ = self.comentions
        return heads * len(self.entities) + tails

    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """See :class:`Baseline`."""
        assert self.seen is not None
        assert self.unseen is not None
        kinds = self.data.type_rows
        found = self.unseen[kinds[heads], kinds[tails]]
        if not len(self._keys):
            return found
        wanted = np.minimum(heads, tails) * len(self.entities) + np.maximum(heads, tails)
        places = np.searchsorted(self._keys, wanted).clip(max=len(self._keys) - 1)
        inside = self._keys[places] == wanted
        found[inside] = self.seen[places[inside]]
        return found


@torch.no_grad()
def unseen_scores(task: AttentionTask) -> Floats:
    """p(r) of a pair without a sentence, by the types of the two: (T, T, C)."""
    module, allowed = task.module.eval(), task.data.classes.allowed
    types, _, classes = allowed.shape
    possible = torch.from_numpy(with_no_relation(allowed.reshape(types * types, classes))).to(module.nothing.device)
    empty = torch.zeros(0, 1, dtype=torch.long, device=possible.device)
    log_p = module(empty, torch.zeros(0, dtype=torch.long), empty[:, 0], possible)
    found: Floats = log_p.exp()[:, 1:].double().cpu().numpy().reshape(types, types, classes)
    return found
