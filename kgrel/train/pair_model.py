"""The PAIRS artifact: everything that scoring, tuning and evaluating a pair classifier needs, in one directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from kgrel.data.artifact import Artifact, Kind, open_artifact, opens_artifact, read_json, settings_of
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import canonical_json
from kgrel.model.classifier import RelationClassifier
from kgrel.model.noise import CommonNoise
from kgrel.model.predictive import PairFeatures, Predictive
from kgrel.model.presets import Dimensions
from kgrel.model.relvm import PairPrior
from kgrel.model.representation import load_weights, save_weights
from kgrel.model.uncertainty import Predicted, predict_with_uncertainty
from kgrel.train.batches import Stream, torch_seed
from kgrel.train.calibration import NOT_CALIBRATED, Calibration, Sampling
from kgrel.train.graph_features import Encodings
from kgrel.train.pair_artifact import PairArtifact, Scale, read_parts
from kgrel.train.pair_data import Rows
from kgrel.train.pairs import joined_features, new_classifier, prediction_noise, with_no_relation
from kgrel.train.settings import UNSAID, PairSettings

PRIOR, CLASSIFIER, ENCODINGS = "prior.safetensors", "classifier.safetensors", "encodings.safetensors"
CALIBRATION = "calibration.json"
"""Only there once the classifier is calibrated."""
UNSAID_OF_PAIRS = UNSAID | {"prediction_noise": "random", "prediction_precision": "fp32"}
"""What holds for artifacts that were written before these settings were there."""


@dataclass(kw_only=True)
class PairModel(PairArtifact):
    """A trained pair classifier with its representation.

    Attributes:
        calibration: from scores to probabilities; None until ``calibrate``.
        encodings: of every entity from its surroundings in a graph; None without ``--graph-encoder``.
    """

    prior: PairPrior
    classifier: RelationClassifier
    settings: PairSettings
    calibration: Calibration | None = None
    encodings: Encodings | None = None

    @property
    def title(self) -> str:
        """What it is called in tables."""
        tuned = {"none": "", "entities": ", entities fine-tuned", "all": ", fine-tuned"}
        graph = "" if self.encodings is None else ", graph encoder"
        return "kgrel" + tuned[self.settings.fine_tune] + graph

    @property
    def scale(self) -> Scale:
        """See :class:`PairArtifact`."""
        return "probability"

    @property
    def features(self) -> PairFeatures | None:
        """What the classifier is given of a pair beside z, from co-mentions and encodings that the artifact holds."""
        statistics = self.statistics.features if self.settings.text_statistics else None
        return joined_features(statistics, self.encodings)

    @cached_property
    def predictive(self) -> Predictive:
        """The posterior predictive with everything that does not depend on the pair computed."""
        noise = prediction_noise(self.prior, self.settings)
        s = self.settings
        return Predictive(self.prior, self.classifier, noise, s.order, s.prediction_precision, self.features)

    def predict(self, heads: Rows, tails: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Posterior predictive mean and spread of each positive class: (n, C) float64 each."""
        possible = with_no_relation(self.possible(heads, tails))
        mean, std = self.predictive(heads, tails, possible)
        return mean[:, 1:], std[:, 1:]

    def predict_with_uncertainty(self, heads: Rows, tails: Rows) -> Predicted:
        """As :meth:`predict`, with interval and entropies over the same samples."""
        return predict_with_uncertainty([self.predictive], heads, tails, with_no_relation(self.possible(heads, tails)))

    @property
    def epistemic(self) -> bool:
        """One set of weights says nothing about how well the weights are known."""
        return False

    @property
    def sampling(self) -> Sampling:
        """What the scores depend on beside the weights."""
        s = self.settings
        seed = torch_seed(s.seed, Stream.PREDICTION)
        return Sampling(s.prediction_samples, seed, s.order, s.prediction_precision, s.prediction_noise)

    def probabilities(
        self, heads: Rows, tails: Rows, classes: Rows, scores: np.ndarray, rates: Mapping[str, float]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Calibrated probability of one class for each pair, see :meth:`Calibration.probabilities`.

        Args:
            classes: number of the class (n,).
            scores: its p̄ (n,).
            rates: class → share listed among the pairs at hand.

        Raises:
            KgrelError: the calibration was made for another way of scoring; rates without a calibration.
        """
        if self.calibration is None:
            if rates:
                raise KgrelError("a base rate needs a calibrated classifier; run kgrel calibrate first")
            return np.full(len(heads), np.nan), np.full(len(heads), NOT_CALIBRATED, dtype=object)
        self.calibration.sampling.require(self.sampling)
        covered = self.covered(heads, tails)[np.arange(len(heads)), classes]
        names = np.array(self.classes, dtype=object)[classes]
        return self.calibration.probabilities(names, scores, self.contexts(heads, tails), covered, rates)

    @cached_property
    def _quick(self) -> Predictive:
        d = self.prior.dimensions
        at_mean = CommonNoise(torch.zeros(1, 1, d.u), torch.zeros(1, 1, d.z))
        s = self.settings
        return Predictive(self.prior, self.classifier, at_mean, "given", s.prediction_precision, self.features)

    def quick(self, heads: Rows, tails: Rows) -> np.ndarray:
        """1 − p(NO-RELATION | z) at the mean of u and z, one sample, one order: (n,)."""
        low, high = np.minimum(heads, tails), np.maximum(heads, tails)
        related: np.ndarray = 1.0 - self._quick(low, high, with_no_relation(self.possible(heads, tails)))[0][:, 0]
        return related

    def write(self, directory: Path) -> None:
        """Write the files of the artifact."""
        super().write(directory)
        weights = {k: v for k, v in self.prior.state_dict().items() if k.startswith(("entity_embedding.", "prior."))}
        save_weights(weights, directory / PRIOR)
        save_weights(self.classifier.state_dict(), directory / CLASSIFIER)
        if self.encodings is not None:
            save_weights({"table": self.encodings.table}, directory / ENCODINGS)
        if self.calibration is not None:
            text = canonical_json(self.calibration.to_json())
            (directory / CALIBRATION).write_text(text, encoding="utf-8")

    def model_json(self) -> dict[str, Any]:
        """The sizes of the prior."""
        return {"dimensions": asdict(self.prior.dimensions)}

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path, verify: bool = True) -> PairModel:
        """Open a PAIRS artifact.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or files that do not fit together.
        """
        artifact = open_artifact(path, Kind.PAIRS, verify)
        settings = settings_of(artifact, PairSettings, UNSAID_OF_PAIRS)
        parts = read_parts(artifact)
        model, classes = parts.pop("model"), parts["data"].classes.names
        prior = PairPrior(Dimensions(**model["dimensions"]), len(parts["entities"]))
        load_weights(prior, artifact, PRIOR)
        classifier = new_classifier(prior.dimensions.z, len(classes), settings)
        load_weights(classifier, artifact, CLASSIFIER)
        return cls(
            prior=prior.eval(),
            classifier=classifier.eval(),
            settings=settings,
            calibration=read_calibration(artifact, classes),
            encodings=read_encodings(artifact, len(parts["entities"]), settings.graph_width),
            **parts,
        )


def read_encodings(artifact: Artifact, entities: int, width: int) -> Encodings | None:
    """The encodings of the entities from a graph, if the classifier was trained with them.

    Raises:
        ArtifactError: they are damaged, or of another shape than (entities, width).
    """
    if not width:
        return None
    try:
        table = load_file(artifact.file(ENCODINGS))["table"]
    except (SafetensorError, KeyError) as error:
        raise ArtifactError(f"{artifact.path}: {ENCODINGS} is damaged ({error}); train it again") from None
    if table.shape != (entities, width) or not bool(torch.isfinite(table).all()):
        raise ArtifactError(f"{artifact.path}: {ENCODINGS} holds no finite encoding of every entity; train it again")
    return Encodings(table)


def read_calibration(artifact: Artifact, classes: list[str]) -> Calibration | None:
    """The calibration, if the artifact has one.

    Raises:
        ArtifactError: it is damaged.
    """
    if CALIBRATION not in artifact.manifest.files:
        return None
    try:
        return Calibration.from_json(read_json(artifact, CALIBRATION), classes)
    except ValueError as error:
        raise ArtifactError(f"{artifact.path}: {CALIBRATION} is damaged ({error}); run kgrel calibrate again") from None
