"""The predictions of the page, by columns: read from a list or scored here, then filtered and ordered in memory."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.entities import EntityTable, class_of_types
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.progress import Progress, Silent
from kgrel.data.tables import Format, TableReader
from kgrel.score.candidates import Resolver, find_columns, refuse_types
from kgrel.score.scorer import CoMentioned, Scorer, score_chunk

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Order = Literal["score", "uncertain", "spread", "contexts"]
ORDERS: tuple[Order, ...] = ("score", "uncertain", "spread", "contexts")
"""Best first; nearest to the threshold first; most many-sided first; most often mentioned first."""
CHUNK = 4096
"""Pairs that are scored at a time."""
READ = ("best_relation", "score", "score_std", "probability")
"""Columns that a scored list brings along."""


@dataclass(frozen=True)
class Predictions:
    """n pairs, each unordered pair once."""

    heads: Rows
    """Entity row of the source (n,)."""
    tails: Rows
    """Entity row of the target (n,)."""
    classes: Rows
    """Place of the best relation among the classes of the scorer (n,)."""
    scores: Floats
    """Score of that relation (n,)."""
    spreads: Floats
    """Its spread over samples (n,), NaN where the list does not tell."""
    probabilities: Floats
    """Its calibrated probability (n,), NaN where there is none."""
    contexts: Rows
    """Contexts that mention both (n,)."""
    known: npt.NDArray[np.object_]
    """Listed classes joined by ``|``, None where none is (n,)."""
    left_out: dict[str, int]
    """Rows of the list that show nowhere, by reason."""

    @classmethod
    def none(cls) -> Predictions:
        """No pair."""
        ints, numbers = np.zeros(0, np.int64), np.zeros(0)
        return cls(ints, ints, ints, numbers, numbers, numbers, ints, np.zeros(0, object), {})

    def __len__(self) -> int:
        return len(self.heads)

    def keys(self, entities: int) -> Rows:
        """One number for each unordered pair (n,)."""
        return np.minimum(self.heads, self.tails) * entities + np.maximum(self.heads, self.tails)


@dataclass(frozen=True)
class View:
    """Which predictions are shown, and in which order; what is None does not filter."""

    entity: int | None = None
    """Entity row that must be on either side."""
    relation: str | None = None
    types: str | None = None
    """The two types, sorted and joined by ``-``."""
    least: float | None = None
    """Lowest score."""
    most: float | None = None
    """Highest score."""
    in_text: bool | None = None
    """Whether some sentence names both."""
    known: bool | None = None
    """Whether the relations table lists the pair."""
    review: str | None = None
    """``accepted``, ``rejected``, or ``open`` (neither)."""
    order: Order = "score"


def co_mentioned(scorer: Scorer, count: int, progress: Progress | None = None) -> Predictions:
    """The co-mentioned pairs that no table lists, those with most contexts first, as many as ``count``, scored.

    Raises:
        KgrelError: the scorer knows no co-mentions.
    """
    if not isinstance(scorer, CoMentioned):
        raise KgrelError("this scorer knows no co-mentioned pairs; give a list with --predictions")
    heads, tails, contexts = scorer.comentions
    possible = scorer.possible(heads, tails).any(axis=1) & (heads != tails)
    rows = np.flatnonzero(possible)
    rows = rows[np.argsort(-contexts[rows], kind="stable")]
    novel = np.array([name is None for name in scorer.known(heads[rows], tails[rows])], dtype=np.bool_)
    rows = rows[novel][:count]
    table = pa.table({"source": texts(scorer.entities, heads[rows]), "target": texts(scorer.entities, tails[rows])})
    pieces = (table.slice(start, CHUNK) for start in range(0, len(table), CHUNK))
    return gathered(scorer, pieces, "the co-mentioned pairs", progress)


def read_predictions(
    path: str | Path, scorer: Scorer, format: Format | None = None, progress: Progress | None = None
) -> Predictions:
    """The pairs of a list, in any spelling; one without scores is scored.

    Raises:
        InputError: see :class:`kgrel.data.tables.TableReader`; a score that is no finite number, a relation that the
            scorer does not know.
        KgrelError: source or target is missing.
    """
    with TableReader(path, format) as reader:
        refuse_types(reader.schema, find_columns(reader.columns, str(path)), str(path))
        return gathered(scorer, reader, str(path), progress)


def of_table(scorer: Scorer, table: pa.Table) -> Predictions:
    """The rows of a ranking, which are scored already."""
    return gathered(scorer, [table], "the ranking", None)


def gathered(scorer: Scorer, tables: Iterable[pa.Table], path: str, progress: Progress | None) -> Predictions:
    """The usable rows of all pieces; a pair that stands twice shows once, as it stands first."""
    progress = progress or Silent()
    progress.start("predictions", None)
    resolver, parts, left_out = Resolver(scorer.entities), [Predictions.none()], Counter[str]()
    for table in tables:
        parts.append(usable(scorer, resolver, table, path, left_out))
        progress.advance(table.num_rows)
    names = [field.name for field in dataclasses.fields(Predictions) if field.name != "left_out"]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    whole = Predictions(**columns, left_out={})
    _, first = np.unique(whole.keys(len(scorer.entities)), return_index=True)
    first.sort()
    left_out["repeated"] += len(whole) - len(first)
    counts = {reason: count for reason, count in left_out.items() if count}
    return Predictions(**{name: column[first] for name, column in columns.items()}, left_out=counts)


def usable(scorer: Scorer, resolver: Resolver, table: pa.Table, path: str, left_out: Counter[str]) -> Predictions:
    """The rows of one piece of a list that can be scored."""
    columns = find_columns(table.column_names, path)
    if "score" in table.column_names and "best_relation" in table.column_names:
        resolved = resolver.resolve(table, columns)
        scored = pa.table({name: table.column(name) for name in READ if name in table.column_names})
    else:
        kept = table.select(
            [n for n in (columns.source, columns.target, columns.source_type, columns.target_type) if n]
        )
        answer = score_chunk(scorer, resolver, kept, columns)
        resolved, scored = resolver.resolve(kept, columns), pa.table(answer.columns).select(READ)
    there = filled(scored.column("score")) & filled(scored.column("best_relation"))
    for status, count in zip(*np.unique(resolved.status[resolved.status != "ok"], return_counts=True), strict=True):
        left_out[str(status)] += int(count)
    ok = resolved.status == "ok"
    left_out["without a score"] += int((ok & ~there).sum())
    rows = np.flatnonzero(ok & there)
    heads, tails, taken = resolved.heads[rows], resolved.tails[rows], scored.take(rows)
    scores = floats(taken, "score", path)
    if not np.isfinite(scores).all():
        raise InputError(path, "a score is not finite; score the list again")
    known = np.array(scorer.known(heads, tails), dtype=object)
    classes, contexts = class_rows(scorer, taken, path), scorer.contexts(heads, tails).astype(np.int64)
    spreads, probabilities = floats(taken, "score_std", path), floats(taken, "probability", path)
    return Predictions(heads, tails, classes, scores, spreads, probabilities, contexts, known, {})


def filled(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Which cells hold something: neither null nor an empty text (n,)."""
    found = pc.is_valid(column)
    if pa.types.is_string(column.type):
        found = pc.and_(found, pc.not_equal(pc.fill_null(column, ""), ""))
    present: npt.NDArray[np.bool_] = np.asarray(found, dtype=np.bool_)
    return present


