"""Training the pair classifier p(r|z) on samples of z from a prior (eq. 20), frozen or trained on with the labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kgrel.data.progress import Progress, Silent
from kgrel.metrics.classification import average_precision, best
from kgrel.model.classifier import RelationClassifier
from kgrel.model.noise import CommonNoise, common_noise
from kgrel.model.predictive import PairFeatures, posterior_predictive
from kgrel.model.relvm import PairPrior
from kgrel.train.batches import Stream, rng_of, torch_generator, torch_seed
from kgrel.train.fine_tuning import FineTune, PairClassifier
from kgrel.train.graph_features import Encodings, GraphFeatures
from kgrel.train.loop import LoopSettings, train
from kgrel.train.pair_data import Flags, PairData, Part, Rows
from kgrel.train.pair_loss import class_weights, negative_weights, pair_loss
from kgrel.train.run import Run, State
from kgrel.train.settings import BatchSettings, PairSettings
from kgrel.train.text_statistics import FEATURES
from kgrel.train.tries import train_best

VALIDATION_PAIRS = 20_000
"""Most validation pairs that early stopping looks at; the threshold is tuned on all of them."""


def with_no_relation(flags: Flags) -> Flags:
    """Flags of the positive classes (n, C) → (n, 1 + C) with NO-RELATION, always possible, in front."""
    return np.concatenate([np.ones((len(flags), 1), dtype=np.bool_), flags], axis=1)


def target_distribution(labels: Flags) -> Tensor:
    """Labels (n, C) → target probabilities (n, 1 + C); a pair of several classes is divided among them."""
    targets = np.concatenate([~labels.any(axis=1, keepdims=True), labels], axis=1).astype(np.float32)
    return torch.from_numpy(targets / targets.sum(axis=1, keepdims=True))


HARD_POOL = 4
"""NO-RELATION pairs that are scored for each that is trained on, with hard negatives."""
WAYS: tuple[FineTune, ...] = ("none", "all")
"""What ``--fine-tune auto`` tries."""
Score = Callable[[Rows], np.ndarray]
"""Rows of the pair data (n,) → scores above 0 (n,)."""


class PairBatches:
    """Batches of listed and NO-RELATION pairs, from the training part alone; a function of (seed, step)."""

    def __init__(self, data: PairData, settings: BatchSettings) -> None:
        self.data, self.settings = data, settings
        self.positives = data.rows(Part.TRAINING, positive=True)
        self.negatives = data.rows(Part.TRAINING, positive=False)

    def batch(self, step: int, score: Score | None = None) -> tuple[Rows, Rows, Rows]:
        """Rows of the pairs at a step, and their heads and tails in a random order of the two: (B,) each.

        Args:
            score: with it NO-RELATION pairs are drawn from more of them, in proportion to their score.
        """
        rng, s = rng_of(self.settings.seed, Stream.PAIR_BATCH, step), self.settings
        positives = rng.choice(self.positives, s.batch_size - s.batch_negatives)
        if score is None:
            negatives = rng.choice(self.negatives, s.batch_negatives)
        else:
            pool = rng.choice(self.negatives, HARD_POOL * s.batch_negatives)
            # The largest log w + Gumbel noise are a sample without replacement in proportion to w.
            order = np.argsort(-(np.log(score(pool)) + rng.gumbel(size=len(pool))), kind="stable")
            negatives = pool[order[: s.batch_negatives]]
        rows = np.concatenate([positives, negatives])
        swap = rng.random(len(rows)) < 0.5
        heads, tails = self.data.heads[rows], self.data.tails[rows]
        return rows, np.where(swap, tails, heads), np.where(swap, heads, tails)


class PairTask:
    """−E over z ~ p(z|x,y) of log p(r|z), mean over a batch of listed and NO-RELATION pairs."""

    def __init__(
        self,
        prior: PairPrior,
        data: PairData,
        settings: PairSettings,
        features: PairFeatures | None = None,
        graph: GraphFeatures | None = None,
    ) -> None:
        assert settings.fine_tune != "auto", "fit_best makes a task of each way"
        self.data, self.settings, self._features, self.graph = data, settings, features, graph
        self.batches = PairBatches(data, settings)
        self.class_weights = class_weights(data.labels[data.rows(Part.TRAINING)].sum(axis=0))
        held_out = data.rows(Part.VALIDATION)
        self.held_out = rng_of(settings.seed, Stream.HOLD_OUT).permutation(held_out)[:VALIDATION_PAIRS]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(settings.seed, Stream.INITIALISATION))
            classifier = new_classifier(prior.dimensions.z, len(data.classes.names), settings)
            encoder = None if graph is None else graph.encoder(prior.dimensions.embedding)
            self.module = PairClassifier(prior, classifier, settings.fine_tune, encoder)

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`."""
        hard = self.settings.negatives == "hard"
        rows, heads, tails = self.batches.batch(step, self.related if hard else None)
        generator, d = torch_generator(self.settings.seed, Stream.NOISE, step), self.module.prior.dimensions
        shape = (len(rows), self.settings.samples)
        noise_u = torch.randn(*shape, d.u, generator=generator).to(device)
        noise_z = torch.randn(*shape, d.z, generator=generator).to(device)
        x, y = torch.from_numpy(heads).to(device), torch.from_numpy(tails).to(device)
        possible = torch.from_numpy(with_no_relation(self.data.possible(rows))).unsqueeze(1).to(device)
        further: dict[str, Any] = {}
        if self._features is not None:
            further["features"] = torch.from_numpy(self._features(heads, tails)).to(device)
        if self.graph is not None:
            rng = rng_of(self.settings.seed, Stream.NEIGHBOURS, step)
            further["around"] = self.graph.of_pairs(heads, tails, rng, device)
        log_p = forward(x, y, noise_u, noise_z, possible, **further)  # (B, S, 1 + C)
        targets = target_distribution(self.data.labels[rows]).to(device)
        s, listed = self.settings, self.data.positive[rows]
        weights = negative_weights(self.data.contexts[rows], listed, s.negative_discount).to(device)
        by_class = self.class_weights.to(device)
        loss = pair_loss(log_p, targets, weights, s.loss, s.hidden_positives, by_class)
        return loss, {"loss": loss.item()}

    @property
    def encodings(self) -> Encodings | None:
        """g of every entity under the present weights; None without a graph."""
        if self.graph is None or self.module.graph is None:
            return None
        return self.graph.encodings(self.module.graph, self.module.prior.entity_embedding.weight.detach())

    @property
    def features(self) -> PairFeatures | None:
        """What the classifier is given of a pair beside z under the present weights."""
        return joined_features(self._features, self.encodings)

    @torch.no_grad()
    def related(self, rows: Rows) -> np.ndarray:
        """1 − p(NO-RELATION | z) at the mean of u and z under the present weights: (n,), at least 1e-6."""
        prior, device = self.module.prior, next(self.module.parameters()).device
        d, x = prior.dimensions, torch.from_numpy(self.data.heads[rows]).to(device)
        y, zeros = torch.from_numpy(self.data.tails[rows]).to(device), torch.zeros(1, 1, max(d.u, d.z), device=device)
        possible = torch.from_numpy(with_no_relation(self.data.possible(rows))).unsqueeze(1).to(device)
        beside, features = None, self.features
        if features is not None:
            beside = torch.from_numpy(features(self.data.heads[rows], self.data.tails[rows])).to(device)
        log_p = self.module(x, y, zeros[..., : d.u], zeros[..., : d.z], possible, beside)[:, 0, 0]
        found: np.ndarray = (-torch.expm1(log_p)).clamp_min(1e-6).double().cpu().numpy()
        return found

    def validate(self, step: int) -> dict[str, float]:
        """Average precision of "listed" on validation pairs, by the posterior predictive mean."""
        s, rows, prior = self.settings, self.held_out, self.module.prior
        noise = prediction_noise(prior, s)
        scores, _ = score_rows(prior, self.module.classifier, self.data, rows, noise, s, self.features)
        ap = average_precision(self.data.positive[rows], best(scores, self.data.possible(rows))[1])
        return {"stop": ap if ap is not None else 0.0}


