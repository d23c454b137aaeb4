"""Settings of ``train-typing``. Loads no torch, so that ``--help`` stays fast."""

from __future__ import annotations

from dataclasses import dataclass

from kgrel.data.errors import KgrelError
from kgrel.data.settings import require
from kgrel.train.settings import Device, Schedule


@dataclass(frozen=True)
class TypingSettings:
    """How the classifier of types by context is trained.

    Raises:
        KgrelError: a value is out of range.
    """

    sample: float = 1.0
    """Share of the documents that examples are taken from, drawn by the seed."""
    width: int = 20
    """Words read on either side of a mention."""
    embedding: int = 64
    """Size of the word embeddings."""
    hidden: int = 64
    """Size of the LSTM of either side."""
    vocabulary_size: int = 20_000
    """Rows of the word table; rarer words are told apart by their shape alone."""
    examples: int = 100_000
    """Most examples of each type, and of none, that are kept; drawn at random from all."""
    per_name: int = 50
    """The n-th mention of a name is taken with probability min(1, this / n)."""
    gold_share: float = 0.05
    """Share of a batch that comes from gold mentions, where there are any."""
    steps: int = 4_000
    """Most optimiser steps."""
    batch_size: int = 256
    """Mentions a step."""
    word_dropout: float = 0.1
    """Share of the words of a window that are hidden in training."""
    learning_rate: float = 2e-3
    """Adam's learning rate."""
    warm_up_steps: int = 100
    """Steps over which the learning rate rises linearly from zero."""
    schedule: Schedule = "cosine"
    """What follows the warm-up: a constant learning rate, or one that falls along half a cosine to zero."""
    gradient_clip: float = 1.0
    """Largest Euclidean norm of the gradient. 0 = no clipping."""
    validation_share: float = 0.2
    """Share of the sentences that stop the training, and of the gold documents that tune the thresholds."""
    validate_every: int = 250
    """Steps between two validations."""
    patience: int = 6
    """Validations without a better one before the training stops. 0 = train all steps."""
    checkpoint_every: int = 500
    """Steps between two checkpoints, from which a killed run goes on."""
    device: Device = "auto"
    """Where to train."""
    seed: int = 0
    """Seed of the examples, the initialisation and the batches."""

    def __post_init__(self) -> None:
        least = dict.fromkeys(("width", "embedding", "hidden", "examples", "per_name", "batch_size"), 1)
        least |= dict.fromkeys(("validate_every", "checkpoint_every"), 1) | {"vocabulary_size": 5}
        least |= dict.fromkeys(("steps", "warm_up_steps", "gradient_clip", "patience", "seed"), 0)
        require(self, least, ("learning_rate", "validation_share"), ("gold_share", "word_dropout", "validation_share"))
        if not 0 < self.sample <= 1:
            raise KgrelError(f"sample must be above 0 and at most 1, not {self.sample}")
