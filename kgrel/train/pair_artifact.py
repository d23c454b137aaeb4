"""What every artifact that scores pairs holds: entities, split, co-mention table, known relations and thresholds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.data.artifact import Artifact, read_json
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import canonical_json
from kgrel.metrics.classification import average_precision, best
from kgrel.metrics.thresholds import best_threshold, best_thresholds_per_class
from kgrel.train.pair_data import ClassTable, Flags, PairData, Part, Rows, type_rows_of
from kgrel.train.settings import SplitSettings
from kgrel.train.text_statistics import TextStatistics

ENTITIES, MODEL = "entities.parquet", "model.json"
PAIRS, COMENTIONS, RELATIONS = "pairs.parquet", "comentions.parquet", "relations.parquet"
Floats = npt.NDArray[np.float64]
Scale = Literal["probability", "count", "logit"]
"""What scores are: between 0 and 1, from 0 on, or any numbers."""


@dataclass(kw_only=True)
class PairArtifact(ABC):
    """Labelled pairs and what is known of them; subclasses add what scores them.

    Attributes:
        data: labelled pairs with their parts.
        comentions: heads, tails (head < tail, sorted) and numbers of contexts of all co-mentioned pairs.
        relations: heads, tails (head < tail, sorted) and class of the listed pairs, each (pair, class) once.
        thresholds: one a class (C,); all equal for a global threshold. A class is given where score > threshold.
    """

    entities: EntityTable
    data: PairData
    comentions: tuple[Rows, Rows, Rows]
    relations: tuple[Rows, Rows, Rows]
    thresholds: Floats
    settings: SplitSettings
    artifact: Artifact | None = None

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is called in tables."""

    @property
    @abstractmethod
    def scale(self) -> Scale:
        """What its scores are."""

    @property
    def classes(self) -> list[str]:
        """The positive classes."""
        return self.data.classes.names

    @abstractmethod
    def predict(self, heads: Rows, tails: Rows) -> tuple[Floats, Floats]:
        """Score of each positive class and its spread: (n, C) each."""

    @abstractmethod
    def quick(self, heads: Rows, tails: Rows) -> Floats:
        """A cheap stand-in for the score of the best class (n,), to choose which pairs to score in full."""

    @cached_property
    def _labelled(self) -> Flags:
        labelled: Flags = self.data.label_degrees() > 0
        return labelled

    @cached_property
    def statistics(self) -> TextStatistics:
        """What counting alone tells of any pair."""
        return TextStatistics(self.comentions, len(self.entities))

    def covered(self, heads: Rows, tails: Rows) -> Flags:
        """For which possible classes both entities of each pair have a training label: (n, C)."""
        return self._labelled[heads] & self._labelled[tails] & self.possible(heads, tails)

    def possible(self, heads: Rows, tails: Rows) -> Flags:
        """Which positive classes the types of each pair allow: (n, C)."""
        return self.data.classes.possible(self.data.type_rows, heads, tails)

    def contexts(self, heads: Rows, tails: Rows) -> Rows:
        """Number of contexts that mention each pair, in either order: (n,)."""
        return self.statistics.contexts(heads, tails)

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
        model = {"classes": table.names, "allowed": allowed, "thresholds": self.thresholds.tolist()}
        (directory / MODEL).write_text(canonical_json(model | self.model_json()), encoding="utf-8")

    def model_json(self) -> dict[str, Any]:
        """What a subclass keeps in ``model.json`` beside classes and thresholds."""
        return {}


def refuse_other_split(model: PairArtifact, other: PairArtifact) -> None:
    """Artifacts can be compared or combined only on the same pairs, and only if none was trained on another's test
    pairs.

    Raises:
        KgrelError: entities, classes, pairs, labels or parts differ; it names which.
    """
    names = [list(zip(one.entities.types, one.entities.ids, strict=True)) for one in (model, other)]
    same = {"entities": names[0] == names[1], "classes": model.classes == other.classes}
    for name in ("heads", "tails", "labels", "parts"):
        same[name] = np.array_equal(getattr(model.data, name), getattr(other.data, name))
    for what, equal in same.items():
        if not equal:
            raise KgrelError(
                f"{other.artifact.path if other.artifact else other.title}: its {what} are not those of the first "
                "artifact; train it on the same corpus, relations, split settings and seed"
            )


def read_parts(artifact: Artifact) -> dict[str, Any]:
    """The attributes of :class:`PairArtifact` but for its settings, and ``model.json`` under ``model``.

    Raises:
        ArtifactError: a file is damaged, or the files do not fit together.
    """
    model = read_json(artifact, MODEL)
    entities = EntityTable.read(artifact.file(ENTITIES))
    types, type_rows = type_rows_of(entities)
    classes = read_classes(model, types)
    thresholds = np.asarray(model["thresholds"], dtype=np.float64)
    if thresholds.shape != (len(classes.names),) or not np.isfinite(thresholds).all():
        raise ArtifactError(f"{artifact.path}: {MODEL} holds no finite threshold a class; run kgrel tune-threshold")
    return {
        "entities": entities,
        "data": read_pairs(artifact, classes, type_rows),
        "comentions": int_columns(artifact, COMENTIONS, ("head", "tail", "contexts"), len(entities)),
        "relations": int_columns(artifact, RELATIONS, ("head", "tail", "class"), len(entities)),
        "thresholds": thresholds,
        "artifact": artifact,
        "model": model,
    }


def int_columns(artifact: Artifact, name: str, columns: tuple[str, str, str], entities: int) -> tuple[Rows, Rows, Rows]:
    """Three columns of a Parquet file as int64 arrays, the first two of them rows of so many entities.

    Raises:
        ArtifactError: a column is missing or no column of numbers, or names an entity that is not there.
    """
    try:
        table = pq.read_table(artifact.file(name), columns=list(columns))
        first, second, third = (table.column(column).to_numpy().astype(np.int64) for column in columns)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise ArtifactError(f"{artifact.path}: {name} is damaged ({error})") from None
    if len(first) and (min(first.min(), second.min()) < 0 or max(first.max(), second.max()) >= entities):
        raise ArtifactError(f"{artifact.path}: {name} names an entity that is not there; make the artifact again")
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
    heads, tails, contexts = int_columns(artifact, PAIRS, ("head", "tail", "contexts"), len(type_rows))
    table = pq.read_table(artifact.file(PAIRS), columns=["part", "labels"])
    parts, lists = table.column("part").to_numpy(), table.column("labels").combine_chunks()
    labels = np.zeros((len(heads), len(classes.names)), dtype=np.bool_)
    lengths = np.diff(lists.offsets.to_numpy())
    labels[np.repeat(np.arange(len(heads)), lengths), lists.flatten().to_numpy()] = True
    return PairData(classes, type_rows, heads, tails, labels, parts.astype(np.int8), contexts)


def describe(model: PairArtifact) -> dict[str, Any]:
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
