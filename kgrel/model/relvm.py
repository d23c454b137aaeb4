"""RELVM: a latent variable model of the sentences that mention an entity pair.

    log p(c|x,y) = log ∫ p(u) p(z|x,y,u) p(c|z) du dz                                   (paper, eq. 3)
    ELBO         = E_{q(u|x,y,c) p(z|x,y,u)} [ log p(c|z) ] − KL[ q(u|x,y,c) ‖ p(u) ]    (eq. 6, 21)

x, y    the first and second entity of the context c, as rows of the entity table
c       the tokens of a sentence whose two mentions are ``<ENT>``, closed by ``<END>``, padded with 0
u ~ N(0, I), so that p(z|x,y) = ∫ p(u) p(z|x,y,u) du is an infinite mixture of Gaussians

Shapes: B contexts or pairs, S samples, T tokens, V words; widths E (embeddings), U (u), Z (z), H (hidden).
Randomness is never drawn here: noise comes in as arguments, so that every result is a function of its inputs.

Source: H. Shah and J. Fauqueur, "Learning Informative Representations of Biomedical Relations with Latent
Variable Models", SustaiNLP 2020 (arXiv 2011.10285).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.model.presets import Dimensions

PAD = 0
NORM_EPSILON = 1e-6
LOG_VAR_START = -2.0
"""Bias at which the log-variance heads start: z's noise begins below the signal that (x, y, u) can bring."""


class Gaussian(NamedTuple):
    """A diagonal Gaussian, parametrised by its log-variance: exp and log of a variance overflow near |90|."""

    mean: Tensor
    log_var: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Reparametrised sample: mean + exp(½ log_var) ⊙ noise."""
        return self.mean + torch.exp(0.5 * self.log_var) * noise

    def kl_to_standard(self) -> Tensor:
        """KL[ N(mean, var) ‖ N(0, I) ], summed over the last dimension."""
        return 0.5 * (self.mean.square() + self.log_var.exp() - 1.0 - self.log_var).sum(-1)


class Terms(NamedTuple):
    """What the loss is made of. Each is (B,): one value a context, divided by its number of tokens."""

    log_likelihood: Tensor
    """(1/T) Σ_t log p(c_t | c_<t, z), mean over samples; zero where the LSTM decoder was left out."""
    kl: Tensor
    """(1/T) KL[ q(u|x,y,c) ‖ p(u) ]."""
    bag: Tensor
    """(1/T) Σ_t w(c_t) log p_bag(c_t | z), mean over samples; zero without a bag-of-words decoder."""

    def elbo(self, kl_weight: float = 1.0) -> Tensor:
        """The evidence lower bound per token of each context, (B,)."""
        return self.log_likelihood - kl_weight * self.kl


def pair_features(x: Tensor, y: Tensor) -> Tensor:
    """[x̂, ŷ, x̂⊙ŷ] of embeddings x, y (B, E) → (B, 3E), where x̂ = x / ‖x‖₂."""
    x = x / x.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)
    y = y / y.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)
    return torch.cat([x, y, x * y], dim=-1)


def one_bias_lstm(input_size: int, hidden_size: int) -> nn.LSTM:
    """torch's LSTM with the paper's single bias vector: torch's second one is fixed at zero."""
    lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
    nn.init.zeros_(lstm.get_parameter("bias_ih_l0"))
    nn.init.zeros_(lstm.get_parameter("bias_hh_l0")).requires_grad_(False)
    return lstm


def reverse_padded(words: Tensor, counts: Tensor) -> Tensor:
    """Reverse each sequence (B, T, E) within its own length (B,); the padding stays at the end."""
    positions = torch.arange(words.shape[1], device=words.device)
    source = torch.where(positions < counts.unsqueeze(1), counts.unsqueeze(1) - 1 - positions, positions)
    return words.gather(1, source.unsqueeze(-1).expand_as(words))


def last_state(lstm: nn.LSTM, words: Tensor, counts: Tensor) -> Tensor:
    """State of the LSTM after the last real word: (B, T, E) → (B, H).

    Padding stands at the end, where it cannot reach earlier states; running over it is exact,
    and needs no packed sequences.
    """
    states: Tensor = lstm(words)[0]
    return states[torch.arange(len(words), device=words.device), counts - 1]


