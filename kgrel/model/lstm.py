"""LSTMs over padded sequences. Shapes: B sequences, T tokens; widths E of words, H of states."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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
