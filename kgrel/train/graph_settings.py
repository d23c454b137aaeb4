"""Settings of what is learned from the surroundings in a graph. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrel.data.settings import require
from kgrel.train.settings import Device


@dataclass(frozen=True)
class InductiveSettings:
    """How the embedding of an entity is learned from its surroundings in a graph and its name.

    Raises:
        KgrelError: a value is out of range.
    """

    sees: Literal["both", "graph", "name"] = "graph"
    """What an embedding is predicted from: surroundings, name, or both. On Hetionet the names add nothing to the
    surroundings."""
    width: int = 128
    """Units of each layer of the encoders."""
    bases: int = 8
    """Bases of the weights of the edge types."""
    near: int = 8
    """Neighbours of one edge type that a step of the training looks at; all of them at prediction."""
    far: int = 4
    """Neighbours of one edge type that it looks at for each of these."""
    dropout: float = 0.3
    """Share of units that are dropped in training."""
    batch_size: int = 256
    """Entities a step, whose own embeddings are hidden."""
    steps: int = 1_500
    """Most optimiser steps."""
    learning_rate: float = 2e-3
    """Adam's learning rate."""
    weight_decay: float = 0.01
    """Decoupled weight decay."""
    gradient_clip: float = 1.0
    """Largest Euclidean norm of the gradient. 0 = no clipping."""
    validation_share: float = 0.1
    """Share of the entities that stop the training and give the spread of the predictions."""
    test_share: float = 0.1
    """Share of the entities that measure them."""
    validate_every: int = 100
    """Steps between two validations (mean cosine with the learned embeddings)."""
    patience: int = 4
    """Validations without a better one before the training stops. 0 = train all steps."""
    checkpoint_every: int = 200
    """Steps between two checkpoints, from which a killed run goes on."""
    draws: int = 8
    """Errors of held-out entities that are kept for each type: a score is the mean over an embedding displaced by
    each."""
    device: Device = "auto"
    """Where to train."""
    seed: int = 0
    """Seed of the split, the initialisation and the batches."""

    def __post_init__(self) -> None:
        least = dict.fromkeys(("width", "bases", "near", "far", "batch_size", "draws"), 1)
        least |= dict.fromkeys(("validate_every", "checkpoint_every"), 1)
        least |= dict.fromkeys(("steps", "weight_decay", "gradient_clip", "patience", "seed"), 0)
        shares = ("dropout", "validation_share", "test_share")
        require(self, least, ("learning_rate", "validation_share", "test_share"), shares)
