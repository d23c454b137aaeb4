"""Settings and named recipes of ``train-mentions``. Loads no torch, so that ``--help`` stays fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from kgrel.data.errors import KgrelError, did_you_mean
from kgrel.data.settings import require
from kgrel.model.presets import NoiseKind, Pooling
from kgrel.train.settings import Device, Schedule

Part = Literal["words", "types", "recogniser", "prior"]
PARTS: tuple[Part, ...] = get_args(Part)
"""The parts of a representation that can be trained on."""


@dataclass(frozen=True)
class MentionSettings:
    """How p(r|x,y,c), the relation that one sentence states, is learned from labelled sentences.

    Raises:
        KgrelError: a value is out of range.
    """

    start: Literal["pretrained", "random"] = "pretrained"
    """Start from the weights of REPR, or from fresh ones of the same size, to see what pretraining gives."""
    fine_tune: tuple[str, ...] = PARTS
    """Parts of the representation that are trained on with the classifier: words, types, recogniser, prior."""
    pooling: Pooling = "max"
    """What is read of the two LSTMs: their last states (paper), the largest value of each unit (max), the states at
    the two mentions (mentions), or all states weighted by their likeness to those (attention)."""
    hidden: int = 0
    """Hidden units of the classifier; 0 = a single linear layer (paper)."""
    min_count: int = 2
    """Training words that REPR has no row for get one if they occur so often."""
    steps: int = 540
    """Most optimiser steps."""
    batch_size: int = 32
    """Sentences a step."""
    samples: int = 4
    """Samples of u and z a sentence and step."""
    learning_rate: float = 1e-3
    """Adam's learning rate (paper: 1e-5)."""
    warm_up_steps: int = 50
    """Steps over which the learning rate rises linearly from zero."""
    schedule: Schedule = "cosine"
    """What follows the warm-up: a constant learning rate, or one that falls along half a cosine to zero."""
    weight_decay: float = 0.01
    """Decoupled weight decay; words do not decay."""
    gradient_clip: float = 1.0
    """Largest Euclidean norm of the gradient. 0 = no clipping."""
    word_dropout: float = 0.2
    """Share of the words that are hidden in training."""
    validation_share: float = 0.1
    """Share of the sentences that stop the training and tune the threshold; identical sentences stay together."""
    validate_every: int = 90
    """Steps between two validations."""
    patience: int = 3
    """Validations without a larger log-probability of the labels before the training stops. 0 = train all steps."""
    decision: Literal["threshold", "largest"] = "threshold"
    """When a relation is given: if its probability exceeds a threshold that maximises F1 on the validation sentences,
    or if it is the largest of all classes, none included (paper)."""
    negative: str = ""
    """The label that means no relation. Empty = 0, NO-RELATION, no, none, false or negative, if one is there."""
    prediction_samples: int = 8
    """Samples of u and z a sentence at prediction."""
    prediction_noise: NoiseKind = "sobol"
    """Points of the noise that all sentences share at prediction."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the matrix products in training; weights and losses are kept in fp32. auto = bf16 where the device
    has it. Prediction is in fp32."""
    checkpoint_every: int = 200
    """Steps between two checkpoints, from which a killed run goes on."""
    device: Device = "auto"
    """Where to compute."""
    seed: int = 0
    """Seed of the split, the initialisation, the batches and the noise."""

    def __post_init__(self) -> None:
        least = dict.fromkeys(("min_count", "batch_size", "samples", "validate_every", "checkpoint_every"), 1)
        least |= dict.fromkeys(("hidden", "steps", "warm_up_steps", "weight_decay", "gradient_clip", "patience"), 0)
        least |= {"prediction_samples": 1, "seed": 0}
        require(self, least, ("learning_rate", "validation_share"), ("word_dropout", "validation_share"))
        for name in self.fine_tune:
            if name not in PARTS:
                raise KgrelError(
                    f"fine_tune: no part {name!r}{did_you_mean(name, PARTS)}; there are {', '.join(PARTS)}"
                )


MENTION_RECIPES: dict[str, MentionSettings] = {
    "default": MentionSettings(),
    "paper": MentionSettings(
        pooling="last", steps=3_000, batch_size=8, learning_rate=1e-5, warm_up_steps=0, schedule="constant",
        weight_decay=0.0, gradient_clip=0.0, word_dropout=0.0, patience=0, decision="largest",
    ),
}  # fmt: skip
"""Named settings of ``train-mentions``; the paper trains 3,000 steps on GAD and 200 on EU-ADR."""
