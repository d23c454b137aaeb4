"""``train-typing``: learn from the context of a mention which type it has, or that it has none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from kgrel.data.artifact import Artifact, Kind, Manifest, finish_artifact
from kgrel.data.errors import InputError
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.metrics.thresholds import best_thresholds_per_class
from kgrel.model.type_classifier import TypeClassifier, Typing, TypingShape, likeliest
from kgrel.text.badlines import BadLines
from kgrel.text.build import input_hashes
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.lexicon import build_lexicon, read_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.windows import PAD, UNKNOWN
from kgrel.train.batches import Stream, rng_of, torch_generator, torch_seed
from kgrel.train.loop import LoopSettings, train
from kgrel.train.run import Run
from kgrel.train.typing_data import Flags, Labelled, TypingData, collect
from kgrel.train.typing_settings import TypingSettings

Rows = npt.NDArray[np.int64]


class TypingBatches:
    """Batches of self-labelled mentions, as many of each class, and of gold mentions; functions of (seed, step)."""

    def __init__(self, data: TypingData, settings: TypingSettings) -> None:
        self.data, self.settings = data, settings
        own = data.own
        self._own = [np.flatnonzero(~own.held_out & (own.labels == label)) for label in range(len(data.classes))]
        self._gold = np.flatnonzero(~data.gold.held_out)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Word rows (B, 2 × width) and class numbers (B,)."""
        s = self.settings
        rng = rng_of(s.seed, Stream.TYPING_BATCH, step)
        from_gold = round(s.gold_share * s.batch_size) if len(self._gold) else 0
        labels = rng.integers(len(self._own), size=s.batch_size - from_gold)
        counts = np.bincount(labels, minlength=len(self._own))
        own = np.concatenate([rng.choice(rows, count) for rows, count in zip(self._own, counts, strict=True)])
        windows, answers = [self.data.own.windows[own]], [self.data.own.labels[own]]
        if from_gold:
            gold = rng.choice(self._gold, from_gold)
            windows.append(self.data.gold.windows[gold])
            answers.append(self.data.gold.labels[gold])
        return torch.from_numpy(np.concatenate(windows)), torch.from_numpy(np.concatenate(answers))


