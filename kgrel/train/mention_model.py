"""The MENTIONS artifact: a classifier of sentences with its words, types, classes and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from kgrel.data.artifact import Artifact, Kind, open_artifact, opens_artifact, read_json, settings_of
from kgrel.data.errors import ArtifactError, NonFiniteError
from kgrel.data.files import canonical_json
from kgrel.metrics.classification import best, predict
from kgrel.metrics.thresholds import best_threshold
from kgrel.model.mentions import MentionClassifier
from kgrel.model.noise import CommonNoise, common_noise
from kgrel.model.predictive import moments
from kgrel.model.presets import Dimensions
from kgrel.model.representation import load_weights, save_weights
from kgrel.train.batches import Stream, torch_seed
from kgrel.train.mention_data import Encoded
from kgrel.train.mention_settings import MentionSettings

WEIGHTS, VOCABULARY, MODEL = "weights.safetensors", "vocabulary.json", "model.json"
TILE, STRIDE = 32, 16
"""Sentences computed together, and the step in which their padded lengths grow. Tiles are always full, and the padded
length is a function of the sentence, so that its scores do not depend on its neighbours."""

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass
class MentionModel:
    """p̄(r|x,y,c) and what its rows mean.

    Attributes:
        words, types: the row of each is its place.
        classes: that of no relation first.
        possible: which classes a pair of types has in training, no relation always, (types, types, C), symmetric; a
            pair of types without any other class is unknown.
        thresholds: one a positive class (C − 1,); None = the largest class is given.
    """

    classifier: MentionClassifier
    words: list[str]
    types: list[str]
    classes: list[str]
    possible: Flags
    settings: MentionSettings
    thresholds: Floats | None = None
    artifact: Artifact | None = None

    def __post_init__(self) -> None:
        self._words = {word: row for row, word in enumerate(self.words)}
        self._kinds = {name: row for row, name in enumerate(self.types)}

    @property
    def noise(self) -> CommonNoise:
        """The noise that all sentences share."""
        s = self.settings
        seed = torch_seed(s.seed, Stream.PREDICTION)
        return common_noise(self.classifier.dimensions, s.prediction_samples, seed, s.prediction_noise)

    @property
    def pairs(self) -> list[frozenset[str]]:
        """The pairs of types that have a positive class."""
        places = np.argwhere(self.possible[..., 1:].any(axis=-1))
        return sorted({frozenset((self.types[a], self.types[b])) for a, b in places.tolist()}, key=sorted)

    def encode(self, contexts: Sequence[Sequence[str]], types: Sequence[tuple[str, str]]) -> Encoded:
        """Contexts in the rows of this model."""
        return Encoded(contexts, types, self._words, self._kinds)

    def known(self, encoded: Encoded) -> Flags:
        """Whether the pair of types of each sentence was there in training (n,)."""
        typed = (encoded.x >= 0) & (encoded.y >= 0)
        known: Flags = typed & self.possible[encoded.x, encoded.y, 1:].any(axis=-1)
        return known

    @torch.inference_mode()
    def predict(self, encoded: Encoded) -> tuple[Floats, Floats]:
        """Mean and standard deviation over samples of p(r|z): (n, C) each; the types must be known.

        Raises:
            NonFiniteError: a probability is NaN or infinite.
        """
        mean, std = (np.empty((len(encoded), len(self.classes))) for _ in range(2))
        device = self.classifier.word_embedding.weight.device
        noise = self.noise
        for rows, filled, length in tiles(encoded):
            x, y, tokens = (torch.from_numpy(a).to(device) for a in columns(encoded, filled, length))
            possible = torch.from_numpy(self.possible[encoded.x[filled], encoded.y[filled]]).to(device)
            log_p = self.classifier(x, y, tokens, noise.u.to(device), noise.z.to(device), possible)  # (TILE, S, C)
            for out, found in zip((mean, std), moments(log_p.double().exp().unbind(1)), strict=True):
                out[rows] = found[: len(rows)].cpu().numpy()
        if not np.isfinite(mean).all():
            raise NonFiniteError("a probability is not finite; the weights are damaged, train the classifier again")
        return mean, std

    @torch.inference_mode()
    def relations(self, encoded: Encoded) -> npt.NDArray[np.float32]:
        """Samples of z for each sentence, in the space of pairs: (n, S, Z)."""
        device = self.classifier.word_embedding.weight.device
        noise = self.noise
        z = np.empty((len(encoded), self.settings.prediction_samples, self.classifier.dimensions.z), np.float32)
        for rows, filled, length in tiles(encoded):
            x, y, tokens = (torch.from_numpy(a).to(device) for a in columns(encoded, filled, length))
            found = self.classifier.sample_contexts(x, y, tokens, noise.u.to(device), noise.z.to(device))
            z[rows] = found[: len(rows)].float().cpu().numpy()
        return z

    def decide(self, mean: Floats) -> tuple[Rows, Rows, Floats]:
        """The answer to each sentence of which p̄ (n, C) is given.

        Returns:
            The class given, 0 for no relation; the best positive class; and its p̄: (n,) each.
        """
        number, score = best(mean[:, 1:])
        if self.thresholds is None:
            return mean.argmax(axis=1), number + 1, score
        return predict(number, score, self.thresholds) + 1, number + 1, score

    def tune(self, mean: Floats, labels: Rows) -> float:
        """Set the threshold that maximises micro-F1 of sentences with p̄ (n, C) and class numbers (n,); returns it."""
        truth = labels[:, None] == np.arange(1, len(self.classes))
        number, score = best(mean[:, 1:])
        found = best_threshold(number, score, truth)
        self.thresholds = np.full(len(self.classes) - 1, found.value)
        return found.value

    def write(self, directory: Path) -> None:
        """Write the files of the artifact."""
        save_weights(self.classifier.state_dict(), directory / WEIGHTS)
        (directory / VOCABULARY).write_text(canonical_json({"words": self.words}), encoding="utf-8")
        allowed = [
            [self.types[a], self.types[b], self.classes[c]] for a, b, c in np.argwhere(self.possible).tolist() if a <= b
        ]
        thresholds = None if self.thresholds is None else self.thresholds.tolist()
        model = {
            "dimensions": asdict(self.classifier.dimensions),
            "types": self.types,
            "classes": self.classes,
            "allowed": allowed,
            "thresholds": thresholds,
        }
        (directory / MODEL).write_text(canonical_json(model), encoding="utf-8")

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path, verify: bool = True) -> MentionModel:
        """Open a MENTIONS artifact.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or files that do not fit together.
        """
        artifact = open_artifact(path, Kind.MENTIONS, verify)
        settings = settings_of(artifact, MentionSettings)
        model, words = read_json(artifact, MODEL), read_json(artifact, VOCABULARY)["words"]
        types, classes = model["types"], model["classes"]
        possible = np.zeros((len(types), len(types), len(classes)), np.bool_)
        for first, second, name in model["allowed"]:
            a, b, c = types.index(first), types.index(second), classes.index(name)
            possible[[a, b], [b, a], c] = True
        dimensions = Dimensions(**model["dimensions"])
        classifier = MentionClassifier(
            dimensions, len(types), len(words), len(classes), settings.hidden, settings.pooling
        )
        load_weights(classifier, artifact, WEIGHTS)
        thresholds = None if model["thresholds"] is None else np.asarray(model["thresholds"], np.float64)
        if thresholds is not None and not (thresholds.shape == (len(classes) - 1,) and np.isfinite(thresholds).all()):
            raise ArtifactError(
                f"{artifact.path}: {MODEL} holds no finite threshold a class; train the classifier again"
            )
        return cls(classifier.eval(), words, types, classes, possible, settings, thresholds, artifact)


def tiles(encoded: Encoded) -> list[tuple[Rows, Rows, int]]:
    """Rows of equal padded length together: the rows of a tile, the same filled up to ``TILE``, and the length."""
    padded = -(-encoded.lengths // STRIDE) * STRIDE
    found = []
    for length in np.unique(padded).tolist():
        rows = np.flatnonzero(padded == length)
        for start in range(0, len(rows), TILE):
            part = rows[start : start + TILE]
            found.append((part, np.concatenate([part, np.repeat(part[-1:], TILE - len(part))]), length))
    return found


def columns(encoded: Encoded, rows: Rows, length: int) -> tuple[Rows, Rows, Rows]:
    """Type rows x, y (B,) and tokens (B, T) of some sentences."""
    return encoded.x[rows], encoded.y[rows], encoded.gather(rows, length)
