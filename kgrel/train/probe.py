"""The probe: when does the representation start to know pairs?

A small classifier is trained on the frozen z of training pairs for some hundred steps; its average precision on
validation pairs is logged beside the ELBO. Test pairs are never looked at.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import PairData, Part
from kgrel.train.pairs import fit_classifier
from kgrel.train.settings import PairSettings
from kgrel.train.train_pairs import prepare_pairs

PROBE = {"fine_tune": "none", "steps": 400, "validate_every": 100, "patience": 4, "learning_rate": 1e-3, "samples": 2}
"""How the small classifier is trained; it is a gauge, not a result."""


class PairProbe:
    """Gives ``{"average_precision": …, "base_rate": …}`` on validation pairs for a representation.

    The split is that of ``train-pairs`` with the same seed, so the pairs that the probe sees are those that the
    classifier will be trained and validated on.
    """

    def __init__(self, corpus: Corpus, relations: str | Path, settings: PairSettings) -> None:
        self.corpus, self.relations = corpus, Path(relations)
        self.settings = dataclasses.replace(settings, **PROBE)  # type: ignore[arg-type]
        self._data: PairData | None = None

    def __call__(self, representation: Representation) -> dict[str, float]:
        """Train the small classifier and report it.

        Raises:
            KgrelError: the relations name no entity of the representation, or too few pairs are there to split.
        """
        if self._data is None:
            self._data = prepare_pairs(representation.entities, self.corpus, self.relations, self.settings).data
        # On the model's own device: the training that goes on afterwards must find it there.
        device = representation.model.entity_embedding.weight.device.type
        settings = dataclasses.replace(self.settings, device=device)  # type: ignore[arg-type]
        *_, state = fit_classifier(representation.model, self._data, settings)
        base_rate = self._data.positive[self._data.rows(Part.VALIDATION)].mean()
        return {"average_precision": state.best, "base_rate": float(base_rate)}
