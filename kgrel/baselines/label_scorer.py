"""Label-only embeddings as a scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from kgrel.baselines.baseline import Baseline, Sources
from kgrel.baselines.label_only import LabelOnly, fit_label_only, probabilities
from kgrel.baselines.settings import LabelOnlySettings
from kgrel.data.artifact import Kind
from kgrel.data.progress import Progress
from kgrel.model.representation import load_weights, save_weights
from kgrel.train.pair_artifact import Floats, Scale
from kgrel.train.pair_data import Rows
from kgrel.train.run import Run
from kgrel.train.settings import SplitSettings

WEIGHTS = "weights.safetensors"


@dataclass(kw_only=True)
class LabelOnlyScorer(Baseline):
    """Scores are p(r|x,y) of a symmetric factorisation of the training labels."""

    KIND: ClassVar[Kind] = Kind.LABEL_ONLY
    SETTINGS: ClassVar[type[SplitSettings]] = LabelOnlySettings
    settings: LabelOnlySettings
    module: LabelOnly | None = None

    @property
    def title(self) -> str:
        """What it is called in tables."""
        return "label-only embeddings"

    @property
    def scale(self) -> Scale:
        """See :class:`PairArtifact`."""
        return "probability"

    def fit(self, sources: Sources, run: Run, progress: Progress) -> dict[str, Any]:
        """See :class:`Baseline`."""
        progress.start("label-only embeddings", None)
        task, chosen = fit_label_only(self.data, self.settings, self.settings)
        self.module = task.module.eval()
        save_weights(self.module.state_dict(), run.directory / WEIGHTS)
        return {"chosen": chosen}

    def model_json(self) -> dict[str, Any]:
        """The dimensions of the embeddings."""
        assert self.module is not None
        return {"dimensions": self.module.embedding.embedding_dim}

    def read_fitted(self, model: dict[str, Any]) -> None:
        """See :class:`Baseline`."""
        assert self.artifact is not None
        with torch.device("meta"):
            module = LabelOnly(len(self.entities), len(self.classes), model["dimensions"])
        self.module = module.to_empty(device="cpu")
        load_weights(self.module, self.artifact, WEIGHTS)
        self.module.eval()

    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """See :class:`Baseline`."""
        assert self.module is not None
        return probabilities(self.module, self.data, heads, tails)