def linear_with(linear: nn.Linear, wide: Tensor, narrow: Tensor) -> Tensor:
    """``linear([wide, narrow])`` without the concatenation, so that parts that are constant along an axis broadcast."""
    split = wide.shape[-1]
    return F.linear(wide, linear.weight[:, :split], linear.bias) + F.linear(narrow, linear.weight[:, split:])


class Recogniser(nn.Module):
    """q(u|x,y,c): a BiLSTM reads the context, two layers join it with the pair."""

    def __init__(self, d: Dimensions) -> None:
        super().__init__()
        self.forward_lstm = one_bias_lstm(d.embedding, d.hidden)
        self.backward_lstm = one_bias_lstm(d.embedding, d.hidden)
        self.hidden1 = nn.Linear(3 * d.embedding + 2 * d.hidden, d.hidden)
        self.hidden2 = nn.Linear(d.hidden, d.hidden)
        self.mean = nn.Linear(d.hidden, d.u)
        self.log_var = nn.Linear(d.hidden, d.u)

    def forward(self, pair: Tensor, words: Tensor, counts: Tensor) -> Gaussian:
        """Pair features (B, 3E), word embeddings (B, T, E), real words of each (B,) → q(u) of width U."""
        forward = last_state(self.forward_lstm, words, counts)
        backward = last_state(self.backward_lstm, reverse_padded(words, counts), counts)
        h = F.relu(self.hidden1(torch.cat([pair, forward, backward], dim=-1)))
        h = F.relu(self.hidden2(h))
        return Gaussian(self.mean(h), self.log_var(h))


class Prior(nn.Module):
    """p(z|x,y,u): feed-forward, with u joined again before every layer."""

    def __init__(self, d: Dimensions) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(3 * d.embedding + d.u, d.hidden)
        self.hidden2 = nn.Linear(d.hidden + d.u, d.hidden)
        self.mean = nn.Linear(d.hidden + d.u, d.z)
        self.log_var = nn.Linear(d.hidden + d.u, d.z)

    def forward(self, pair: Tensor, u: Tensor) -> Gaussian:
        """Pair features (B, 3E) and u (B, S, U), or (1, S, U) shared by all pairs → Gaussian over z, (B, S, Z)."""
        h = F.relu(linear_with(self.hidden1, pair.unsqueeze(1), u))  # (B, S, H)
        h = F.relu(linear_with(self.hidden2, h, u))
        return Gaussian(linear_with(self.mean, h, u), linear_with(self.log_var, h, u))


class Decoder(nn.Module):
    """p(c|z): an LSTM language model that sees z at its input and at its output (eq. 4, 5)."""

    def __init__(self, d: Dimensions) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(d.z, d.hidden)
        self.hidden2 = nn.Linear(d.hidden, d.hidden)
        self.lstm = one_bias_lstm(d.hidden + d.embedding, d.hidden)
        self.output = nn.Linear(d.hidden + d.z, d.embedding)

    def forward(self, z: Tensor, previous: Tensor) -> Tensor:
        """z (N, Z), embeddings of the previous words (N, T, E) → output vectors (N, T, E), to meet the word table."""
        steps = previous.shape[1]
        h = F.relu(self.hidden2(F.relu(self.hidden1(z))))
        inputs = torch.cat([h.unsqueeze(1).expand(-1, steps, -1), previous], dim=-1)
        states, _ = self.lstm(inputs)
        return linear_with(self.output, states, z.unsqueeze(1))


class BagDecoder(nn.Module):
    """p_bag(w|z) ∝ exp(Linear(z)·e(w) + b_w): word order forgotten; teaches z what the pair is about.

    An auxiliary term beside the paper's decoder (weight 0 = the paper), found to inform z long before the LSTM
    does. The bias carries the words' frequencies, so that z need only tell what is special to the pair.
    """

    def __init__(self, d: Dimensions, words: int) -> None:
        super().__init__()
        self.output = nn.Linear(d.z, d.embedding)
        self.bias = nn.Parameter(torch.zeros(words - 1))

    def forward(self, z: Tensor, table: Tensor) -> Tensor:
        """z (N, Z), word table (V, E) → log-probabilities of all words but PAD (N, V − 1)."""
        return F.log_softmax(F.linear(self.output(z), table[1:], self.bias), dim=-1)


