"""p(r|x,y,c): the relation that one sentence states.

    u ~ q(u|x,y,c),  z ~ p(z|x,y,u),  p(r|z)                                             (paper, eq. 13, 17)

x and y are the types of the two entities in the order of the sentence; c is the sentence, its mentions ``<ENT>``. What
the recogniser's LSTMs read is by default their last state (the paper), or pooled over the sentence: see
:func:`pooled`. Every pooling has the width of the last state, so that a pretrained recogniser serves all of them.

Shapes: B contexts, S samples, T tokens, C classes; widths U, Z, H.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kgrel.model.classifier import RelationClassifier
from kgrel.model.gaussian import Gaussian
from kgrel.model.lstm import reverse_padded
from kgrel.model.presets import Dimensions, Pooling
from kgrel.model.relvm import PAD, RELVM, ContextEncoder

ENT = 2
"""Row of ``<ENT>`` in the word table."""


def pooled(states: Tensor, tokens: Tensor, how: Pooling) -> Tensor:
    """One vector of the states that the LSTMs have at each token.

    ``max``: the largest value of each unit over the real tokens. ``mentions``: the mean of the states at the two
    mentions. ``attention``: the mean of all states, weighted by softmax(s_t · m / √2H), where m is the mean at the
    mentions: no further parameters.

    Args:
        states: (B, T, 2H), the states of both directions at the same token.
        tokens: (B, T), padded with 0.

    Returns:
        (B, 2H).
    """
    if how == "max":
        return states.masked_fill((tokens == PAD).unsqueeze(-1), -math.inf).amax(1)
    mentions = (tokens == ENT).to(states.dtype)
    mention = torch.einsum("bt,bth->bh", mentions / mentions.sum(1, keepdim=True), states)
    if how == "mentions":
        return mention
    scores = torch.einsum("bth,bh->bt", states, mention) / math.sqrt(states.shape[-1])
    weights = scores.masked_fill(tokens == PAD, -math.inf).softmax(-1)
    return torch.einsum("bt,bth->bh", weights, states)


class MentionClassifier(ContextEncoder):
    """The encoder of contexts with a classifier on z.

    Args:
        types: rows of the table of entity types.
        words: rows of the word table.
        classes: labels.
        hidden: hidden units of the classifier; 0 = the paper's single linear layer.
        pooling: what of the LSTMs' states is read.
    """

    def __init__(
        self, dimensions: Dimensions, types: int, words: int, classes: int, hidden: int = 0, pooling: Pooling = "last"
    ) -> None:
        super().__init__(dimensions, types, words)
        self.classifier = RelationClassifier(dimensions.z, classes, hidden)
        self.pooling = pooling

    def take(self, model: RELVM) -> None:
        """Take over the weights of a pretrained model with as many types and words."""
        given = model.state_dict()
        own = {name: given.get(name, value) for name, value in self.state_dict().items()}
        self.load_state_dict(own)

    def recognise(self, x: Tensor, y: Tensor, tokens: Tensor) -> Gaussian:
        """q(u|x,y,c) of width U for contexts (B, T)."""
        if self.pooling == "last":
            return super().recognise(x, y, tokens)
        counts, words = (tokens != PAD).sum(-1), self.word_embedding(tokens)
        forward: Tensor = self.recogniser.forward_lstm(words)[0]
        backward: Tensor = self.recogniser.backward_lstm(reverse_padded(words, counts))[0]
        states = torch.cat([forward, reverse_padded(backward, counts)], dim=-1)
        return self.recogniser.infer(self.pair_features(x, y), pooled(states, tokens, self.pooling))

    def forward(
        self, x: Tensor, y: Tensor, tokens: Tensor, noise_u: Tensor, noise_z: Tensor, possible: Tensor | None = None
    ) -> Tensor:
        """log p(r|z) for samples z ~ ∫ q(u|x,y,c) p(z|x,y,u) du.

        Args:
            x, y: type rows (B,).
            tokens: word rows (B, T).
            noise_u, noise_z: (B, S, U) and (B, S, Z), or (1, S, ·) for noise that all contexts share.
            possible: which classes the types allow (B, C); None = all.

        Returns:
            (B, S, C).
        """
        z = self.sample_contexts(x, y, tokens, noise_u, noise_z)
        log_p: Tensor = self.classifier(z, None if possible is None else possible.unsqueeze(1))
        return log_p
