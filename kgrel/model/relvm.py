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

from kgrel.model.gaussian import Gaussian
from kgrel.model.hierarchy import LatentLayer
from kgrel.model.lstm import last_state, one_bias_lstm, reverse_padded
from kgrel.model.presets import Dimensions, Initialisation, Latent
from kgrel.model.softmax import ProposalDraw, sampled_normaliser, target_logits, weighted_normaliser

PAD = 0
NORM_EPSILON = 1e-6
LOG_VAR_START = -2.0
"""Bias at which the log-variance heads start: z's noise begins below the signal that (x, y, u) can bring."""
LOG_VAR_POINT = -30.0
"""log σ² of z where it is a point: a σ of 3e-7."""


class Terms(NamedTuple):
    """What the loss is made of. Each is (B,): one value a context, divided by its number of tokens."""

    log_likelihood: Tensor
    """(1/T) Σ_t log p(c_t | c_<t, z), mean over q(u); zero where the LSTM decoder was left out."""
    kl: Tensor
    """(1/T) KL[ q(u) ‖ p(u) ]."""
    bag: Tensor
    """(1/T) Σ_t w(c_t) log p_bag(c_t | z), mean over q(u); zero without a bag-of-words decoder."""

    def elbo(self, kl_weight: float = 1.0) -> Tensor:
        """The evidence lower bound per token of each context, (B,)."""
        return self.log_likelihood - kl_weight * self.kl


def pair_features(x: Tensor, y: Tensor) -> Tensor:
    """[x̂, ŷ, x̂⊙ŷ] of embeddings x, y (B, E) → (B, 3E), where x̂ = x / ‖x‖₂."""
    x = x / x.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)
    y = y / y.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)
    return torch.cat([x, y, x * y], dim=-1)


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
        return self.infer(pair, torch.cat([forward, backward], dim=-1))

    def infer(self, pair: Tensor, read: Tensor) -> Gaussian:
        """Pair features (B, 3E) and what the LSTMs read of the context (B, 2H) → q(u) of width U."""
        h = F.relu(self.hidden1(torch.cat([pair, read], dim=-1)))
        h = F.relu(self.hidden2(h))
        return Gaussian(self.mean(h), self.log_var(h))


class Prior(nn.Module):
    """p(u) and p(z|x,y,u): feed-forward, with u joined again before every layer."""

    def __init__(self, d: Dimensions) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(3 * d.embedding + d.u, d.hidden)
        self.hidden2 = nn.Linear(d.hidden + d.u, d.hidden)
        self.mean = nn.Linear(d.hidden + d.u, d.z)
        self.log_var = nn.Linear(d.hidden + d.u, d.z)
        self.latent_layer = LatentLayer(d) if d.latents == 2 else None

    def draw_u(self, noise: Tensor) -> Tensor:
        """u ~ p(u) from standard normal noise, (…, U) → (…, U)."""
        return noise if self.latent_layer is None else self.latent_layer.from_noise(noise)

    def kl_of_u(self, q: Gaussian, u: Tensor) -> Tensor:
        """KL[ q(u) ‖ p(u) ]: q (B, U), its samples u (B, S, U) → (B,)."""
        return q.kl_to_standard() if self.latent_layer is None else self.latent_layer.kl(q, u)

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

    def forward(self, z: Tensor, previous: Tensor, mask: Tensor) -> Tensor:
        """Output vectors of the M real tokens, in the order of ``mask``, to meet the word table: (M, E).

        Args:
            z: (N, Z).
            previous: embeddings of the previous words (N, T, E).
            mask: which tokens are real (N, T).
        """
        h = F.relu(self.hidden2(F.relu(self.hidden1(z))))
        inputs = torch.cat([h.unsqueeze(1).expand(-1, previous.shape[1], -1), previous], dim=-1)
        states, _ = self.lstm(inputs)
        of_z = F.linear(z, self.output.weight[:, states.shape[-1] :], self.output.bias)  # once a sequence
        return F.linear(states[mask], self.output.weight[:, : states.shape[-1]]) + of_z[mask.nonzero()[:, 0]]


