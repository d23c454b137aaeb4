"""What every scorer offers, and how its scores become the columns of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.metrics.classification import best
from kgrel.score.candidates import Columns, Resolved, Resolver
from kgrel.score.confidence import Uncertain, Wanted, further_columns, further_values, probabilities_of

NO_RELATION = "NO-RELATION"
ADDED = {
    "relation": pa.string(),
    "best_relation": pa.string(),
    "score": pa.float64(),
    "score_std": pa.float64(),
    "probability": pa.float64(),
    "status": pa.string(),
    "seen_in_text": pa.int64(),
    "known_relation": pa.string(),
}
"""The columns that scoring adds, in order."""

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Scorer(Protocol):
    """Scores pairs of entities for each of C positive classes."""

    @property
    def classes(self) -> list[str]:
        """The positive classes."""
        ...

    @property
    def entities(self) -> EntityTable:
        """The entities that it knows."""
        ...

    @property
    def thresholds(self) -> Floats:
        """One a class (C,): a relation is given where its score exceeds it."""
        ...

    def predict(self, heads: Rows, tails: Rows) -> tuple[Floats, Floats]:
        """Score and its spread for each pair of entity rows and class: (n, C) each."""
        ...

    def quick(self, heads: Rows, tails: Rows) -> Floats:
        """A cheap stand-in for the score of the best class (n,), to choose which pairs to score in full."""
        ...

    def possible(self, heads: Rows, tails: Rows) -> Flags:
        """Which classes the types of each pair allow: (n, C)."""
        ...

    def contexts(self, heads: Rows, tails: Rows) -> Rows:
        """In how many contexts each pair stands (n,)."""
        ...

    def known(self, heads: Rows, tails: Rows) -> list[str | None]:
        """Listed classes of each pair, joined by ``|``."""
        ...


@runtime_checkable
class CoMentioned(Protocol):
    """A scorer that knows which pairs stand together in text."""

    @property
    def comentions(self) -> tuple[Rows, Rows, Rows]:
        """Heads, tails and numbers of contexts of all co-mentioned pairs, each unordered pair once."""
        ...

    @property
    def entities(self) -> EntityTable:
        """The entities that it knows."""
        ...


@runtime_checkable
class Predicting(Protocol):
    """A scorer that has embeddings which were not learned but predicted."""

    def predicted_rows(self, heads: Rows, tails: Rows) -> Flags:
        """Which pairs have an entity of such an embedding (n,)."""
        ...


def entity_contexts(scorer: CoMentioned) -> Rows:
    """In how many contexts each entity stands with any other one: (entities,)."""
    heads, tails, counts = scorer.comentions
    found = np.zeros(len(scorer.entities), dtype=np.int64)
    for side in (heads, tails):
        np.add.at(found, side, counts)
    return found


@dataclass(frozen=True)
class Scored:
    """The answer to a chunk: its added columns, and the status of each row."""

    columns: dict[str, pa.Array]
    status: npt.NDArray[np.str_]
    reasons: pa.Array
    """For each scored row why it has a probability, or has none; null for the others."""


def score_chunk(
    scorer: Scorer, resolver: Resolver, table: pa.Table, columns: Columns, wanted: Wanted | None = None
) -> Scored:
    """Score the pairs of one chunk; rows that cannot be scored get nulls and a status.

    Raises:
        NonFiniteError: a score is NaN or infinite.
        KgrelError: probabilities that do not hold for these scores.
    """
    wanted = wanted or Wanted()
    resolved = resolver.resolve(table, columns)
    resolved.status[rows_without_class(scorer, resolved)] = "untyped"
    if isinstance(scorer, Predicting):
        rows = resolved.ok
        far = scorer.predicted_rows(resolved.heads[rows], resolved.tails[rows])
        resolved.status[rows[far]] = "inductive"
    rows, size = resolved.ok, len(resolved.heads)
    answers, reasons = answer_pairs(scorer, resolved.heads[rows], resolved.tails[rows], wanted)
    known_rows = np.flatnonzero((resolved.heads >= 0) & (resolved.tails >= 0))
    known = resolved.heads[known_rows], resolved.tails[known_rows]
    found = {name: spread(values, rows, size) for name, values in answers.items()}
    found["status"] = resolved.status.astype(object)
    found["seen_in_text"] = spread(scorer.contexts(*known), known_rows, size)
    found["known_relation"] = spread(scorer.known(*known), known_rows, size)
    types = added_columns(scorer, wanted)
    arrays = {name: pa.array(found[name], type_) for name, type_ in types.items()}
    return Scored(arrays, resolved.status, pa.array(spread(reasons, rows, size), pa.string()))


def spread(values: object, rows: Rows, size: int) -> npt.NDArray[np.object_]:
    """``values`` at some of ``size`` rows, None elsewhere."""
    full = np.full(size, None, dtype=object)
    full[rows] = values
    return full


def answer_pairs(
    scorer: Scorer, heads: Rows, tails: Rows, wanted: Wanted
) -> tuple[dict[str, object], npt.NDArray[np.object_]]:
    """What is said of n pairs that can be scored: column → values (n,), and the reasons of the probabilities (n,)."""
    further = None
    if wanted.uncertainty and isinstance(scorer, Uncertain):
        further = scorer.predict_with_uncertainty(heads, tails)
        mean, std = further.mean, further.std
    else:
        mean, std = scorer.predict(heads, tails)
    if not (np.isfinite(mean).all() and np.isfinite(std).all()):
        raise NonFiniteError("a score is not finite; the artifact's weights are damaged or diverged in training")
    classes, scores = best(mean, scorer.possible(heads, tails)) if len(heads) else (heads, np.zeros(0))
    names = np.array(scorer.classes, dtype=object)
    probability, reasons = probabilities_of(scorer, heads, tails, classes, scores, wanted)
    nullable = probability.astype(object)
    nullable[np.isnan(probability)] = None
    answers: dict[str, object] = {
        "relation": np.where(scores > scorer.thresholds[classes], names[classes], NO_RELATION),
        "best_relation": names[classes],
        "score": scores,
        "score_std": std[np.arange(len(heads)), classes],
        "probability": nullable,
    }
    return answers | (further_values(further, classes) if further else {}), reasons


def added_columns(scorer: Scorer, wanted: Wanted) -> dict[str, pa.DataType]:
    """The columns that scoring adds, in order: :data:`ADDED`, and what else is wanted."""
    return ADDED | further_columns(scorer, wanted)


def rows_without_class(scorer: Scorer, resolved: Resolved) -> Rows:
    """Rows whose types no class relates."""
    rows = resolved.ok
    possible = scorer.possible(resolved.heads[rows], resolved.tails[rows])
    return rows[~possible.any(axis=1)]


def refuse_clash(names: list[str], prefix: str, path: str, added: Iterable[str] = ADDED) -> None:
    """Every input column is kept, so none may have the name of an added one."""
    taken = {prefix + name for name in added}
    clash = [name for name in names if name in taken]
    if clash:
        raise KgrelError(
            f"{path}: the column {clash[0]!r} is there already; rename it, or pass --prefix to rename the added ones"
        )
