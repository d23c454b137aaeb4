"""Settings and named recipes of the baselines. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrel.data.errors import KgrelError
from kgrel.data.settings import require
from kgrel.graph.settings import WalkSettings
from kgrel.model.presets import Precision
from kgrel.train.settings import BatchSettings, Device, SplitSettings


@dataclass(frozen=True)
class CooccurrenceSettings(SplitSettings):
    """Scores from how often two entities are mentioned together."""

    measure: Literal["any", "count", "npmi"] = "count"
    """Whether there is a common context at all (the paper's baseline); log(1 + number of contexts); or normalised
    pointwise mutual information, −1 for pairs without a common context."""


@dataclass(frozen=True)
class DegreeSettings(SplitSettings):
    """Scores from the graph of the training labels alone."""

    measure: Literal["product", "common-neighbours", "adamic-adar"] = "product"
    """Product of the two entities' training labels of the class; number of common neighbours; or these weighted by
    1 / log(degree)."""


@dataclass(frozen=True)
class LabelOnlySettings(BatchSettings):
    """Entity embeddings learned from the labels alone; dimensions and weight decay are searched."""

    steps: int = 10_000
    """Most optimiser steps of each setting that is tried."""
    validate_every: int = 250
    """Steps between two validations."""
    patience: int = 4
    """Validations without a better average precision before a training stops."""
    learning_rate: float = 3e-3
    """Adam's learning rate."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, {"validate_every": 1, "steps": 1, "patience": 1}, ("learning_rate",), ())


@dataclass(frozen=True)
class KgeSettings(SplitSettings):
    """A knowledge-graph embedding of the training labels, and of other edges if they are given."""

    model: Literal["TransE", "DistMult", "ComplEx", "RotatE"] = "ComplEx"
    """Which one."""
    dimensions: int = 128
    """Dimensions; complex ones of ComplEx and RotatE."""
    regularisation: float = 0.1
    """Weight of the N3 penalty (DistMult, ComplEx)."""
    learning_rate: float = 1e-2
    """Adam's learning rate."""
    negatives: int = 0
    """Entities drawn a batch to stand against the true answers; 0 = every entity of the right type (1-vs-all)."""
    batch_questions: int = 256
    """Questions (h, r, ?) and (?, r, t) a step, each with all its answers."""
    epochs: int = 60
    """Most passes over the questions, for each setting that is tried."""
    validate_epochs: int = 4
    """Passes between two validations."""
    patience: int = 4
    """Validations without a better average precision before a training stops."""
    search: bool = True
    """Try regularisation or learning rates, and dimensions, around the given ones, and keep the best on validation."""
    search_dimensions: bool = True
    """A search tries twice the dimensions as well, which takes most of its time."""
    precision: Precision = "fp32"
    """Arithmetic of the matrix products."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        super().__post_init__()
        least = dict.fromkeys(("dimensions", "batch_questions", "epochs", "validate_epochs", "patience"), 1)
        require(self, least | {"negatives": 0, "regularisation": 0}, ("learning_rate",), ())


@dataclass(frozen=True)
class PathCountSettings(WalkSettings, SplitSettings):
    """Logistic regression on the degree-weighted path counts of a graph."""

    damping: float = 0.4
    """Paths count by the power -w of the degrees, by edge type, on either side of each step; 0 = all alike."""
    strengths: tuple[float, ...] = (0.001, 0.01, 0.1, 1.0)
    """Inverse strengths of the L2 penalty that are tried; the best average precision on validation wins."""

    def __post_init__(self) -> None:
        WalkSettings.__post_init__(self)
        SplitSettings.__post_init__(self)
        if not self.strengths or min(self.strengths) <= 0:
            raise KgrelError(f"strengths must be one or more, greater than 0, not {self.strengths}")


@dataclass(frozen=True)
class AttentionSettings(BatchSettings):
    """The paper's attention model: an LSTM over every sentence of the pair, attention pooling, a small classifier."""

    batch_size: int = 128
    """Pairs a step."""
    batch_negatives: int = 96
    """How many pairs of a batch are NO-RELATION."""
    hidden: int = 128
    """Hidden units of LSTM, attention and classifier."""
    word_dimensions: int = 128
    """Dimensions of the word embeddings."""
    max_sentences: int = 64
    """Most sentences of a pair: a random choice at each step in training, evenly spaced ones at prediction."""
    max_tokens: int = 140
    """Tokens after which a sentence is cut."""
    dropout: float = 0.3
    """Share of word embeddings and of pooled units that are dropped in training."""
    learning_rates: tuple[float, ...] = (1e-3, 3e-3)
    """Adam's learning rates that are tried; the best average precision on validation wins."""
    steps: int = 6_000
    """Most optimiser steps of each learning rate."""
    validate_every: int = 250
    """Steps between two validations."""
    validation_pairs: int = 4_000
    """Validation pairs that early stopping looks at; the threshold is tuned on all of them."""
    patience: int = 6
    """Validations without a better average precision before a training stops. 0 = train all steps."""
    gradient_clip: float = 1.0
    """Largest Euclidean norm of the gradient. 0 = no clipping."""
    checkpoint_every: int = 500
    """Steps between two checkpoints, from which a killed run goes on."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        super().__post_init__()
        least = dict.fromkeys(("hidden", "word_dimensions", "max_sentences", "max_tokens", "validate_every"), 1)
        least |= dict.fromkeys(("steps", "checkpoint_every", "validation_pairs"), 1) | {
            "patience": 0,
            "gradient_clip": 0,
        }
        require(self, least, (), ("dropout",))
        if not self.learning_rates or min(self.learning_rates) <= 0:
            raise KgrelError(f"learning_rates must be one or more, greater than 0, not {self.learning_rates}")


ATTENTION_RECIPES = {
    "default": AttentionSettings(),
    "paper": AttentionSettings(
        batch_size=100,
        batch_negatives=50,
        hidden=300,
        word_dimensions=300,
        max_sentences=100_000,
        dropout=0.0,
        learning_rates=(5e-6,),
        steps=1_000_000,
        patience=0,
        gradient_clip=0.0,
    ),
}
"""Named settings of ``train-baseline attention``; the paper does not tell its hidden size."""
