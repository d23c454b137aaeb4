"""The task of pretraining: the loss of a step, and what is reported on held-out contexts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from kgrel.data.errors import NonFiniteError
from kgrel.model.relvm import PAD, Terms
from kgrel.model.representation import Representation
from kgrel.model.softmax import ProposalDraw, draw_proposal
from kgrel.text.contexts import ContextStore
from kgrel.train.batches import LengthBuckets, Stream, rng_of, torch_generator
from kgrel.train.devices import processes, rank
from kgrel.train.heap import TRIM_EVERY, trim_heap
from kgrel.train.held_out import LATENT_CONTEXTS, Batch, bound, latent_use, normal_noise
from kgrel.train.settings import PretrainSettings
from kgrel.train.start_model import RowMaps

Rows = npt.NDArray[np.int64]
Probe = Callable[[Representation], dict[str, float]]
"""Figures on a representation, see :mod:`kgrel.train.probe`."""

LSTM_POOL = 50
"""Batches whose contexts are sorted by length together, where an LSTM reads them."""
VALIDATION_CONTEXTS = 4_000
"""Most held-out contexts that one validation reads."""
FREQUENCY_CONTEXTS = 100_000
"""Contexts whose words are counted for the proposal of the sampled softmax."""
SPARSE_FROM = 100_000
"""Entities from which on ``entity_gradients`` ``auto`` means sparse."""


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
        self.share = rank(), processes()
        self.parts = {
            "with_decoder": settings.decoder_weight > 0,
            "with_recogniser": settings.posterior == "recogniser",
        }
        weighted = settings.posterior == "weighted"
        self.weigh = (settings.decoder_weight, settings.bag_weight) if weighted else None
        prepare(representation, settings, self.parts)
        training, held_out = split_by_sentence(store.sentences, settings.validation_share, settings.seed)
        self.held_out = held_out[:VALIDATION_CONTEXTS]
        # Batches of one length save an LSTM its padding, but they are less varied, and z learns less from them.
        pool = LSTM_POOL if any(self.parts.values()) else 1
        self.batches = LengthBuckets(training, store.lengths[training], settings.batch_size, settings.seed, pool)
        self.frequencies = self.word_frequencies(training) if settings.softmax == "sampled" else None

    def word_frequencies(self, training: Rows) -> Tensor:
        """How often each word stands in a sample of the training contexts, at least once, PAD never: (V,)."""
        chosen = rng_of(self.settings.seed, Stream.NOISE).permutation(training)[:FREQUENCY_CONTEXTS]
        counts = np.ones(len(self.representation.words))
        for start in range(0, len(chosen), self.settings.batch_size):
            tokens = self.maps.words[self.store.gather(chosen[start : start + self.settings.batch_size])]
            counts += np.bincount(tokens.ravel(), minlength=len(counts))
        counts[PAD] = 0.0
        return torch.from_numpy(counts)

    def kl_weight(self, step: int) -> float:
        """Weight of the KL term; step counts from 1.

        Linear from 0 to 1 over ``kl_steps``; with ``kl_cycles`` equal parts of the training, linear from 0 to 1 over
        the first half of each (Fu et al. 2019).
        """
        s = self.settings
        if s.kl_cycles:
            length = s.steps / s.kl_cycles
            return min(1.0, 2.0 * ((step - 1) % length + 1.0) / length)
        return min(1.0, step / s.kl_steps) if s.kl_steps else 1.0

    def inputs(self, rows: Rows, device: torch.device) -> Batch:
        """Entity rows x, y (B,) and tokens (B, T) of contexts, in the model's rows."""
        x = torch.from_numpy(self.maps.entities[self.store.heads[rows]])
        y = torch.from_numpy(self.maps.entities[self.store.tails[rows]])
        tokens = torch.from_numpy(self.maps.words[self.store.gather(rows)])
        return x.to(device), y.to(device), tokens.to(device)

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`. Of several processes each takes its share of the batch.

        A share's loss is scaled so that the mean over processes is the loss of the batch; a process for which an
        uneven end leaves nothing takes a context with weight 0.
        """
        if step % TRIM_EVERY == 0:
            trim_heap()
        rows, s = self.batches.batch(step - 1), self.settings
        generator, (number, of) = torch_generator(s.seed, Stream.NOISE, step), self.share
        noise_u, noise_z = normal_noise(self.module, len(rows), s.samples, generator, torch.device("cpu"))
        if s.latent_in_use != "mixture":
            noise_u.zero_()
        keep = self.dropout(len(rows), int(self.store.lengths[rows].max()), generator)
        draw = self.draw(generator, device)
        mine = np.arange(number, len(rows), of)
        weight = of / len(rows) if len(mine) else 0.0
        mine = mine if len(mine) else np.arange(1)
        x, y, tokens = self.inputs(rows[mine], device)
        if keep is not None:
            keep = keep[mine, : tokens.shape[1]].to(device)
        noise = (noise[mine].to(device) for noise in (noise_u, noise_z))
        terms: Terms = forward(x, y, tokens, *noise, keep, draw=draw, weigh=self.weigh, **self.parts)
        paid = terms.kl
        counts = (tokens != PAD).sum(-1)
        if s.free_bits:
            paid = paid.clamp_min(s.free_bits * math.log(2.0) / counts)
        value = s.decoder_weight * terms.log_likelihood + s.bag_weight * terms.bag - self.kl_weight(step) * paid
        loss = -weight * value.sum()
        figures = {"loss": loss.item()}
        if self.parts["with_decoder"]:
            figures["elbo"] = weight * terms.elbo().sum().item()
        if self.parts["with_recogniser"]:
            figures["kl"] = weight * terms.kl.sum().item()
        return loss, figures | {"tokens": float(counts.sum()) if weight else 0.0}

    def dropout(self, count: int, width: int, generator: torch.Generator) -> Tensor | None:
        """A factor for each shifted word (B, T): 0 for those dropped; None where no decoder reads them."""
        rate = self.settings.token_dropout
        if not (rate and self.parts["with_decoder"]):
            return None
        return (torch.rand(count, width, generator=generator) >= rate) / (1.0 - rate)

    def draw(self, generator: torch.Generator, device: torch.device) -> ProposalDraw | None:
        """The words that estimate the softmax of a step, where it is sampled."""
        if self.frequencies is None:
            return None
        drawn = draw_proposal(self.frequencies, self.settings.softmax_samples, generator)
        return ProposalDraw(*(part.to(device) for part in drawn))

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
        """See :mod:`kgrel.train.held_out`."""
        device = next(self.module.parameters()).device
        generator = torch_generator(self.settings.seed, Stream.NOISE, 0)
        batches, samples = self.held_out_batches(device, len(self.held_out)), self.settings.samples
        figures = bound(self.module, batches, samples if self.weigh else 1, generator, self.parts, self.weigh)
        return figures | latent_use(self.module, self.held_out_batches(device, LATENT_CONTEXTS), generator, self.parts)

    def held_out_batches(self, device: torch.device, most: int) -> Iterator[Batch]:
        """Batches of held-out contexts of similar length."""
        rows = self.held_out[:most]
        order = rows[np.argsort(self.store.lengths[rows], kind="stable")]
        for start in range(0, len(order), self.settings.batch_size):
            yield self.inputs(order[start : start + self.settings.batch_size], device)


def prepare(representation: Representation, settings: PretrainSettings, parts: dict[str, bool]) -> None:
    """Freeze what the loss does not reach, and let a large entity table have sparse gradients."""
    model, choice = representation.model, settings.entity_gradients
    sparse = len(representation.entities) >= SPARSE_FROM if choice == "auto" else choice == "sparse"
    model.entity_embedding.sparse = sparse
    for name, part in (("with_decoder", model.decoder), ("with_recogniser", model.recogniser)):
        if not parts[name]:
            part.requires_grad_(False)


def split_by_sentence(sentences: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Rows of training and of held-out contexts; all contexts of a sentence fall on one side."""
    distinct = np.unique(sentences)
    shuffled = rng_of(seed, Stream.HOLD_OUT).permutation(distinct)
    held = np.isin(sentences, shuffled[: round(share * len(distinct))])
    return np.flatnonzero(~held), np.flatnonzero(held)