def joined_features(statistics: PairFeatures | None, encodings: Encodings | None) -> PairFeatures | None:
    """Text statistics and, behind them, products of encodings, as far as they are there."""
    parts = [part for part in (statistics, None if encodings is None else encodings.features) if part is not None]
    if len(parts) < 2:
        return parts[0] if parts else None
    return lambda heads, tails: np.concatenate([part(heads, tails) for part in parts], axis=1)


def new_classifier(z: int, classes: int, settings: PairSettings) -> RelationClassifier:
    """A classifier of z (Z) and, where the settings ask for them, of text statistics and of products of encodings from
    a graph; from the global seed of torch.

    The weights of the statistics start at 0, so that one that never varies in training, such as the flag of pairs
    that are never mentioned together, has no effect ever.
    """
    further = FEATURES if settings.text_statistics else 0
    classifier = RelationClassifier(z + further + settings.graph_width, 1 + classes, settings.hidden)
    if further:
        for layer in (classifier.hidden, classifier.output):
            if layer is not None:
                begin = layer.weight.shape[1] - settings.graph_width - further
                layer.weight.data[:, begin : begin + further] = 0.0
    return classifier


def prediction_noise(prior: PairPrior, settings: PairSettings) -> CommonNoise:
    """The noise common to all pairs at prediction."""
    seed = torch_seed(settings.seed, Stream.PREDICTION)
    return common_noise(prior.dimensions, settings.prediction_samples, seed, settings.prediction_noise)


