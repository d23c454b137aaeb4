"""Pretraining: learn p(z|x,y) from the contexts of a corpus."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from kgrel.data.artifact import Artifact, Kind, Manifest, finish_artifact
from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM, Terms
from kgrel.model.representation import Representation
from kgrel.text.contexts import ContextStore
from kgrel.text.corpus import Corpus
from kgrel.text.tokens import SPECIAL_TOKENS
from kgrel.train.batches import LengthBuckets, Stream, rng_of, torch_generator, torch_seed
from kgrel.train.loop import LoopSettings, Run, train
from kgrel.train.settings import PretrainSettings

Rows = npt.NDArray[np.int64]
Probe = Callable[[Representation], dict[str, float]]
"""Figures on a representation, see :mod:`kgrel.train.probe`."""

LSTM_POOL = 50
"""Batches whose contexts are sorted by length together, where an LSTM reads them."""
VALIDATION_CONTEXTS = 10_000
"""Most held-out contexts that one validation reads."""


@dataclass(frozen=True)
class RowMaps:
    """From rows of the corpus to rows of the model, which differ where a model goes on with a newer corpus."""

    entities: Rows
    words: Rows


class PretrainTask:
    """−mean of  decoder_weight · log p(c|z) − kl_weight · KL + bag_weight · log p_bag(c|z),  each per token."""

    def __init__(
        self,
        representation: Representation,
        store: ContextStore,
        maps: RowMaps,
        settings: PretrainSettings,
        probe: Probe | None = None,
    ) -> None:
        self.representation, self.module = representation, representation.model
        self.store, self.maps, self.settings, self.probe = store, maps, settings, probe
        self.parts = {
            "with_decoder": settings.decoder_weight > 0,
            "with_recogniser": settings.posterior == "recogniser",
        }
        training, held_out = split_by_sentence(store.sentences, settings.validation_share, settings.seed)
        self.held_out = held_out[:VALIDATION_CONTEXTS]
        # Batches of one length save an LSTM its padding, but they are less varied, and z learns less from them.
        pool = LSTM_POOL if any(self.parts.values()) else 1
        self.batches = LengthBuckets(training, store.lengths[training], settings.batch_size, settings.seed, pool)

    def kl_weight(self, step: int) -> float:
        """Linear from 0 to 1 over ``kl_steps``; step counts from 1."""
        return min(1.0, step / self.settings.kl_steps) if self.settings.kl_steps else 1.0

    def inputs(self, rows: Rows, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Entity rows x, y (B,) and tokens (B, T) of contexts, in the model's rows."""
        x = torch.from_numpy(self.maps.entities[self.store.heads[rows]])
        y = torch.from_numpy(self.maps.entities[self.store.tails[rows]])
        tokens = torch.from_numpy(self.maps.words[self.store.gather(rows)])
        return x.to(device), y.to(device), tokens.to(device)

    def noise(self, count: int, generator: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
        """Standard normal noise (B, S, U) and (B, S, Z)."""
        d, samples = self.module.dimensions, self.settings.samples
        u = torch.randn(count, samples, d.u, generator=generator)
        z = torch.randn(count, samples, d.z, generator=generator)
        return u.to(device), z.to(device)

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`."""
        rows, s = self.batches.batch(step - 1), self.settings
        x, y, tokens = self.inputs(rows, device)
        generator = torch_generator(s.seed, Stream.NOISE, step)
        noise_u, noise_z = self.noise(len(rows), generator, device)
        keep = None
        if s.token_dropout and s.decoder_weight:
            kept = torch.rand(tokens.shape, generator=generator) >= s.token_dropout
            keep = (kept / (1.0 - s.token_dropout)).to(device)
        terms: Terms = forward(x, y, tokens, noise_u, noise_z, keep, **self.parts)
        loss = -(s.decoder_weight * terms.log_likelihood + s.bag_weight * terms.bag).mean()
        loss = loss + self.kl_weight(step) * terms.kl.mean()
        return loss, {"loss": loss.item(), "kl": terms.kl.mean().item()}

    def validate(self, step: int) -> dict[str, float]:
        """See :class:`kgrel.train.loop.Task`: held-out figures, and the probe where it is due."""
        self.module.eval()
        figures = {f"validation_{name}": value for name, value in self.held_out_figures().items()}
        if not all(np.isfinite(value) for value in figures.values()):
            raise NonFiniteError(f"step {step}: validation gave {figures}; try a smaller learning rate")
        due = self.settings.probe_every and step % self.settings.probe_every == 0
        if self.probe is not None and (due or step == self.settings.steps):
            figures |= {f"probe_{name}": value for name, value in self.probe(self.representation).items()}
        self.module.train()
        return figures

    @torch.no_grad()
    def held_out_figures(self) -> dict[str, float]:
        """Means over held-out contexts, per token: ``elbo`` (with the LSTM decoder), ``kl``, ``bag``."""
        s, device = self.settings, next(self.module.parameters()).device
        generator = torch_generator(s.seed, Stream.NOISE, 0)
        sums = dict.fromkeys(Terms._fields, 0.0)
        order = self.held_out[np.argsort(self.store.lengths[self.held_out], kind="stable")]
        for start in range(0, len(order), s.batch_size):
            rows = order[start : start + s.batch_size]
            noise_u, noise_z = self.noise(len(rows), generator, device)
            terms = self.module(*self.inputs(rows, device), noise_u, noise_z, **self.parts)
            for name, values in zip(Terms._fields, terms, strict=True):
                sums[name] += values.sum().item()
        if not len(order):
            return {}
        figures = {name: total / len(order) for name, total in sums.items()}
        if self.parts["with_decoder"]:
            return figures | {"elbo": figures["log_likelihood"] - figures["kl"]}
        return {name: figures[name] for name in ("kl", "bag")}


def split_by_sentence(sentences: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Rows of training and of held-out contexts; all contexts of a sentence fall on one side."""
    distinct = np.unique(sentences)
    shuffled = rng_of(seed, Stream.HOLD_OUT).permutation(distinct)
    held = np.isin(sentences, shuffled[: round(share * len(distinct))])
    return np.flatnonzero(~held), np.flatnonzero(held)


def bag_weights(counts: npt.NDArray[np.int64], smoothing: float, special: int) -> Tensor:
    """a / (a + frequency) for each word (Arora et al. 2017), 0 for the special tokens: (V,)."""
    frequencies = counts / max(1, counts.sum())
    weights = smoothing / (smoothing + frequencies)
    weights[:special] = 0.0
    return torch.from_numpy(weights.astype(np.float32))


def type_table(entities: EntityTable) -> tuple[EntityTable, Rows]:
    """The types as entities, and each entity's row in it."""
    types = sorted(set(entities.types))
    table = EntityTable(types, types, types, [[] for _ in types])
    return table, np.array([types.index(t) for t in entities.types], dtype=np.int64)


def appended(known: list[Any], new: list[Any]) -> tuple[list[Any], Rows]:
    """``known`` followed by what ``new`` adds, and the row of each of ``new`` in it."""
    rows = {value: row for row, value in enumerate(known)}
    for value in new:
        rows.setdefault(value, len(rows))
    return list(rows), np.array([rows[value] for value in new], dtype=np.int64)


def start_model(
    corpus: Corpus, settings: PretrainSettings, init_from: Representation | None
) -> tuple[Representation, RowMaps]:
    """A fresh model, or a pretrained one widened by the corpus' new words and entities."""
    entities, entity_rows = corpus.entities, np.arange(len(corpus.entities))
    by_type = settings.entities == "type"
    if by_type:
        entities, entity_rows = type_table(corpus.entities)
    words, word_rows = corpus.words, np.arange(len(corpus.words))
    if init_from is not None:
        if init_from.by_type != by_type or init_from.model.dimensions != SIZES[settings.size]:
            raise KgrelError("--init-from: the representation has another --size or other --entities than asked for")
        known = list(zip(init_from.entities.types, init_from.entities.ids, strict=True))
        keys, rows = appended(known, list(zip(entities.types, entities.ids, strict=True)))
        entity_rows = rows[entity_rows]
        entities = merged_entities(init_from.entities, entities, keys)
        words, word_rows = appended(init_from.words, corpus.words)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(settings.seed, Stream.INITIALISATION))
        model = RELVM(SIZES[settings.size], len(entities), len(words), bag_of_words=settings.bag_weight > 0)
    if init_from is not None:
        copy_rows(init_from.model, model)
    counts = np.zeros(len(words), dtype=np.int64)
    counts[word_rows] = corpus.word_counts
    model.bag_weights.copy_(bag_weights(counts, settings.bag_smoothing, len(SPECIAL_TOKENS)))  # type: ignore[operator]
    return Representation(model, entities, words, by_type), RowMaps(entity_rows, word_rows)


def merged_entities(old: EntityTable, new: EntityTable, keys: list[tuple[str, str]]) -> EntityTable:
    """The entities of ``keys``, with the newer table's names where both have one."""
    details = {
        (t, i): (name, others)
        for table in (old, new)
        for t, i, name, others in zip(table.types, table.ids, table.names, table.alternatives, strict=True)
    }
    names, alternatives = zip(*(details[key] for key in keys), strict=True)
    return EntityTable([t for t, _ in keys], [i for _, i in keys], list(names), list(alternatives))


@torch.no_grad()
def copy_rows(source: RELVM, target: RELVM) -> None:
    """Copy every parameter that both models have; tables may be longer in ``target``, old rows come first."""
    given = dict(source.named_parameters())
    for name, parameter in target.named_parameters():
        if name in given:
            parameter[: given[name].shape[0]] = given[name]


def pretrain(
    corpus: Corpus,
    out: str | Path,
    settings: PretrainSettings,
    *,
    init_from: Representation | None = None,
    probe: Probe | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Train a representation on a corpus and write it as a REPR artifact.

    An unfinished run in ``out`` is resumed if settings and inputs are the same.

    Args:
        probe: gives figures on the representation at intervals, see :class:`kgrel.train.probe.PairProbe`.

    Raises:
        KgrelError: ``out`` exists, or the corpus leaves nothing to train on.
        NonFiniteError: training left the finite numbers.
    """
    started, out, progress = time.monotonic(), Path(out), progress or Silent()
    parents = {"corpus": corpus.artifact.hash}
    if init_from is not None and init_from.artifact is not None:
        parents["init_from"] = init_from.artifact.hash
    representation, maps = start_model(corpus, settings, init_from)
    task = PretrainTask(representation, corpus.contexts, maps, settings, probe)
    if not len(task.batches.rows):
        raise KgrelError(f"{corpus.artifact.path}: no context is left to train on")
    run = Run(out, {"settings": to_json(settings), "parents": parents}, overwrite)
    shared = {f.name for f in fields(LoopSettings)} & {f.name for f in fields(PretrainSettings)}
    state = train(task, LoopSettings(**{n: getattr(settings, n) for n in shared}), run, progress, "pretrain")
    representation.write(out)
    summary: dict[str, Any] = {
        "steps": state.step,
        "contexts": len(corpus.contexts),
        "words": len(representation.words),
    }
    summary |= {"entities": len(representation.entities), **state.figures}
    manifest = Manifest(Kind.REPRESENTATION, to_json(settings), settings.seed, parents, summary)
    artifact = finish_artifact(out, manifest, time.monotonic() - started)
    run.close()
    return artifact


def plan(corpus: Corpus, settings: PretrainSettings) -> dict[str, Any]:
    """What a run would do (``--dry-run``): parameters, batches, and an estimate of the peak memory in MB."""
    representation, _ = start_model(corpus, settings, None)
    model, d = representation.model, SIZES[settings.size]
    tables = model.entity_embedding.weight.numel() + model.word_embedding.weight.numel()
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    mean_length = float(corpus.contexts.lengths.mean())
    tokens = settings.batch_size * settings.samples * mean_length
    logits = tokens * len(corpus.words) * (settings.decoder_weight > 0)
    logits += settings.batch_size * settings.samples * len(corpus.words) * (settings.bag_weight > 0)
    states = tokens * (4 * d.embedding + 20 * d.hidden)
    return {
        "parameters": parameters,
        "parameters_without_embeddings": parameters - tables,
        "contexts": len(corpus.contexts),
        "entities": len(representation.entities),
        "words": len(representation.words),
        "mean_length_tokens": round(mean_length, 1),
        "steps": settings.steps,
        "epochs": round(settings.steps * settings.batch_size / max(1, len(corpus.contexts)), 2),
        # weights, gradients and two moments; logits with their gradient and softmax; LSTM states
        "memory_mb": round((4 * parameters + 3 * logits + states) * 4 / 2**20),
    }
