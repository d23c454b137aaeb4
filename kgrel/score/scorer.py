"""What every scorer offers, and how its scores become the columns of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.metrics.classification import best
from kgrel.score.candidates import Columns, Resolved, Resolver

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


@dataclass(frozen=True)
class Scored:
    """The answer to a chunk: its added columns, and the status of each row."""

    columns: dict[str, pa.Array]
    status: npt.NDArray[np.str_]


def score_chunk(scorer: Scorer, resolver: Resolver, table: pa.Table, columns: Columns) -> Scored:
    """Score the pairs of one chunk; rows that cannot be scored get nulls and a status.

    Raises:
        NonFiniteError: a score is NaN or infinite.
    """
    resolved = resolver.resolve(table, columns)
    impossible = rows_without_class(scorer, resolved)
    resolved.status[impossible] = "untyped"
    rows = resolved.ok
    heads, tails = resolved.heads[rows], resolved.tails[rows]
    mean, std = scorer.predict(heads, tails)
    if not (np.isfinite(mean).all() and np.isfinite(std).all()):
        raise NonFiniteError("a score is not finite; the artifact's weights are damaged or diverged in training")
    classes, scores = best(mean, scorer.possible(heads, tails)) if len(rows) else (rows, np.zeros(0))
    names = np.array(scorer.classes, dtype=object)
    accepted = scores > scorer.thresholds[classes]
    both_known = (resolved.heads >= 0) & (resolved.tails >= 0)
    known_rows = np.flatnonzero(both_known)
    known_heads, known_tails = resolved.heads[known_rows], resolved.tails[known_rows]
    size = len(resolved.heads)

    def column(name: str, values: object, at: Rows) -> pa.Array:
        """``values`` at the rows ``at`` of the chunk, null elsewhere."""
        full = np.full(size, None, dtype=object)
        full[at] = values
        return pa.array(full, ADDED[name])

    return Scored(
        {
            "relation": column("relation", np.where(accepted, names[classes], NO_RELATION), rows),
            "best_relation": column("best_relation", names[classes], rows),
            "score": column("score", scores, rows),
            "score_std": column("score_std", std[np.arange(len(rows)), classes], rows),
            "probability": column("probability", None, rows),
            "status": column("status", resolved.status, np.arange(size)),
            "seen_in_text": column("seen_in_text", scorer.contexts(known_heads, known_tails), known_rows),
            "known_relation": column("known_relation", scorer.known(known_heads, known_tails), known_rows),
        },
        resolved.status,
    )


def rows_without_class(scorer: Scorer, resolved: Resolved) -> Rows:
    """Rows whose types no class relates."""
    rows = resolved.ok
    possible = scorer.possible(resolved.heads[rows], resolved.tails[rows])
    return rows[~possible.any(axis=1)]


def refuse_clash(names: list[str], prefix: str, path: str) -> None:
    """Every input column is kept, so none may have the name of an added one."""
    clash = [name for name in names if name in {prefix + added for added in ADDED}]
    if clash:
        raise KgrelError(
            f"{path}: the column {clash[0]!r} is there already; rename it, or pass --prefix to rename the added ones"
        )