class BagDecoder(nn.Module):
    """p_bag(w|z) ∝ exp(Linear(z)·e(w) + b_w): word order forgotten; teaches z what the pair is about.

    An auxiliary term beside the paper's decoder (weight 0 = the paper), found to inform z long before the LSTM
    does. The bias carries the words' frequencies, so that z need only tell what is special to the pair.
    """

    def __init__(self, d: Dimensions, words: int) -> None:
        super().__init__()
        self.output = nn.Linear(d.z, d.embedding)
        self.bias = nn.Parameter(torch.zeros(words - 1))

    def forward(self, z: Tensor, table: Tensor, tokens: Tensor, weights: Tensor) -> Tensor:
        """Σ_t w_t log p_bag(c_t|z) for each sample: (B, S).

        Args:
            z: (B, S, Z).
            table: words (V, E); the first is PAD, which takes no softmax mass.
            tokens: c (B, T).
            weights: w (B, T), zero for PAD.
        """
        batch, samples, _ = z.shape
        outputs = self.output(z)  # (B, S, E)
        # Σ_t w_t o_t is linear in the words: h · Σ_t w_t e(c_t) + Σ_t w_t b(c_t).
        wanted = F.embedding_bag(tokens, table, per_sample_weights=weights, mode="sum")  # (B, E)
        own = (outputs * wanted.unsqueeze(1)).sum(-1) + (weights * F.pad(self.bias, (1, 0))[tokens]).sum(-1, True)
        mass = weights.sum(-1, keepdim=True).expand(-1, samples)
        of_all = weighted_normaliser(outputs.flatten(0, 1), table[1:], mass.flatten(), self.bias)
        total: Tensor = own - of_all.view(batch, samples)
        return total


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
        p: Gaussian = self.prior(self.pair_features(x, y), self.prior.draw_u(noise_u))
        return p.sample(noise_z)


class ContextEncoder(PairPrior):
    """Prior, words and recogniser: all of the model that finding the relation z of a context needs."""

    def __init__(self, dimensions: Dimensions, entities: int, words: int) -> None:
        super().__init__(dimensions, entities)
        self.word_embedding = nn.Embedding(words, dimensions.embedding)
        self.recogniser = Recogniser(dimensions)

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


