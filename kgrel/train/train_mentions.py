"""``train-mentions``: from a representation and labelled sentences to a MENTIONS artifact."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.data.artifact import Artifact, Kind, Manifest, finish_artifact
from kgrel.data.errors import KgrelError
from kgrel.data.files import sha256_of
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.metrics.classification import classification_report
from kgrel.model.mentions import MentionClassifier
from kgrel.model.relvm import RELVM
from kgrel.model.representation import Representation
from kgrel.text.mention_readers import MentionReader
from kgrel.text.tokens import SPECIAL_TOKENS, UNK
from kgrel.train.batches import LengthBuckets, Stream, torch_generator, torch_seed
from kgrel.train.devices import resolve_precision
from kgrel.train.loop import LoopSettings, train
from kgrel.train.mention_data import Flags, LabelledSentences, Rows, find_classes, hold_out, read_labelled
from kgrel.train.mention_model import MentionModel, columns
from kgrel.train.mention_settings import MentionSettings
from kgrel.train.run import Run, State

POOL = 8
"""Batches whose sentences are sorted by length together."""


def start_classifier(
    representation: Representation, data: LabelledSentences, classes: list[str], settings: MentionSettings
) -> MentionModel:
    """A classifier that begins with the weights of a representation, its tables widened by what the sentences add.

    A representation of identifiers gives each type the mean of its entities' unit vectors.

    Args:
        data: the training sentences.
    """
    counts = Counter(word for context in data.contexts for word in set(context))
    known = set(representation.words)
    words = [*representation.words, *sorted(w for w, n in counts.items() if n >= settings.min_count and w not in known)]
    named = {name for statement in data.statements for name in statement.types}
    given = sorted(set(representation.entities.types))
    types = [*given, *sorted(named - set(given))]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(settings.seed, Stream.INITIALISATION))
        fresh = RELVM(representation.model.dimensions, len(types), len(words))
        classifier = MentionClassifier(
            fresh.dimensions, len(types), len(words), len(classes), settings.hidden, settings.pooling
        )
    if settings.start == "pretrained":
        inherit(representation, given, fresh)
    classifier.take(fresh)
    classifier.word_embedding.sparse = True
    for name, part in parts_of(classifier).items():
        part.requires_grad_(name in settings.fine_tune)
    for lstm in (classifier.recogniser.forward_lstm, classifier.recogniser.backward_lstm):
        lstm.get_parameter("bias_hh_l0").requires_grad_(False)  # the paper's single bias
    return MentionModel(classifier, words, types, classes, possible_classes(data, types, classes), settings)


@torch.no_grad()
def inherit(representation: Representation, types: list[str], model: RELVM) -> None:
    """Copy words, recogniser and prior, and the vectors of the types, into a model with longer tables."""
    source = representation.model
    for part in ("recogniser", "prior"):
        getattr(model, part).load_state_dict(getattr(source, part).state_dict())
    model.word_embedding.weight[: len(representation.words)] = source.word_embedding.weight
    vectors = F.normalize(source.entity_embedding.weight, dim=-1)
    own = np.array(representation.entities.types)
    for row, name in enumerate(types):
        model.entity_embedding.weight[row] = vectors[torch.from_numpy(own == name)].mean(0)


def parts_of(classifier: MentionClassifier) -> dict[str, nn.Module]:
    """The parts that can be trained on or left as they are."""
    return {
        "words": classifier.word_embedding,
        "types": classifier.entity_embedding,
        "recogniser": classifier.recogniser,
        "prior": classifier.prior,
    }


def possible_classes(data: LabelledSentences, types: list[str], classes: list[str]) -> Flags:
    """Which classes each pair of types has among the sentences, no relation always: (types, types, C)."""
    possible = np.zeros((len(types), len(types), len(classes)), np.bool_)
    possible[..., 0] = True
    for statement, label in zip(data.statements, data.labels, strict=True):
        a, b = (types.index(name) for name in statement.types)
        possible[[a, b], [b, a], classes.index(label)] = True
    return possible


class MentionTask:
    """−mean over sentences and samples of log p(r|z) (paper, eq. 17)."""

    def __init__(self, model: MentionModel, data: LabelledSentences, held_out: Flags) -> None:
        self.model, self.settings, self.module = model, model.settings, model.classifier
        self.encoded = model.encode(data.contexts, data.types)
        numbers = {name: number for number, name in enumerate(model.classes)}
        self.labels: Rows = np.array([numbers[label] for label in data.labels], np.int64)
        self.validation = np.flatnonzero(held_out)
        held = data.chosen(self.validation)
        self._held = model.encode(held.contexts, held.types)
        s, rows = self.settings, np.flatnonzero(~held_out)
        self.batches = LengthBuckets(rows, self.encoded.lengths[rows], s.batch_size, s.seed, POOL)

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`."""
        rows, s, d = self.batches.batch(step - 1), self.settings, self.module.dimensions
        x, y, tokens = (torch.from_numpy(a) for a in columns(self.encoded, rows, 0))
        generator = torch_generator(s.seed, Stream.NOISE, step)
        u, z = (torch.randn(len(rows), s.samples, width, generator=generator) for width in (d.u, d.z))
        hidden = torch.rand(tokens.shape, generator=generator) < s.word_dropout
        tokens = tokens.masked_fill(hidden & (tokens >= len(SPECIAL_TOKENS)), UNK)
        possible = torch.from_numpy(self.model.possible[self.encoded.x[rows], self.encoded.y[rows]])
        log_p = forward(*(a.to(device) for a in (x, y, tokens, u, z, possible)))  # (B, S, C)
        labels = torch.from_numpy(self.labels[rows]).to(device)
        loss = F.nll_loss(log_p.mean(1), labels)
        return loss, {"loss": loss.item()}

    def validate(self, step: int) -> dict[str, float]:
        """See :class:`kgrel.train.loop.Task`: mean log p̄ of the labels, and F1 of the largest class."""
        mean, labels = self.validated()
        p = mean[np.arange(len(labels)), labels]
        truth = labels[:, None] == np.arange(1, len(self.model.classes))
        f1 = classification_report(truth, mean.argmax(axis=1) - 1).f1
        log_p = float(np.log(np.maximum(p, 1e-300)).mean())
        return {"validation_log_p": log_p, "validation_f1": f1, "stop": log_p}

    def validated(self) -> tuple[Any, Rows]:
        """p̄ (n, C) and class numbers (n,) of the validation sentences."""
        self.module.eval()
        mean, _ = self.model.predict(self._held)
        self.module.train()
        return mean, self.labels[self.validation]