def score_rows(
    prior: PairPrior,
    classifier: RelationClassifier,
    data: PairData,
    rows: Rows,
    noise: CommonNoise,
    settings: PairSettings,
    features: PairFeatures | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior predictive mean and spread of the positive classes for pairs of the data: (len(rows), C) each."""
    possible = with_no_relation(data.possible(rows))
    heads, tails = data.heads[rows], data.tails[rows]
    mean, std = posterior_predictive(prior, classifier, heads, tails, possible, noise, settings.order, features)
    return mean[:, 1:], std[:, 1:]


def fit_classifier(
    prior: PairPrior,
    data: PairData,
    settings: PairSettings,
    run: Run | None = None,
    progress: Progress | None = None,
    features: PairFeatures | None = None,
) -> tuple[PairPrior, RelationClassifier, State]:
    """Train the classifier, and a copy of the prior as far as the settings ask for it.

    Args:
        features: the text statistics of pairs, where the settings ask for them.

    Returns:
        That copy and the classifier with the weights of the best validation, and the final state of the loop.
    """
    task = PairTask(prior, data, settings, features)
    state = fit(task, run, progress)
    return task.module.plain_prior(), task.module.classifier.eval(), state


def fit_best(
    make: Callable[[PairSettings], PairTask], settings: PairSettings, run: Run, progress: Progress
) -> tuple[PairTask, State, dict[str, Any]]:
    """Train as the settings say; where ``fine_tune`` is auto, in both ways, of which the better validation is kept.

    Args:
        make: gives the task of some settings, of which only ``fine_tune`` differs.

    Returns:
        The trained task, the final state of its loop, and what was tried, for the summary.
    """
    if settings.fine_tune != "auto":
        task = make(settings)
        return task, fit(task, run, progress), {}

    def attempt(way: FineTune) -> tuple[PairTask, LoopSettings]:
        task = make(dataclasses.replace(settings, fine_tune=way))
        return task, loop_of(task)

    best = train_best([(f"fine-tune {way}", partial(attempt, way)) for way in WAYS], run, progress, "train-pairs")
    tried = dict(zip(WAYS, best.tried.values(), strict=True))
    return best.task, best.state, {"fine_tune": {"kept": best.task.settings.fine_tune, "tried": tried}}


def loop_of(task: PairTask) -> LoopSettings:
    """How its module is trained."""
    shared = {f.name for f in fields(LoopSettings)} & {f.name for f in fields(PairSettings)}
    return LoopSettings(**{name: getattr(task.settings, name) for name in shared})


def fit(task: PairTask, run: Run | None = None, progress: Progress | None = None) -> State:
    """Train the module of a task to the weights of its best validation."""
    return train(task, loop_of(task), run, progress or Silent(), "train-pairs")
