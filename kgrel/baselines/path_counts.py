"""Degree-weighted path counts with logistic regression, as in hetnets (Himmelstein & Baranzini 2015).

Held-out pairs lose all their edges first, see :mod:`kgrel.graph.removal`. Then for each pair of types and each class

    p(r|x,y) = σ( b_r + Σ_m w_rm arcsinh( DWPC_m(x,y) / s_m ) )

over the metapaths m of two and three edges, s_m being the mean of DWPC_m over the training pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from kgrel.baselines.baseline import Baseline, Sources
from kgrel.baselines.settings import PathCountSettings
from kgrel.data.artifact import Kind
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.progress import Progress
from kgrel.graph.graph import Graph
from kgrel.graph.path_counts import PathCounts
from kgrel.graph.removal import removal_report, without_pairs
from kgrel.metrics.classification import average_precision
from kgrel.train.logistic import Line, fit_line
from kgrel.train.pair_artifact import Floats, Scale
from kgrel.train.pair_data import Part, Rows, rows_in
from kgrel.train.run import Run
from kgrel.train.settings import SplitSettings

TOLD = 5
"""Metapaths of the largest weights that the summary names for each class."""


@dataclass(frozen=True)
class TypePair:
    """What was learned for pairs of two types.

    Attributes:
        types: the two, sorted.
        metapaths: names of the M metapaths from the first to the second, one direction of each.
        scales: s_m (M,); 0 for one that no training pair has, which then counts nothing.
        lines: class → its weights (M,) and its intercept.
    """

    types: tuple[str, str]
    metapaths: list[str]
    scales: Floats
    lines: dict[str, Line]

    def features(self, counts: Floats) -> Floats:
        """arcsinh(DWPC / s) of path counts (n, M)."""
        there = self.scales > 0
        scaled: Floats = np.arcsinh(counts * np.divide(1.0, self.scales, out=np.zeros(len(there)), where=there))
        return scaled


def nodes_of(graph: Graph, entities: EntityTable) -> Rows:
    """The node of each entity, −1 where it is not in the graph (entities,).

    Raises:
        KgrelError: none is.
    """
    rows = rows_in(graph.entities, entities)
    if not (rows >= 0).any():
        raise KgrelError(
            f"no entity of the pairs is in the graph; its nodes are {graph.entities.examples()}, the "
            f"entities of the pairs {entities.examples()}: use the same identifiers"
        )
    return rows


@dataclass(kw_only=True)
class PathCountScorer(Baseline):
    """Scores are p(r|x,y) from the paths of a graph alone; a pair without any has the class' intercept."""

    KIND: ClassVar[Kind] = Kind.PATH_COUNTS
    SETTINGS: ClassVar[type[SplitSettings]] = PathCountSettings
    settings: PathCountSettings
    graph: Graph | None = None
    learned: list[TypePair] | None = None

    @property
    def title(self) -> str:
        """What it is called in tables."""
        return "path counts"

    @property
    def scale(self) -> Scale:
        """See :class:`PairArtifact`."""
        return "probability"

    def fit(self, sources: Sources, run: Run, progress: Progress) -> dict[str, Any]:
        """See :class:`Baseline`; the strength of the penalty is chosen for each class on the validation pairs.

        Raises:
            KgrelError: there is no graph, or no entity of the pairs is in it.
        """
        if sources.graph is None:
            raise KgrelError("path counts need a graph; give --graph GRAPH")
        rows = nodes_of(sources.graph, self.entities)
        held_out = self.data.parts != Part.TRAINING
        ends = rows[self.data.heads[held_out]], rows[self.data.tails[held_out]]
        report, self.graph = removal_report(sources.graph, *ends), without_pairs(sources.graph, *ends)
        progress.start("path counts", None)
        self.learned = []
        told: dict[str, Any] = {}
        for types, classes in self._classes_by_types().items():
            learned, found = self._fit_types(types, classes)
            self.learned.append(learned)
            told |= found
        self.graph.write(run.directory)
        return {"held_out": report, "chosen": told}

    def _classes_by_types(self) -> dict[tuple[str, str], list[int]]:
        """The two types, sorted, of every pair that some class relates, and the columns of these classes."""
        table, found = self.data.classes, dict[tuple[str, str], list[int]]()
        for first, second, column in zip(*np.nonzero(table.allowed), strict=True):
            if first <= second:
                found.setdefault((table.types[first], table.types[second]), []).append(int(column))
        return found

    def _fit_types(self, types: tuple[str, str], classes: list[int]) -> tuple[TypePair, dict[str, Any]]:
        parts: dict[Part, tuple[Rows, list[str], Floats]] = {}
        for part in (Part.TRAINING, Part.VALIDATION):
            rows = self.data.rows(part)
            rows = rows[self._of_types(types, self.data.heads[rows], self.data.tails[rows])]
            names, counts = self._counts(types, self.data.heads[rows], self.data.tails[rows])
            parts[part] = rows, names, counts
        rows, metapaths, counts = parts[Part.TRAINING]
        scales = counts.mean(axis=0) if len(counts) else np.zeros(len(metapaths))
        learned = TypePair(types, metapaths, scales, {})
        x, told = learned.features(counts), dict[str, Any]()
        held_rows, _, held_counts = parts[Part.VALIDATION]
        held_x = learned.features(held_counts)
        for column in classes:
            labels, held = self.data.labels[rows, column], self.data.labels[held_rows, column]
            best: tuple[float, float, Line] | None = None
            for strength in self.settings.strengths:
                line = fit_line(x, labels, strength)
                precision = average_precision(held, held_x @ line.weights) if held.any() else None
                if best is None or (precision or 0.0) > best[0]:
                    best = precision or 0.0, strength, line
            assert best is not None
            learned.lines[self.classes[column]] = best[2]
            heaviest = np.argsort(-best[2].weights * x.std(axis=0) if len(x) else best[2].weights)[:TOLD]
            told[self.classes[column]] = {
                "types": list(types),
                "metapaths": len(metapaths),
                "strength": best[1],
                "validation_average_precision": best[0],
                "heaviest": [metapaths[place] for place in heaviest.tolist()],
            }
        return learned, told

    def _of_types(self, types: tuple[str, str], heads: Rows, tails: Rows) -> np.ndarray:
        """Which pairs have the two types, in either order (n,)."""
        first, second = (self.data.classes.types.index(name) for name in types)
        a, b = self.data.type_rows[heads], self.data.type_rows[tails]
        of: np.ndarray = (np.minimum(a, b) == first) & (np.maximum(a, b) == second)
        return of

    @cached_property
    def _walks(self) -> PathCounts:
        assert self.graph is not None
        return PathCounts(self.graph, self.settings.damping, self.settings.longest)

    @cached_property
    def _nodes(self) -> Rows:
        """The node of each entity, −1 where it is not in the graph (entities,)."""
        assert self.graph is not None
        return rows_in(self.graph.entities, self.entities)

    def _counts(self, types: tuple[str, str], heads: Rows, tails: Rows) -> tuple[list[str], Floats]:
        """Names of the metapaths, and their path counts for pairs of two types (n, M); 0 outside the graph.

        Between entities of one type, a metapath and its reverse are added up, so that order does not matter.
        """
        swapped = self.data.type_rows[heads] > self.data.type_rows[tails]
        x, y = self._nodes[np.where(swapped, tails, heads)], self._nodes[np.where(swapped, heads, tails)]
        metapaths = self._walks.metapaths(*types)
        names = [metapath.name for metapath in metapaths]
        counts, inside = np.zeros((len(x), len(names))), np.flatnonzero((x >= 0) & (y >= 0) & (x != y))
        counts[inside] = self._walks.counts(*types, x[inside], y[inside])
        if types[0] == types[1]:
            back = [names.index(metapath.reversed_name) for metapath in metapaths]
            kept = [column for column, other in enumerate(back) if column <= other]
            counts = counts[:, kept] + counts[:, [back[column] for column in kept]]
            names = [names[column] for column in kept]
        return names, counts

    def model_json(self) -> dict[str, Any]:
        """Scales and weights of the metapaths."""
        assert self.learned is not None
        return {
            "path_counts": [
                {
                    "types": list(one.types),
                    "metapaths": one.metapaths,
                    "scales": one.scales.tolist(),
                    "lines": {
                        name: {"intercept": line.intercept, "weights": line.weights.tolist()}
                        for name, line in one.lines.items()
                    },
                }
                for one in self.learned
            ]
        }

    def read_fitted(self, model: dict[str, Any]) -> None:
        """See :class:`Baseline`.

        Raises:
            ArtifactError: the weights are damaged.
        """
        assert self.artifact is not None
        self.graph = Graph.read(self.artifact)
        try:
            self.learned = [
                TypePair(
                    (one["types"][0], one["types"][1]),
                    list(one["metapaths"]),
                    np.asarray(one["scales"], dtype=np.float64),
                    {
                        name: Line(np.asarray(line["weights"], dtype=np.float64), float(line["intercept"]))
                        for name, line in one["lines"].items()
                    },
                )
                for one in model["path_counts"]
            ]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ArtifactError(f"{self.artifact.path}: model.json is damaged ({error}); train it again") from None

    def scores(self, heads: Rows, tails: Rows) -> Floats:
        """See :class:`Baseline`; 0 for classes that the types rule out."""
        assert self.learned is not None
        found = np.zeros((len(heads), len(self.classes)))
        for one in self.learned:
            rows = np.flatnonzero(self._of_types(one.types, heads, tails))
            if not len(rows):
                continue
            x = one.features(self._counts(one.types, heads[rows], tails[rows])[1])
            for name, line in one.lines.items():
                found[rows, self.classes.index(name)] = expit(line.intercept + x @ line.weights)
        return found
