"""Several classifiers as one scorer: the mean of their probabilities, and how far their seeds disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.model.uncertainty import Predicted, pooled, predict_with_uncertainty
from kgrel.train.pair_data import Flags, Rows
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import with_no_relation

LEAST_SEEDS = 5
"""Fewer members say nothing about how well the weights are known."""
Floats = npt.NDArray[np.float64]


class Ensemble:
    """Averages p̄ over members that were trained with different seeds.

    The thresholds are the means of the members' ones. There is no probability: each member is calibrated for its own
    scores, and what holds for the members does not hold for their mean.

    Args:
        members: with the same classes, entities and way of sampling; the first one's text counts and known
            relations are told.

    Raises:
        KgrelError: they do not fit together.
    """

    def __init__(self, members: Sequence[PairModel]) -> None:
        self.members, self.first = list(members), members[0]
        for number, member in enumerate(self.members[1:], start=2):
            refuse_other(self.first, member, number)
        self.thresholds: Floats = np.mean([member.thresholds for member in self.members], axis=0)

    @classmethod
    def load(cls, paths: Sequence[str | Path]) -> Ensemble:
        """Open several PAIRS artifacts.

        Raises:
            ArtifactError: one is missing, damaged, or of another kind.
            KgrelError: they do not fit together.
        """
        return cls([PairModel.open(path) for path in paths])

    @property
    def classes(self) -> list[str]:
        """The positive classes."""
        return self.first.classes

    @property
    def entities(self) -> EntityTable:
        """The entities that every member knows."""
        return self.first.entities

    @property
    def seeds(self) -> int:
        """Members that were trained apart: with another seed, or on another representation."""
        return len({(member.settings.seed, representation_of(member)) for member in self.members})

    @property
    def epistemic(self) -> bool:
        """Whether there are enough seeds."""
        return self.seeds >= LEAST_SEEDS

    def note(self) -> str:
        """What to know about the ensemble, as one sentence."""
        spread = f"epistemic_std is the spread of {self.seeds} seeds"
        if not self.epistemic:
            spread = (
                f"no epistemic_std: an ensemble of at least {LEAST_SEEDS} seeds is needed, and this has {self.seeds}"
            )
        return f"{len(self.members)} members, the mean of their thresholds, no probability; {spread}"

    def predict(self, heads: Rows, tails: Rows) -> tuple[Floats, Floats]:
        """Mean over members, and the spread of all samples of all members: (n, C) each."""
        means, stds = zip(*(member.predict(heads, tails) for member in self.members), strict=True)
        mean, std = pooled(*(torch.from_numpy(np.stack(part)) for part in (means, stds)))
        return mean.numpy(), std.numpy()

    def predict_with_uncertainty(self, heads: Rows, tails: Rows) -> Predicted:
        """As :meth:`predict`, with interval and entropies over all samples and the spread of the members."""
        possible = with_no_relation(self.possible(heads, tails))
        return predict_with_uncertainty([member.predictive for member in self.members], heads, tails, possible)

    def quick(self, heads: Rows, tails: Rows) -> Floats:
        """Mean of the members' stand-ins for the score (n,)."""
        found: Floats = np.mean([member.quick(heads, tails) for member in self.members], axis=0)
        return found

    def possible(self, heads: Rows, tails: Rows) -> Flags:
        """Which classes the types of each pair allow: (n, C)."""
        return self.first.possible(heads, tails)

    @property
    def comentions(self) -> tuple[Rows, Rows, Rows]:
        """Heads, tails and numbers of contexts of all co-mentioned pairs."""
        return self.first.comentions

    def contexts(self, heads: Rows, tails: Rows) -> Rows:
        """In how many contexts each pair stands (n,)."""
        return self.first.contexts(heads, tails)

    def known(self, heads: Rows, tails: Rows) -> list[str | None]:
        """Listed classes of each pair, joined by ``|``."""
        return self.first.known(heads, tails)


def representation_of(model: PairModel) -> str | None:
    """The hash of the representation that a classifier was trained on."""
    return None if model.artifact is None else model.artifact.manifest.parents.get("representation")


def refuse_other(first: PairModel, member: PairModel, number: int) -> None:
    """Members must score the same pairs for the same classes in the same way."""
    entities = [list(zip(model.entities.types, model.entities.ids, strict=True)) for model in (first, member)]
    same = {
        "classes": first.classes == member.classes,
        "types of the classes": np.array_equal(first.data.classes.allowed, member.data.classes.allowed),
        "entities": entities[0] == entities[1],
        "settings of sampling": replace(first.sampling, seed=0) == replace(member.sampling, seed=0),
    }
    for what, equal in same.items():
        if not equal:
            name = f"member {number}" if member.artifact is None else str(member.artifact.path)
            raise KgrelError(f"{name}: its {what} are not those of the first member of the ensemble; train it alike")
