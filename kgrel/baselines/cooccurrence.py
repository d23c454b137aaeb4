"""Co-occurrence, count of common contexts, and pointwise mutual information as scorers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kgrel.baselines.baseline import Baseline
from kgrel.baselines.settings import CooccurrenceSettings
from kgrel.data.artifact import Kind
from kgrel.train.pair_artifact import Floats, Scale
from kgrel.train.pair_data import Rows
from kgrel.train.settings import SplitSettings

TITLES = {"any": "co-occurrence", "count": "log co-mention count", "npmi": "pointwise mutual information"}


@dataclass(kw_only=True)
class Cooccurrence(Baseline):
    """The same score for every class of a pair, from the co-mention table alone; nothing is learned."""

    KIND: ClassVar[Kind] = Kind.COOCCURRENCE
    SETTINGS: ClassVar[type[SplitSettings]] = CooccurrenceSettings
    settings: CooccurrenceSettings

    @property
    def title(self) -> str:
        """What it is called in tables."""
        return TITLES[self.settings.measure]

    @property
    def scale(self) -> Scale:
        """See :class:`PairArtifact`."""
        return "logit" if self.settings.measure == "npmi" else "count"

    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """See :class:`Baseline`."""
        contexts = self.contexts(heads, tails)
        measure = {"any": np.sign, "count": np.log1p}.get(self.settings.measure)
        values = measure(contexts.astype(np.float64)) if measure else self.statistics.npmi(heads, tails, never=-1.0)
        return np.repeat(values[:, None], len(self.classes), axis=1)
