"""Pretraining: learn p(z|x,y) from the contexts of a corpus."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.artifact import Artifact, Kind, Manifest, finish_artifact, open_artifact
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.model.presets import SIZES
from kgrel.model.representation import Representation
from kgrel.model.softmax import LOGITS_BUDGET
from kgrel.text.corpus import Corpus
from kgrel.train.devices import make_fabric, resolve_precision
from kgrel.train.loop import LoopSettings, train
from kgrel.train.pretrain_task import LSTM_POOL, PretrainTask, Probe
from kgrel.train.run import Run
from kgrel.train.settings import PretrainSettings
from kgrel.train.start_model import start_model

LIBRARIES_MB = 480
"""What torch and the other libraries take once they have taken a step."""


def pretrain(
    corpus: Corpus,
    out: str | Path,
    settings: PretrainSettings,
    *,
    init_from: Representation | None = None,
    probe: Probe | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    listeners: Sequence[Callable[[int, dict[str, float]], None]] = (),
) -> Artifact:
    """Train a representation on a corpus and write it as a REPR artifact.

    An unfinished run in ``out`` is resumed if settings and inputs are the same. Started by torchrun, the processes
    train together, and the first one writes.

    Args:
        probe: gives figures on the representation at intervals, see :class:`kgrel.train.probe.PairProbe`.
        listeners: called with step and figures of each line of the log.

    Raises:
        KgrelError: ``out`` exists, or the corpus leaves nothing to train on.
        NonFiniteError: training left the finite numbers.
    """
    started, out, progress = time.monotonic(), Path(out), progress or Silent()
    parents = {"corpus": corpus.artifact.hash}
    if init_from is not None and init_from.artifact is not None:
        parents["init_from"] = init_from.artifact.hash
    settings = dataclasses.replace(settings, precision=resolve_precision(settings.precision, settings.device))
    fabric = make_fabric(settings.device, settings.precision, together=True)
    representation, maps = start_model(corpus, settings, init_from)
    task = PretrainTask(representation, corpus.contexts, maps, settings, probe)
    if not len(task.batches.rows):
        raise KgrelError(f"{corpus.artifact.path}: no context is left to train on")
    identity = {"settings": to_json(settings), "parents": parents}
    with fabric.rank_zero_first():
        writes = fabric.is_global_zero
        run = Run(out, identity, overwrite and writes, writes, listeners)
    progress.say(f"pretrain: {settings.precision}, about {memory_mb(representation, corpus, settings):,} MB of memory")
    shared = {f.name for f in fields(LoopSettings)} & {f.name for f in fields(PretrainSettings)}
    loop = LoopSettings(**{name: getattr(settings, name) for name in shared})
    state = train(task, loop, run, progress, "pretrain", fabric)
    if writes:
        representation.write(out)
        summary = {"steps": state.step, **sizes_of(representation, corpus), **state.figures}
        manifest = Manifest(Kind.REPRESENTATION, to_json(settings), settings.seed, parents, summary)
        finish_artifact(out, manifest, time.monotonic() - started)
        run.close()
    fabric.barrier()
    return open_artifact(out, Kind.REPRESENTATION, verify=False)


def sizes_of(representation: Representation, corpus: Corpus) -> dict[str, int]:
    """Numbers of contexts, words and entities."""
    words, entities = len(representation.words), len(representation.entities)
    return {"contexts": len(corpus.contexts), "words": words, "entities": entities}


def plan(corpus: Corpus, settings: PretrainSettings) -> dict[str, Any]:
    """What a run would do (``--dry-run``): parameters, batches, and an estimate of the peak memory in MB."""
    settings = dataclasses.replace(settings, precision=resolve_precision(settings.precision, settings.device))
    representation, maps = start_model(corpus, settings, None)
    model = PretrainTask(representation, corpus.contexts, maps, settings).module
    tables = model.entity_embedding.weight.numel() + model.word_embedding.weight.numel()
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {
        "parameters": parameters,
        "parameters_without_embeddings": parameters - tables,
        **sizes_of(representation, corpus),
        "mean_length_tokens": round(float(corpus.contexts.lengths.mean()), 1),
        "steps": settings.steps,
        "epochs": round(settings.steps * settings.batch_size / max(1, len(corpus.contexts)), 2),
        "precision": settings.precision,
        "memory_mb": memory_mb(representation, corpus, settings),
    }


def memory_mb(representation: Representation, corpus: Corpus, settings: PretrainSettings) -> int:
    """Estimate of the peak memory of a training, in MB.

    Weights, gradients (of a sparse table: of a batch's rows) and two moments; the gradient of the word table once more
    where the softmax makes it; the chunk of logits; what the backward pass keeps of each token of the longest batch;
    the libraries.
    """
    model, d = representation.model, SIZES[settings.size]
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    fixed = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    entities = model.entity_embedding.weight.numel() if model.entity_embedding.sparse else 0
    table = model.word_embedding.weight.numel()
    tokens = settings.batch_size * settings.samples * longest_batch(corpus.contexts.lengths, settings)
    numbers: float = fixed + 4 * trained - entities + 2 * table
    if settings.decoder_weight:
        numbers += tokens * (6 * d.embedding + 20 * d.hidden)
        numbers += 3 * tokens * settings.softmax_samples * (settings.softmax == "sampled")
    if settings.posterior == "recogniser":
        numbers += tokens * (4 * d.embedding + 24 * d.hidden)
    return round((4 * numbers + LOGITS_BUDGET) / 2**20) + LIBRARIES_MB


def longest_batch(lengths: npt.NDArray[np.int32], settings: PretrainSettings) -> float:
    """Tokens of a context in the longest batch: where an LSTM reads, contexts of similar length form a batch."""
    share = 1 / LSTM_POOL if settings.decoder_weight or settings.posterior == "recogniser" else 1.0
    longest = np.sort(lengths)[-max(1, round(share * len(lengths))) :]
    return float(longest.mean())
