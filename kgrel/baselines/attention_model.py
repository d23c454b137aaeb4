"""The attention model: a pair is the attention-weighted mean of its sentences.

    h_i = final state of LSTM(c_i),    a = softmax_i(v · tanh(W h_i)),    s = Σ_i a_i h_i,    p(r) = softmax(FF(s))

after Lin et al. 2016 and the baseline of Shah and Fauqueur 2020. It sees the sentences with the two mentions masked,
never which entities they are. A pair without a sentence has a learned s.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.model.classifier import IMPOSSIBLE
from kgrel.model.lstm import last_state

GROUPS = 8
"""Groups of sentences of like length, each of which is padded to its own longest."""


class AttentionModel(nn.Module):
    """Sentences of pairs → log p(r).

    Args:
        words: rows of the word table, 0 = PAD.
        classes: positive classes C.
    """

    def __init__(self, words: int, classes: int, word_dimensions: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.words = nn.Embedding(words, word_dimensions)
        self.lstm = nn.LSTM(word_dimensions, hidden, batch_first=True)
        self.attend = nn.Sequential(nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))
        self.nothing = nn.Parameter(torch.zeros(hidden))
        self.classify = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1 + classes)
        )
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.words.weight, std=0.1)

    def forward(self, tokens: Tensor, lengths: Tensor, pairs: Tensor, possible: Tensor) -> Tensor:
        """log p(r) of B pairs: (B, 1 + C), NO-RELATION first.

        Args:
            tokens: rows of words (m, L), padded at the end.
            lengths: real tokens of each sentence, on the CPU (m,).
            pairs: number of the pair of each sentence (m,), 0 … B − 1.
            possible: bool (B, 1 + C), masks classes before the softmax.
        """
        pooled = self.pool(self.encode(tokens, lengths), pairs, len(possible))
        logits = self.classify(pooled).masked_fill(~possible, IMPOSSIBLE)
        return F.log_softmax(logits, dim=-1)

    def encode(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Final state of each sentence: (m, H)."""
        if not len(tokens):
            return self.nothing.new_zeros(0, len(self.nothing))
        # Padding costs less than packed sequences: on a CPU the gradient of those is quadratic in the length.
        order = lengths.argsort(descending=True)
        states = []
        for group in order.tensor_split(min(GROUPS, len(order))):
            on_device, counts = group.to(tokens.device), lengths[group]
            words = self.dropout(self.words(tokens[on_device, : counts[0]]))
            states.append(last_state(self.lstm, words, counts.to(tokens.device)))
        return torch.cat(states)[order.argsort().to(tokens.device)]

    def pool(self, sentences: Tensor, pairs: Tensor, count: int) -> Tensor:
        """Attention-weighted mean of the sentences (m, H) of each pair: (count, H)."""
        logits = self.attend(sentences).squeeze(-1)  # (m,)
        highest = logits.new_full((count,), -torch.inf).scatter_reduce(0, pairs, logits.detach(), "amax")
        weights = (logits - highest[pairs]).exp()
        total = weights.new_zeros(count).index_add(0, pairs, weights)
        pooled = sentences.new_zeros(count, sentences.shape[1]).index_add(
            0, pairs, (weights / total[pairs]).unsqueeze(-1) * sentences
        )
        return torch.where((total > 0).unsqueeze(-1), pooled, self.nothing)