class PairPrior(nn.Module):
    """Entity embeddings and prior: all of the model that scoring a pair needs."""

    def __init__(self, dimensions: Dimensions, entities: int) -> None:
        super().__init__()
        self.dimensions = dimensions
        self.entity_embedding = nn.Embedding(entities, dimensions.embedding)
        self.prior = Prior(dimensions)

    def pair_features(self, x: Tensor, y: Tensor) -> Tensor:
        """Entity rows x, y (B,) → [x̂, ŷ, x̂⊙ŷ] (B, 3E)."""
        return pair_features(self.entity_embedding(x), self.entity_embedding(y))

    def sample_pairs(self, x: Tensor, y: Tensor, noise_u: Tensor, noise_z: Tensor) -> Tensor:
        """z ~ p(z|x,y) (eq. 19): rows (B,), noise (1 or B, S, U) and (1 or B, S, Z) → (B, S, Z)."""
        p: Gaussian = self.prior(self.pair_features(x, y), noise_u)
        return p.sample(noise_z)


class RELVM(PairPrior):
    """The whole generative model with its inference network.

    Args:
        dimensions: widths, see :mod:`kgrel.model.presets`.
        entities: rows of the entity table (identifiers, or types for mention-level work).
        words: rows of the word table, PAD (row 0) included.
        bag_of_words: add the auxiliary bag-of-words decoder.
        pad_in_softmax: let PAD take softmax mass, as the reference fixture does. By default it takes none;
            the length of a sentence is modelled by its ``<END>`` token.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        entities: int,
        words: int,
        bag_of_words: bool = False,
        pad_in_softmax: bool = False,
    ) -> None:
        super().__init__(dimensions, entities)
        self.word_embedding = nn.Embedding(words, dimensions.embedding)
        self.recogniser = Recogniser(dimensions)
        self.decoder = Decoder(dimensions)
        self.bag_decoder = BagDecoder(dimensions, words) if bag_of_words else None
        self.pad_in_softmax = pad_in_softmax
        weights = torch.ones(words).index_fill(0, torch.tensor([PAD]), 0.0)
        self.register_buffer("bag_weights", weights, persistent=False)
        self.initialise()

    @torch.no_grad()
    def initialise(self) -> None:
        """N(0, 0.1²) embeddings; first layers whose input blocks bring equal variance; calm heads."""
        d = self.dimensions
        nn.init.normal_(self.entity_embedding.weight, std=0.1)
        nn.init.normal_(self.word_embedding.weight, std=0.1)
        # x̂ and ŷ have norm 1, x̂⊙ŷ about 1/√E and u about √U: without balance u drowns the pair.
        norms = [1.0, 1.0, 1.0 / math.sqrt(d.embedding)]
        balance_blocks(self.prior.hidden1, [d.embedding] * 3 + [d.u], [*norms, math.sqrt(d.u)])
        balance_blocks(self.recogniser.hidden1, [d.embedding] * 3 + [2 * d.hidden], [*norms, 1.0])
        for head in (self.prior, self.recogniser):
            nn.init.normal_(head.log_var.weight, std=0.01)
            nn.init.constant_(head.log_var.bias, 0.0 if head is self.recogniser else LOG_VAR_START)

    def recognise(self, x: Tensor, y: Tensor, tokens: Tensor) -> Gaussian:
        """q(u|x,y,c) of width U for contexts (B, T)."""
        counts = (tokens != PAD).sum(-1)
        q: Gaussian = self.recogniser(self.pair_features(x, y), self.word_embedding(tokens), counts)
        return q

    def sample_contexts(self, x: Tensor, y: Tensor, tokens: Tensor, noise_u: Tensor, noise_z: Tensor) -> Tensor:
        """z ~ ∫ q(u|x,y,c) p(z|x,y,u) du (eq. 13): contexts (B, T), noise (B, S, ·) → (B, S, Z)."""
        q = self.recognise(x, y, tokens)
        u = Gaussian(q.mean.unsqueeze(1), q.log_var.unsqueeze(1)).sample(noise_u)
        p: Gaussian = self.prior(self.pair_features(x, y), u)
        return p.sample(noise_z)

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        tokens: Tensor,
        noise_u: Tensor,
        noise_z: Tensor,
        keep: Tensor | None = None,
        with_decoder: bool = True,
        with_recogniser: bool = True,
    ) -> Terms:
        """The terms of the ELBO for a batch of contexts.

        Args:
            x, y: entity rows (B,).
            tokens: word rows (B, T), padded with 0.
            noise_u, noise_z: standard normal noise (B, S, U) and (B, S, Z).
            keep: token dropout, a factor for each shifted word embedding (B, T); None = no dropout.
            with_decoder: compute the LSTM decoder's likelihood.
            with_recogniser: draw u from q(u|x,y,c); otherwise from p(u), which is the bound for q = p(u): its KL is
                zero, and no LSTM has to read the context.
        """
        mask = tokens != PAD
        counts = mask.sum(-1)
        pair, words = self.pair_features(x, y), self.word_embedding(tokens)
        u, kl = noise_u, torch.zeros_like(counts, dtype=noise_u.dtype)
        if with_recogniser:
            q = self.recogniser(pair, words, counts)
            u, kl = Gaussian(q.mean.unsqueeze(1), q.log_var.unsqueeze(1)).sample(noise_u), q.kl_to_standard()
        z = self.prior(pair, u).sample(noise_z)  # (B, S, Z)
        nothing = torch.zeros_like(counts, dtype=z.dtype)
        decoded = self.log_likelihood(z, tokens, mask, words, keep) if with_decoder else nothing
        bag = nothing if self.bag_decoder is None else self.bag_log_likelihood(z, tokens)
        return Terms(decoded / counts, kl / counts, bag / counts)

    def log_likelihood(self, z: Tensor, tokens: Tensor, mask: Tensor, words: Tensor, keep: Tensor | None) -> Tensor:
        """Σ_t log p(c_t | c_<t, z), mean over samples: (B,). Only real tokens enter the softmax."""
        batch, samples, _ = z.shape
        previous = F.pad(words, (0, 0, 1, -1))  # shifted right, the first vector zero
        if keep is not None:
            previous = previous * keep.unsqueeze(-1)

        def repeat(t: Tensor) -> Tensor:
            """(B, ...) → (B·S, ...)"""
            return t if samples == 1 else t.repeat_interleave(samples, dim=0)

        mask, targets = repeat(mask), repeat(tokens)
        outputs = self.decoder(z.flatten(0, 1), repeat(previous))
        first = 0 if self.pad_in_softmax else 1
        logits = F.linear(outputs[mask], self.word_embedding.weight[first:])  # (real tokens, V or V − 1)
        log_p = torch.zeros(mask.shape, device=logits.device)
        log_p[mask] = -F.cross_entropy(logits.float(), targets[mask] - first, reduction="none")
        return log_p.sum(-1).view(batch, samples).mean(1)

    def bag_log_likelihood(self, z: Tensor, tokens: Tensor) -> Tensor:
        """Σ_t w(c_t) log p_bag(c_t|z), mean over samples: (B,). ``bag_weights`` (V,) must be zero for PAD."""
        assert self.bag_decoder is not None
        batch, samples, _ = z.shape
        log_p: Tensor = self.bag_decoder(z.flatten(0, 1), self.word_embedding.weight)
        weights: Tensor = self.bag_weights[tokens]  # type: ignore[index]
        columns = (tokens - 1).clamp_min(0).unsqueeze(1).expand(-1, samples, -1)
        of_words = log_p.view(batch, samples, -1).gather(2, columns)  # (B, S, T)
        return (of_words * weights.unsqueeze(1)).sum(-1).mean(1)


@torch.no_grad()
def balance_blocks(linear: nn.Linear, widths: list[int], norms: list[float]) -> None:
    """Initialise a layer so that each block of its input adds the same variance to a pre-activation.

    A block of Euclidean norm r with weights N(0, s²) adds r²s²; the blocks together bring He's variance 2.
    """
    start = 0
    for width, norm in zip(widths, norms, strict=True):
        nn.init.normal_(linear.weight[:, start : start + width], std=math.sqrt(2.0 / len(widths)) / norm)
        start += width
    nn.init.zeros_(linear.bias)