def fit_mentions(
    representation: Representation,
    data: LabelledSentences,
    settings: MentionSettings,
    run: Run | None = None,
    progress: Progress | None = None,
    path: str | Path = "the sentences",
) -> tuple[MentionModel, State, dict[str, Any]]:
    """Train on labelled sentences, a part of them held out to stop the training and to tune the threshold.

    Args:
        path: what the sentences were read from, for messages.

    Returns:
        The classifier on the CPU, the state of its training, and figures on the validation sentences.

    Raises:
        KgrelError: the sentences have one label, or are too few.
        NonFiniteError: training left the finite numbers.
    """
    classes = find_classes(data.labels, settings.negative, path)
    numbers = np.array([classes.index(label) for label in data.labels], np.int64)
    held_out = hold_out(data.groups(), numbers, settings)
    model = start_classifier(representation, data, classes, settings)
    task = MentionTask(model, data, held_out)
    shared = {f.name for f in fields(LoopSettings)} & {f.name for f in fields(MentionSettings)}
    loop = LoopSettings(**{name: getattr(settings, name) for name in shared})
    loop = replace(loop, precision=resolve_precision(settings.precision, settings.device))
    state = train(task, loop, run, progress or Silent(), "train-mentions")
    model.classifier.cpu()
    mean, labels = task.validated()
    figures: dict[str, Any] = {"sentences": len(data), "validation_sentences": len(labels), "steps": state.step}
    figures |= {key: value for key, value in task.validate(state.step).items() if key != "stop"}
    if settings.decision == "threshold":
        figures["threshold"] = model.tune(mean, labels)
        truth = labels[:, None] == np.arange(1, len(classes))
        figures["validation_f1"] = classification_report(truth, model.decide(mean)[0] - 1).f1
    model.classifier.eval()
    return model, state, figures


def train_mentions(
    representation: Representation,
    reader: MentionReader,
    out: str | Path,
    settings: MentionSettings | None = None,
    *,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Learn from labelled sentences which relation a sentence states, and write a MENTIONS artifact.

    An unfinished run in ``out`` is resumed if settings and inputs are the same.

    Args:
        skip_bad: leave out and count sentences that cannot be read, instead of refusing the first.

    Raises:
        KgrelError: ``out`` exists, a sentence cannot be read, or there are too few.
        NonFiniteError: training left the finite numbers.
    """
    started, out, settings = time.monotonic(), Path(out), settings or MentionSettings()
    assert representation.artifact is not None
    if reader.path == "-":
        raise KgrelError("train-mentions reads its sentences again when a run is resumed; save them to a file")
    data = read_labelled(reader, skip_bad)
    parents = {"representation": representation.artifact.hash, "sentences": sha256_of(Path(reader.path))}
    identity = {"settings": to_json(settings), "format": to_json(reader.settings), "parents": parents}
    run = Run(out, identity, overwrite)
    with run.or_nothing():
        model, _, figures = fit_mentions(representation, data, settings, run, progress, reader.path)
    model.write(out)
    labels = Counter(data.labels)
    summary = {**figures, "labels": {name: labels[name] for name in model.classes}, "sentences_cut": data.cut}
    summary |= {"left_out": dict(data.left_out), "words": len(model.words), "types": model.types}
    manifest = Manifest(Kind.MENTIONS, to_json(settings), settings.seed, parents, summary)
    artifact = finish_artifact(out, manifest, time.monotonic() - started)
    run.close()
    return artifact
