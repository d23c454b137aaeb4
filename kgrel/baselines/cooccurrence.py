"""Co-occurrence, count of common contexts, and pointwise mutual information as scorers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from kgrel.baselines.baseline import Baseline
from kgrel.baselines.settings import CooccurrenceSettings
from kgrel.data.artifact import Kind
from kgrel.train.pair_artifact import Floats
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

    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """See :class:`Baseline`."""
        contexts = self.contexts(heads, tails)
        measure = {"any": np.sign, "count": np.log1p}.get(self.settings.measure)
        values = measure(contexts.astype(np.float64)) if measure else self._npmi(heads, tails, contexts)
        return np.repeat(values[:, None], len(self.classes), axis=1)

    def _npmi(self, heads: Rows, tails: Rows, contexts: Rows) -> Floats:
        """log(p(x,y) / p(x) p(y)) / −log p(x,y), in −1..1; −1 where there is no common context (Bouma 2009).

        p(x,y) = contexts of the pair / all contexts; p(x) = share of contexts that x stands in.
        """
        total = max(1, int(self.comentions[2].sum()))
        values = np.full(len(heads), -1.0)
        seen = np.flatnonzero(contexts)
        joint = contexts[seen] / total
        apart = (self._entity_contexts[heads[seen]] / total) * (self._entity_contexts[tails[seen]] / total)
        certain = joint == 1
        values[seen] = np.where(certain, 1.0, np.log(joint / apart) / -np.log(np.where(certain, 0.5, joint)))
        return values

    @cached_property
    def _entity_contexts(self) -> Rows:
        first, second, counts = self.comentions
        found = np.zeros(len(self.entities), dtype=np.int64)
        np.add.at(found, first, counts)
        np.add.at(found, second, counts)
        return found
