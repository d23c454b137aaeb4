"""Degree product, common neighbours and Adamic-Adar on the graph of the training labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array, diags_array

from kgrel.baselines.baseline import Baseline
from kgrel.baselines.settings import DegreeSettings
from kgrel.data.artifact import Kind
from kgrel.score.graph import adjacency
from kgrel.train.pair_artifact import Floats, Scale
from kgrel.train.pair_data import Part, Rows
from kgrel.train.settings import SplitSettings

TITLES = {"product": "label-degree product", "common-neighbours": "common neighbours", "adamic-adar": "Adamic-Adar"}
CHUNK = 65_536


@dataclass(kw_only=True)
class Degree(Baseline):
    """Scores from which entities stand in the list, and beside which others; sees no text and learns nothing."""

    KIND: ClassVar[Kind] = Kind.DEGREE
    SETTINGS: ClassVar[type[SplitSettings]] = DegreeSettings
    settings: DegreeSettings

    @property
    def title(self) -> str:
        """What it is called in tables."""
        return TITLES[self.settings.measure]

    @property
    def scale(self) -> Scale:
        """See :class:`PairArtifact`."""
        return "count"

    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """See :class:`Baseline`: by class the product of degrees, for every class the same weight of neighbours."""
        if self.settings.measure == "product":
            return self._degrees[heads] * self._degrees[tails]
        values = np.concatenate([np.zeros(0), *(
            (self._weighted[heads[start : start + CHUNK]] * self._graph[tails[start : start + CHUNK]]).sum(axis=1)
            for start in range(0, len(heads), CHUNK)
        )])  # fmt: skip
        return np.repeat(values[:, None], len(self.classes), axis=1)

    @cached_property
    def _degrees(self) -> Floats:
        return self.data.label_degrees().astype(np.float64)

    @cached_property
    def _graph(self) -> csr_array:
        """1 where two entities have a training label of any class: (entities, entities)."""
        rows = self.data.rows(Part.TRAINING, positive=True)
        return adjacency(self.data.heads[rows], self.data.tails[rows], len(self.entities)).astype(np.float64)

    @cached_property
    def _weighted(self) -> csr_array:
        """The graph with its columns weighted: Σ_z of a common neighbour z of 1, or of 1 / log(degree of z)."""
        if self.settings.measure == "common-neighbours":
            return self._graph
        degrees = np.asarray(self._graph.sum(axis=0), dtype=np.float64)
        weights = np.where(degrees > 1, 1 / np.log(np.maximum(degrees, 2)), 0.0)  # no common neighbour has degree 1
        return (self._graph @ diags_array(weights)).tocsr()