def floats(table: pa.Table, name: str, path: str) -> Floats:
    """A column of numbers, NaN where a cell is empty and where the column is not there."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    column = table.column(name)
    try:
        found = pc.cast(pc.if_else(pa.array(filled(column)), column, None), pa.float64())
    except pa.ArrowException as error:
        raise InputError(path, f"the column {name!r} holds something that is no number ({error})") from None
    values: Floats = found.to_numpy().astype(np.float64)
    return values


def class_rows(scorer: Scorer, table: pa.Table, path: str) -> Rows:
    """Place of each row's best relation among the classes."""
    places = {name: place for place, name in enumerate(scorer.classes)}
    names = table.column("best_relation").to_pylist()
    for name in names:
        if name not in places:
            known = ", ".join(scorer.classes)
            raise InputError(path, f"the relation {name!r} is not one of the classifier's, which are {known}")
    return np.array([places[name] for name in names], dtype=np.int64)


def texts(entities: EntityTable, rows: Rows) -> list[str]:
    """Entities as TYPE::id."""
    return [f"{entities.types[row]}::{entities.ids[row]}" for row in rows.tolist()]


class Shown:
    """Predictions of a scorer, to be filtered and ordered again and again."""

    def __init__(self, predictions: Predictions, scorer: Scorer) -> None:
        self.predictions = predictions
        self.keys = predictions.keys(len(scorer.entities))
        self.margins = np.abs(predictions.scores - scorer.thresholds[predictions.classes])
        """Distance to the threshold (n,): the smaller, the less sure is the decision."""
        self.listed = np.array([name is not None for name in predictions.known], dtype=np.bool_)
        """Whether the relations table lists each pair (n,)."""
        self._classes = {name: place for place, name in enumerate(scorer.classes)}
        types = np.array(scorer.entities.types, dtype=object)
        pairs = zip(types[predictions.heads], types[predictions.tails], strict=True)
        self.types = np.array([class_of_types(one, other) for one, other in pairs], dtype=object)

    def rows(self, view: View, reviews: dict[tuple[int, str], str]) -> Rows:
        """Rows in order; equal ones in the order of the list.

        Args:
            reviews: key of the pair and relation → decision.
        """
        p = self.predictions
        keep = np.ones(len(p), dtype=np.bool_)
        if view.entity is not None:
            keep &= (p.heads == view.entity) | (p.tails == view.entity)
        if view.relation is not None:
            keep &= p.classes == self._classes.get(view.relation, -1)
        if view.types is not None:
            keep &= self.types == view.types
        if view.least is not None:
            keep &= p.scores >= view.least
        if view.most is not None:
            keep &= p.scores <= view.most
        if view.in_text is not None:
            keep &= (p.contexts > 0) == view.in_text
        if view.known is not None:
            keep &= self.listed == view.known
        if view.review is not None:
            keep &= self._decided(reviews, view.review)
        rows = np.flatnonzero(keep)
        return rows[np.argsort(self._order(view.order)[rows], kind="stable")]

    def _decided(self, reviews: dict[tuple[int, str], str], wanted: str) -> npt.NDArray[np.bool_]:
        """Which predictions have this decision."""
        decided = np.zeros(len(self.predictions), dtype=np.bool_)
        names = {place: name for name, place in self._classes.items()}
        taken = ("accepted", "rejected") if wanted == "open" else (wanted,)
        chosen = [key for key, decision in reviews.items() if decision in taken]
        if chosen:
            among = np.flatnonzero(np.isin(self.keys, [key for key, _ in chosen]))
            pairs = set(chosen)
            classes = self.predictions.classes
            decided[[row for row in among.tolist() if (int(self.keys[row]), names[int(classes[row])]) in pairs]] = True
        return ~decided if wanted == "open" else decided

    def _order(self, order: Order) -> Floats:
        """What is sorted by, smallest first; missing values go last."""
        p = self.predictions
        by = {"score": -p.scores, "uncertain": self.margins, "spread": -p.spreads, "contexts": -p.contexts}
        return by[order].astype(np.float64)