class RELVM(ContextEncoder):
    """The whole generative model with its inference network.

    Args:
        dimensions: widths, see :mod:`kgrel.model.presets`.
        entities: rows of the entity table (identifiers, or types for mention-level work).
        words: rows of the word table, PAD (row 0) included.
        bag_of_words: add the auxiliary bag-of-words decoder.
        pad_in_softmax: let PAD take softmax mass, as the reference fixture does. By default it takes none;
            the length of a sentence is modelled by its ``<END>`` token.
        initialisation: see :meth:`initialise`.
        latent: see :meth:`restrict`.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        entities: int,
        words: int,
        bag_of_words: bool = False,
        pad_in_softmax: bool = False,
        initialisation: Initialisation = "balanced",
        latent: Latent = "mixture",
    ) -> None:
        super().__init__(dimensions, entities, words)
        self.decoder = Decoder(dimensions)
        self.bag_decoder = BagDecoder(dimensions, words) if bag_of_words else None
        self.pad_in_softmax = pad_in_softmax
        weights = torch.ones(words).index_fill(0, torch.tensor([PAD]), 0.0)
        self.register_buffer("bag_weights", weights, persistent=False)
        self.initialise(initialisation)
        self.restrict(latent)

    @torch.no_grad()
    def initialise(self, kind: Initialisation) -> None:
        """N(0, 0.1²) embeddings, and torch's defaults (``plain``) for all other weights, or:

        ``balanced``: first layers whose input blocks bring equal variance; calm heads.
        ``unit``: mean heads N(0, 1), which make z's spread within a pair drown what (x, y) says; for comparison.
        """
        d = self.dimensions
        nn.init.normal_(self.entity_embedding.weight, std=0.1)
        nn.init.normal_(self.word_embedding.weight, std=0.1)
        if kind == "unit":
            nn.init.normal_(self.prior.mean.weight)
            nn.init.normal_(self.recogniser.mean.weight)
        if kind != "balanced":
            return
        # x̂ and ŷ have norm 1, x̂⊙ŷ about 1/√E and u about √U: without balance u drowns the pair.
        norms = [1.0, 1.0, 1.0 / math.sqrt(d.embedding)]
        balance_blocks(self.prior.hidden1, [d.embedding] * 3 + [d.u], [*norms, math.sqrt(d.u)])
        balance_blocks(self.recogniser.hidden1, [d.embedding] * 3 + [2 * d.hidden], [*norms, 1.0])
        for head in (self.prior, self.recogniser):
            nn.init.normal_(head.log_var.weight, std=0.01)
            nn.init.constant_(head.log_var.bias, 0.0 if head is self.recogniser else LOG_VAR_START)

    @torch.no_grad()
    def restrict(self, latent: Latent) -> None:
        """Take u out of the prior (``gaussian``: one Gaussian a pair), and z's noise too (``point``).

        Both are special cases of the same network: weights of u at zero, which stay there if u = 0 in training, and
        a variance fixed near zero.
        """
        if latent == "mixture":
            return
        for linear in (self.prior.hidden1, self.prior.hidden2, self.prior.mean, self.prior.log_var):
            linear.weight[:, -self.dimensions.u :] = 0.0
        if latent == "point":
            nn.init.zeros_(self.prior.log_var.weight)
            nn.init.constant_(self.prior.log_var.bias, LOG_VAR_POINT)
            self.prior.log_var.requires_grad_(False)

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
        draw: ProposalDraw | None = None,
        weigh: tuple[float, float] | None = None,
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
            draw: words from which the LSTM decoder's softmax is estimated; None = the exact softmax.
            weigh: let q(u) be the best distribution over the S samples of p(u), see :func:`weighted_terms`: what the
                LSTM decoder's and the bag's likelihood count. None = samples count alike.
        """
        mask = tokens != PAD
        counts = mask.sum(-1)
        pair, words = self.pair_features(x, y), self.word_embedding(tokens)
        nothing = torch.zeros(noise_u.shape[:2], dtype=noise_u.dtype, device=counts.device)
        kl = nothing[:, 0]
        if with_recogniser:
            q = self.recogniser(pair, words, counts)
            u = Gaussian(q.mean.unsqueeze(1), q.log_var.unsqueeze(1)).sample(noise_u)
            kl = self.prior.kl_of_u(q, u) / counts
        else:
            u = self.prior.draw_u(noise_u)
        z = self.prior(pair, u).sample(noise_z)  # (B, S, Z)
        decoded = self.log_likelihood(z, tokens, mask, words, keep, draw) if with_decoder else nothing
        bag = nothing if self.bag_decoder is None else self.bag_log_likelihood(z, tokens, counts)
        if weigh is not None:
            return weighted_terms(decoded, bag, counts, weigh)
        return Terms(decoded.mean(1), kl, bag.mean(1))

    def log_likelihood(
        self,
        z: Tensor,
        tokens: Tensor,
        mask: Tensor,
        words: Tensor,
        keep: Tensor | None = None,
        draw: ProposalDraw | None = None,
    ) -> Tensor:
        """(1/T) Σ_t log p(c_t | c_<t, z) for each sample: (B, S). Only real tokens meet the word table."""
        batch, samples, _ = z.shape
        previous = F.pad(words, (0, 0, 1, -1))  # shifted right, the first vector zero
        if keep is not None:
            previous = previous * keep.unsqueeze(-1)
        weights = 1.0 / mask.sum(-1, keepdim=True).expand(mask.shape)
        # (B, ...) → (B·S, ...)
        mask, targets, weights, previous = (t.repeat_interleave(samples, 0) for t in (mask, tokens, weights, previous))
        outputs = self.decoder(z.flatten(0, 1), previous, mask)  # (M, E)
        first = 0 if self.pad_in_softmax else 1
        table, targets, weights = self.word_embedding.weight[first:], targets[mask] - first, weights[mask]
        own = target_logits(outputs, table, targets)
        if draw is None:
            log_p = weights * own - weighted_normaliser(outputs, table, weights)
        else:
            log_p = weights * (
                own - sampled_normaliser(outputs, self.word_embedding.weight, targets + first, own, draw)
            )
        of_sequences = torch.zeros(batch * samples, device=log_p.device).index_add(0, mask.nonzero()[:, 0], log_p)
        return of_sequences.view(batch, samples)

    def bag_log_likelihood(self, z: Tensor, tokens: Tensor, counts: Tensor) -> Tensor:
        """(1/T) Σ_t w(c_t) log p_bag(c_t|z) for each sample: (B, S). ``bag_weights`` (V,) must be zero for PAD."""
        assert self.bag_decoder is not None
        weights: Tensor = self.bag_weights[tokens] / counts.unsqueeze(-1)  # type: ignore[index]
        bag: Tensor = self.bag_decoder(z, self.word_embedding.weight, tokens, weights)
        return bag


def weighted_terms(decoded: Tensor, bag: Tensor, counts: Tensor, weigh: tuple[float, float]) -> Terms:
    """The terms where q(u) is the best distribution over S draws of p(u), r_s ∝ p(c|x,y,u_s):

        log 1/S Σ_s p(c|z_s) = Σ_s r_s log p(c|z_s) − KL[ r ‖ uniform ]  ≤  log p(c|x,y)  in expectation,

    the tighter the more samples (Burda et al. 2016, with the prior as proposal). The mean over samples that count alike
    is largest if u does not matter; here each sample may be right for some contexts. r is the maximum of the right
    side, so that its own gradient is zero and it is taken as a constant.

    ``decoded`` and ``bag`` are log-likelihoods per token (B, S), ``counts`` T (B,), ``weigh`` what either counts.
    """
    log_r = F.log_softmax((weigh[0] * decoded + weigh[1] * bag).detach() * counts.unsqueeze(1), 1)
    r = log_r.exp()
    kl = (r * log_r).sum(1) + math.log(r.shape[1])
    return Terms((r * decoded).sum(1), kl / counts, (r * bag).sum(1))


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
