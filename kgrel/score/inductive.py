"""Scoring pairs of which an entity has no learned embedding but a predicted one, see :mod:`kgrel.train.inductive`.

    p̄(r|x,y) = 1/K Σ_k E_z~p(z | ê(x) + ε_k(x), y) p(r|z)

where ε_k(x) are the errors of K held-out entities of the type of x, so that the spread of a score tells both how many-
sided the relation is and how little is known of x. Pairs of learned entities are scored as without it, to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.metrics.classification import best
from kgrel.model.predictive import PairFeatures, Predictive
from kgrel.model.relvm import PairPrior
from kgrel.model.uncertainty import Predicted, pooled, predict_with_uncertainty
from kgrel.train.calibration import INDUCTIVE
from kgrel.train.inductive import Inductive
from kgrel.train.pair_data import Flags, Rows, rows_in
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import prediction_noise, with_no_relation
from kgrel.train.text_statistics import TextStatistics

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class InductiveScorer:
    """A pair classifier whose entities are joined by those with predicted embeddings, behind its own.

    Attributes:
        pairs: the classifier, of N entities.
        inductive: predictions for M others.
    """

    pairs: PairModel
    inductive: Inductive

    @classmethod
    def load(cls, pairs: str | Path, inductive: str | Path) -> InductiveScorer:
        """Open a PAIRS and an INDUCTIVE artifact.

        Raises:
            ArtifactError: one is missing, damaged, or of another kind.
            KgrelError: the predictions imitate other embeddings than those of the classifier.
        """
        scorer = cls(PairModel.open(pairs), Inductive.open(inductive))
        if scorer.pairs.encodings is not None:
            raise KgrelError(f"{pairs}: its --graph-encoder encodes no other entities than its own; train without it")
        scorer.inductive.require(scorer.pairs.prior.entity_embedding.weight, pairs)
        return scorer

    @property
    def members(self) -> list[PairModel | Inductive]:
        """What scores depend on."""
        return [self.pairs, self.inductive]

    @property
    def classes(self) -> list[str]:
        """The positive classes."""
        return self.pairs.classes

    @property
    def thresholds(self) -> Floats:
        """Those of the classifier, tuned on pairs of learned entities."""
        return self.pairs.thresholds

    @cached_property
    def entities(self) -> EntityTable:
        """Learned and predicted ones (N + M)."""
        if (rows_in(self.pairs.entities, self.inductive.entities) >= 0).any():
            raise KgrelError("an entity with a predicted embedding has a learned one too; train the encoder again")
        return self.pairs.entities.joined(self.inductive.entities)

    @cached_property
    def _type_rows(self) -> Rows:
        index = {name: row for row, name in enumerate(self.pairs.data.classes.types)}
        further = np.array([index[name] for name in self.inductive.entities.types], np.int64)
        return np.concatenate([self.pairs.data.type_rows, further])

    @cached_property
    def _statistics(self) -> TextStatistics:
        """Of all entities; no context names the predicted ones."""
        return TextStatistics(self.pairs.comentions, len(self.entities))

    @property
    def _features(self) -> PairFeatures | None:
        return self._statistics.features if self.pairs.settings.text_statistics else None

    @cached_property
    def _predictive(self) -> list[Predictive]:
        """One for each displacement of the predicted embeddings."""
        base, s = self.pairs, self.pairs.settings
        noise, found = prediction_noise(base.prior, s), []
        for draw in range(self.inductive.draws):
            prior = PairPrior(base.prior.dimensions, len(self.entities))
            table = torch.cat([base.prior.entity_embedding.weight, self.inductive.displaced(draw)])
            prior.load_state_dict({**base.prior.state_dict(), "entity_embedding.weight": table})
            members = prior.eval(), base.classifier, noise, s.order, s.prediction_precision, self._features
            found.append(Predictive(*members))
        return found

    def predicted_rows(self, heads: Rows, tails: Rows) -> Flags:
        """Which pairs have an entity whose embedding is predicted (n,)."""
        of: Flags = np.maximum(heads, tails) >= len(self.pairs.entities)
        return of

    def possible(self, heads: Rows, tails: Rows) -> Flags:
        """Which classes the types of each pair allow: (n, C)."""
        return self.pairs.data.classes.possible(self._type_rows, heads, tails)

    def predict(self, heads: Rows, tails: Rows) -> tuple[Floats, Floats]:
        """Mean and spread over samples, and over displacements where an embedding is predicted: (n, C) each."""
        mean, std = (np.zeros((len(heads), len(self.classes))) for _ in range(2))
        far = self.predicted_rows(heads, tails)
        mean[~far], std[~far] = self.pairs.predict(heads[~far], tails[~far])
        if far.any():
            possible = with_no_relation(self.possible(heads[far], tails[far]))
            draws = [member(heads[far], tails[far], possible) for member in self._predictive]
            means, stds = (torch.from_numpy(np.stack(part)) for part in zip(*draws, strict=True))
            mean[far], std[far] = (part.numpy()[:, 1:] for part in pooled(means, stds))
        return mean, std

    def predict_with_uncertainty(self, heads: Rows, tails: Rows) -> Predicted:
        """As :meth:`predict`, with interval and entropies over the same samples and displacements."""
        far = self.predicted_rows(heads, tails)
        near = self.pairs.predict_with_uncertainty(heads[~far], tails[~far])
        if not far.any():
            return near
        possible = with_no_relation(self.possible(heads[far], tails[far]))
        others = predict_with_uncertainty(self._predictive, heads[far], tails[far], possible)
        joined = {}
        for name, values in vars(near).items():
            joined[name] = np.zeros((len(heads), *values.shape[1:]))
            joined[name][~far], joined[name][far] = values, getattr(others, name)
        return Predicted(**joined)

    @property
    def epistemic(self) -> bool:
        """Displaced embeddings are no further seeds."""
        return False

    def quick(self, heads: Rows, tails: Rows) -> Floats:
        """The score of the best class (n,)."""
        return best(self.predict(heads, tails)[0], self.possible(heads, tails))[1]

    def probabilities(
        self, heads: Rows, tails: Rows, classes: Rows, scores: Floats, rates: Mapping[str, float]
    ) -> tuple[Floats, np.ndarray]:
        """Those of the classifier; none, and the reason, where an embedding is predicted: (n,) each.

        The calibration is of pairs whose entities both have training labels, and an entity without context has none.
        """
        far = self.predicted_rows(heads, tails)
        found, reasons = np.full(len(heads), np.nan), np.full(len(heads), INDUCTIVE, dtype=object)
        near = self.pairs.probabilities(heads[~far], tails[~far], classes[~far], scores[~far], rates)
        found[~far], reasons[~far] = near
        return found, reasons

    def contexts(self, heads: Rows, tails: Rows) -> Rows:
        """In how many contexts each pair stands (n,); in none where an embedding is predicted."""
        return self._statistics.contexts(heads, tails)

    def known(self, heads: Rows, tails: Rows) -> list[str | None]:
        """Listed classes of each pair, joined by ``|``; None where an embedding is predicted."""
        far = self.predicted_rows(heads, tails)
        near = iter(self.pairs.known(heads[~far], tails[~far]))
        return [None if one else next(near) for one in far.tolist()]