class TypingTask:
    """−mean log p(class | context)."""

    def __init__(self, data: TypingData, settings: TypingSettings) -> None:
        self.settings, self.data = settings, data
        self.batches = TypingBatches(data, settings)
        shape = TypingShape(settings.width, settings.embedding, settings.hidden)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(settings.seed, Stream.INITIALISATION))
            self.module = TypeClassifier(shape, len(data.words), len(data.classes))
        self.typing = Typing(self.module, data.words, data.classes, np.zeros(len(data.classes) - 1))

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`."""
        windows, labels = self.batches.batch(step)
        hidden = torch.rand(windows.shape, generator=torch_generator(self.settings.seed, Stream.NOISE, step))
        windows = windows.masked_fill((hidden < self.settings.word_dropout) & (windows != PAD), UNKNOWN)
        log_p = forward(windows.to(device))
        loss = nn.functional.nll_loss(log_p, labels.to(device))
        return loss, {"loss": loss.item()}

    def validate(self, step: int) -> dict[str, float]:
        """See :class:`kgrel.train.loop.Task`: mean log-probability and accuracy on held-out mentions."""
        figures = {}
        for name, part in (("validation", self.data.own), ("gold", self.data.gold)):
            if part.held_out.any():
                p = self.held_out_probabilities(part)
                labels = part.labels[part.held_out]
                figures[f"{name}_log_p"] = float(np.log(np.maximum(p[np.arange(len(p)), labels], 1e-12)).mean())
                figures[f"{name}_accuracy"] = float((p.argmax(axis=1) == labels).mean())
        # Gold mentions are too few to stop by: the best of their validations would be chance.
        return figures | {"stop": figures["validation_log_p"]}

    def held_out_probabilities(self, part: Labelled) -> npt.NDArray[np.float64]:
        """p(class | context) of the held-out mentions, (n, C)."""
        device = next(self.module.parameters()).device
        self.module.cpu().eval()
        p = self.typing.probabilities(part.windows[part.held_out])
        self.module.to(device).train()
        return p


def tune(task: TypingTask) -> dict[str, float]:
    """Set for each type the threshold that maximises its F1 on held-out mentions, of gold files if there are any.

    Contested names have no threshold, see :meth:`kgrel.model.type_classifier.Typing.accepts`.

    Returns:
        Precision, recall and F1 of the answers, all types together.
    """
    data = task.data
    part = data.gold if data.gold.held_out.any() else data.own
    p, labels = task.held_out_probabilities(part), part.labels[part.held_out]
    types = [part.types[row] if part.types else tuple(data.classes[1:]) for row in np.flatnonzero(part.held_out)]
    best, score = likeliest(types, p, data.classes)
    contested = part.contested[part.held_out] if part.types else np.zeros(len(best), np.bool_)
    tuned = (best >= 0) & ~contested
    # A type that the name does not have cannot be answered, so that leaving it out misses nothing.
    right = np.array([data.classes[label] in names for label, names in zip(labels, types, strict=True)])
    truth: Flags = (labels[:, None] == np.arange(1, len(data.classes))) & right[:, None]
    if tuned.any():
        task.typing.thresholds[:] = best_thresholds_per_class(best[tuned], score[tuned], truth[tuned])
    accepted = task.typing.accepts(best, score, p, contested)
    correct = int((truth[np.arange(len(best)), best] & accepted).sum())
    precision, recall = correct / max(1, int(accepted.sum())), correct / max(1, int(truth.sum()))
    f1 = 2 * precision * recall / (precision + recall) if correct else 0.0
    return {"asked": int((best >= 0).sum()), "precision": precision, "recall": recall, "f1": f1}


def train_typing(
    inputs: Sequence[Path],
    lexicons: Sequence[tuple[str, Path]],
    out: str | Path,
    settings: TypingSettings | None = None,
    *,
    gold: Sequence[Path] = (),
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Train a classifier of types by context and write it as a TYPING artifact.

    Examples come from ``inputs`` by themselves, see :mod:`kgrel.text.typing_examples`. An unfinished run in ``out`` is
    resumed if settings and inputs are the same.

    Args:
        inputs: documents as for ``build-corpus``; mentions that they bring are not used.
        lexicons: (type, file) of each lexicon.
        gold: files with mentions, of which the training learns as well; the thresholds are tuned on a part of them.

    Raises:
        KgrelError: ``out`` exists, or the documents hold no example of some type.
        NonFiniteError: training left the finite numbers.
    """
    started, out = time.monotonic(), Path(out)
    settings, progress = settings or TypingSettings(), progress or Silent()
    parents = input_hashes(inputs, lexicons)
    parents |= {f"gold-{number}": digest for number, digest in enumerate(input_hashes(gold, ()).values(), start=1)}
    run = Run(out, {"settings": to_json(settings), "parents": parents}, overwrite)
    with run.or_nothing():
        tagging, bad = BuildCorpusSettings(), BadLines()
        terms = [term for kind, path in lexicons for term in read_lexicon(kind, path, tagging, bad)]
        tagger = DocumentTagger(build_lexicon(terms, tagging), tagging)
        data = collect(inputs, gold, tagger, settings, bad, progress)
        if gold and not data.gold.held_out.any():
            files = ", ".join(map(str, gold))
            raise InputError(files, "too few documents to hold some out; give more, or no gold file")
        task = TypingTask(data, settings)
    shared = {f.name for f in fields(LoopSettings)} & {f.name for f in fields(TypingSettings)}
    state = train(task, LoopSettings(**{n: getattr(settings, n) for n in shared}), run, progress, "train-typing")
    summary: dict[str, Any] = {"steps": state.step, "words": len(data.words), "bad_lines": bad.count}
    for name, part in (("examples", data.own), ("gold_examples", data.gold)):
        counts = np.bincount(part.labels, minlength=len(data.classes)).tolist()
        summary[name] = dict(zip(data.classes, counts, strict=True))
    summary |= {key: value for key, value in task.validate(state.step).items() if key != "stop"}
    summary["tuned"] = tune(task)
    summary["thresholds"] = dict(zip(data.classes[1:], task.typing.thresholds.tolist(), strict=True))
    task.module.cpu().eval()
    task.typing.write(out)
    manifest = Manifest(Kind.TYPING, to_json(settings), settings.seed, parents, summary)
    artifact = finish_artifact(out, manifest, time.monotonic() - started)
    run.close()
    return artifact
