"""The PAIRS artifact: everything that scoring, tuning and evaluating a pair classifier needs, in one directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from kgrel.data.artifact import Artifact, Kind, open_artifact
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import canonical_json
from kgrel.data.settings import from_json
from kgrel.metrics.classification import average_precision, best
from kgrel.metrics.thresholds import best_threshold, best_thresholds_per_class
from kgrel.model.classifier import RelationClassifier
from kgrel.model.noise import CommonNoise
from kgrel.model.predictive import Predictive
from kgrel.model.presets import Dimensions
from kgrel.model.relvm import PairPrior
from kgrel.model.representation import load_weights, read_json, save_weights
from kgrel.model.uncertainty import Predicted, predict_with_uncertainty
from kgrel.train.batches import Stream, torch_seed
from kgrel.train.calibration import NOT_CALIBRATED, Calibration, Sampling
from kgrel.train.pair_data import ClassTable, Flags, PairData, Part, Rows, lookup, type_rows_of
from kgrel.train.pairs import prediction_noise, with_no_relation
from kgrel.train.settings import PairSettings

PRIOR, CLASSIFIER, ENTITIES = "prior.safetensors", "classifier.safetensors", "entities.parquet"
PAIRS, COMENTIONS, RELATIONS, MODEL = "pairs.parquet", "comentions.parquet", "relations.parquet", "model.json"
CALIBRATION = "calibration.json"
"""Only there once the classifier is calibrated."""
UNSAID = {"prediction_noise": "random", "prediction_precision": "fp32"}
"""What holds for artifacts that were written before these settings were there."""


@dataclass
class PairModel:
    """A trained pair classifier with its representation, split, co-mention table, known relations and thresholds.

    Attributes:
        data: labelled pairs with their parts.
        comentions: heads, tails (head < tail, sorted) and numbers of contexts of all co-mentioned pairs.
        relations: heads, tails (head < tail, sorted) and class of the listed pairs, each (pair, class) once.
        thresholds: one a class (C,); all equal for a global threshold. A class is given where score > threshold.
        calibration: from scores to probabilities; None until ``calibrate``.
    """

    prior: PairPrior
    classifier: RelationClassifier
    entities: EntityTable
    data: PairData
    comentions: tuple[Rows, Rows, Rows]
    relations: tuple[Rows, Rows, Rows]
    thresholds: np.ndarray
    settings: PairSettings
    artifact: Artifact | None = None
    calibration: Calibration | None = None

    @property
    def classes(self) -> list[str]:
        """The positive classes."""
        return self.data.classes.names

    @cached_property
    def predictive(self) -> Predictive:
        """The posterior predictive with everything that does not depend on the pair computed."""
        noise = prediction_noise(self.prior, self.settings)
        s = self.settings
        return Predictive(self.prior, self.classifier, noise, s.order, s.prediction_precision)

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

    @cached_property
    def _labelled(self) -> Flags:
        labelled: Flags = self.data.label_degrees() > 0
        return labelled

    def covered(self, heads: Rows, tails: Rows) -> Flags:
        """For which possible classes both entities of each pair have a training label: (n, C)."""
        return self._labelled[heads] & self._labelled[tails] & self.possible(heads, tails)

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
        return Predictive(self.prior, self.classifier, at_mean, "given", self.settings.prediction_precision)

    def quick(self, heads: Rows, tails: Rows) -> np.ndarray:
        """1 − p(NO-RELATION | z) at the mean of u and z, one sample, one order: (n,)."""
        low, high = np.minimum(heads, tails), np.maximum(heads, tails)
        related: np.ndarray = 1.0 - self._quick(low, high, with_no_relation(self.possible(heads, tails)))[0][:, 0]
        return related

    def possible(self, heads: Rows, tails: Rows) -> Flags:
        """Which positive classes the types of each pair allow: (n, C)."""
        return self.data.classes.possible(self.data.type_rows, heads, tails)

    def contexts(self, heads: Rows, tails: Rows) -> Rows:
        """Number of contexts that mention each pair, in either order: (n,)."""
        size = len(self.entities)
        first, second, counts = self.comentions
        wanted = np.minimum(heads, tails) * size + np.maximum(heads, tails)
        return lookup(first * size + second, counts, wanted)

    def known(self, heads: Rows, tails: Rows) -> list[str | None]:
        """Listed classes of each pair, in either order, joined by ``|``; None where none is listed."""
        size = len(self.entities)
        first, second, classes = self.relations
        keys = first * size + second
        wanted = np.minimum(heads, tails) * size + np.maximum(heads, tails)
        starts, ends = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
        return [
            "|".join(self.classes[row] for row in classes[start:end]) if start < end else None
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]

    def tune(self) -> dict[str, Any]:
        """Set the thresholds that maximise F1 on the validation pairs, exactly; returns what was found."""
        rows = self.data.rows(Part.VALIDATION)
        scores, _ = self.predict(self.data.heads[rows], self.data.tails[rows])
        classes, values = best(scores, self.data.possible(rows))
        labels = self.data.labels[rows]
        overall = best_threshold(classes, values, labels)
        if self.settings.per_class_thresholds:
            self.thresholds = np.asarray(best_thresholds_per_class(classes, values, labels))
        else:
            self.thresholds = np.full(len(self.classes), overall.value)
        thresholds = dict(zip(self.classes, self.thresholds.tolist(), strict=True))
        found: dict[str, Any] = {"thresholds": thresholds, "validation_f1_global": overall.f1}
        return found | {"validation_average_precision": average_precision(labels.any(axis=1), values)}

    def write(self, directory: Path) -> None:
        """Write the files of the artifact."""
        weights = {k: v for k, v in self.prior.state_dict().items() if k.startswith(("entity_embedding.", "prior."))}
        save_weights(weights, directory / PRIOR)
        save_weights(self.classifier.state_dict(), directory / CLASSIFIER)
        self.entities.write(directory / ENTITIES)
        d, table = self.data, self.data.classes
        labels = pa.array([np.flatnonzero(row) for row in d.labels], pa.list_(pa.int64()))
        columns = {
            "head": d.heads,
            "tail": d.tails,
            "part": d.parts,
            "contexts": d.contexts,
            "labels": labels,
        }
        pq.write_table(pa.table(columns), directory / PAIRS)
        heads, tails, counts = self.comentions
        pq.write_table(pa.table({"head": heads, "tail": tails, "contexts": counts}), directory / COMENTIONS)
        heads, tails, rows = self.relations
        pq.write_table(pa.table({"head": heads, "tail": tails, "class": rows}), directory / RELATIONS)
        allowed = [
            {"types": [table.types[a], table.types[b]], "class": table.names[c]}
            for a, b, c in zip(*np.nonzero(table.allowed), strict=True)
            if a <= b
        ]
        model = {"dimensions": asdict(self.prior.dimensions), "classes": table.names, "allowed": allowed}
        model |= {"thresholds": self.thresholds.tolist()}
        (directory / MODEL).write_text(canonical_json(model), encoding="utf-8")
        if self.calibration is not None:
            text = canonical_json(self.calibration.to_json())
            (directory / CALIBRATION).write_text(text, encoding="utf-8")

    @classmethod
    def open(cls, path: str | Path, verify: bool = True) -> PairModel:
        """Open a PAIRS artifact.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or files that do not fit together.
        """
        artifact = open_artifact(path, Kind.PAIRS, verify)
        settings = from_json(PairSettings, UNSAID | artifact.manifest.settings)
        model = read_json(artifact, MODEL)
        entities = EntityTable.read(artifact.file(ENTITIES))
        types, type_rows = type_rows_of(entities)
        classes = read_classes(model, types)
        prior = PairPrior(Dimensions(**model["dimensions"]), len(entities))
        load_weights(prior, artifact, PRIOR)
        classifier = RelationClassifier(prior.dimensions.z, 1 + len(classes.names), settings.hidden)
        load_weights(classifier, artifact, CLASSIFIER)
        comentions = int_columns(artifact, COMENTIONS, ("head", "tail", "contexts"))
        relations = int_columns(artifact, RELATIONS, ("head", "tail", "class"))
        thresholds = np.asarray(model["thresholds"], dtype=np.float64)
        if thresholds.shape != (len(classes.names),) or not np.isfinite(thresholds).all():
            raise ArtifactError(f"{artifact.path}: {MODEL} holds no finite threshold a class; run kgrel tune-threshold")
        data = read_pairs(artifact, classes, type_rows)
        return cls(
            prior.eval(),
            classifier.eval(),
            entities,
            data,
            comentions,
            relations,
            thresholds,
            settings,
            artifact,
            read_calibration(artifact, classes.names),
        )


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


def int_columns(artifact: Artifact, name: str, columns: tuple[str, str, str]) -> tuple[Rows, Rows, Rows]:
    """Three columns of a Parquet file as int64 arrays."""
    try:
        table = pq.read_table(artifact.file(name), columns=list(columns))
        first, second, third = (table.column(column).to_numpy().astype(np.int64) for column in columns)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise ArtifactError(f"{artifact.path}: {name} is damaged ({error})") from None
    return first, second, third


def read_classes(model: dict[str, Any], types: list[str]) -> ClassTable:
    """The class table from ``model.json``."""
    names = list(model["classes"])
    allowed = np.zeros((len(types), len(types), len(names)), dtype=np.bool_)
    for entry in model["allowed"]:
        first, second = (types.index(name) for name in entry["types"])
        allowed[[first, second], [second, first], names.index(entry["class"])] = True
    return ClassTable(names, types, allowed)


def read_pairs(artifact: Artifact, classes: ClassTable, type_rows: Rows) -> PairData:
    """The labelled pairs from ``pairs.parquet``."""
    heads, tails, contexts = int_columns(artifact, PAIRS, ("head", "tail", "contexts"))
    table = pq.read_table(artifact.file(PAIRS), columns=["part", "labels"])
    parts, lists = table.column("part").to_numpy(), table.column("labels").combine_chunks()
    labels = np.zeros((len(heads), len(classes.names)), dtype=np.bool_)
    lengths = np.diff(lists.offsets.to_numpy())
    labels[np.repeat(np.arange(len(heads)), lengths), lists.flatten().to_numpy()] = True
    return PairData(classes, type_rows, heads, tails, labels, parts.astype(np.int8), contexts)


def describe(model: PairModel) -> dict[str, Any]:
    """Counts of the split by part and class, for the summary."""
    summary: dict[str, Any] = {}
    for part in Part:
        rows = model.data.rows(part)
        labels = model.data.labels[rows]
        summary[part.name.lower()] = {
            "pairs": len(rows),
            "listed": int(labels.any(axis=1).sum()),
            "covered": int(model.data.covered(rows).sum()),
            **{name: int(count) for name, count in zip(model.classes, labels.sum(axis=0), strict=True)},
        }
    return summary
