"""The best pairs among all of two types, without ever holding all scores.

Heads are taken one after another and scored against all tails; of each head only its best tails are kept, and of all
heads only the best so far. Ties are broken by identifier, so the answer is that of sorting the full list.

A cheap first pass may prune: one sample at the mean of u and z ranks the tails of each head, and only the best share
of them is scored in full. The answer then says so; ``benchmarks/rankings.py`` measures what it loses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.entities import EntityTable, canonical_type, parse_entity
from kgrel.data.errors import KgrelError, NonFiniteError, did_you_mean
from kgrel.data.progress import Progress, Silent
from kgrel.metrics.classification import best
from kgrel.score.candidates import Resolver, find_columns
from kgrel.score.scorer import CoMentioned, Scorer, entity_contexts, score_chunk
from kgrel.score.settings import RankSettings

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
COLUMNS = ("rank", "source", "source_name", "target", "target_name")
LEAST_WAITING = 1 << 16
"""Pairs that may wait to be sorted with those kept."""
MENTIONS = ("source_contexts", "target_contexts")
"""Contexts that mention each side with any entity: how much text speaks for what is known of it."""


@dataclass(frozen=True)
class Ranked:
    """Pairs in order, and what was looked at."""

    table: pa.Table
    """Columns rank, source, source_name, target, target_name, those that scoring adds, and :data:`MENTIONS` where
    the scorer knows them; best first."""
    considered: int
    """Pairs that a class relates, of entities that are mentioned often enough."""
    rare: int
    """Entities that were left out because too few contexts mention them."""
    known: int
    """Pairs that were left out because they are listed."""
    pruned: int
    """Pairs that the cheap first pass left out; the best pairs may be among them."""
    scored: int
    """Pairs that were scored in full: the others that were considered."""

    def counts(self) -> dict[str, int]:
        """The numbers, for the summary."""
        return {
            "considered": self.considered,
            "rare_entities_left_out": self.rare,
            "known_left_out": self.known,
            "pruned_by_first_pass": self.pruned,
            "scored_in_full": self.scored,
            "kept": self.table.num_rows,
        }


def rows_of_type(entities: EntityTable, type_: str) -> Rows:
    """Rows of the entities of a type, by name in any spelling.

    Raises:
        KgrelError: no entity has this type.
    """
    wanted = canonical_type(type_)
    rows = np.flatnonzero(np.array(entities.types, dtype=object) == wanted)
    if not len(rows):
        known = sorted(set(entities.types))
        raise KgrelError(f"no entity of type {wanted!r}{did_you_mean(wanted, known)}; the types are {', '.join(known)}")
    return rows


def row_of(entities: EntityTable, text: str, type_: str | None = None) -> int:
    """Row of one entity, in any spelling.

    Raises:
        KgrelError: unknown, or an id of several types.
    """
    row, status = entities.find(parse_entity(text, type_))
    if status == "untyped":
        raise KgrelError(f"{text!r} is an identifier of several types; write it as TYPE::id")
    if row < 0:
        raise KgrelError(f"{text!r} is not among the {len(entities):,} entities of the artifact")
    return row


def rank_pairs(
    scorer: Scorer, heads: Rows, tails: Rows, settings: RankSettings, progress: Progress | None = None
) -> Ranked:
    """The best pairs of ``heads`` × ``tails``; a pair that both contain twice over is taken once.

    A single head was asked for, and stays however rare it is.

    Raises:
        KgrelError: no class relates the types, or no entity of one side is mentioned often enough.
        NonFiniteError: a score is NaN or infinite.
    """
    progress = progress or Silent()
    asked = len(heads), len(tails)
    tails = often_mentioned(scorer, tails, settings.min_contexts)
    heads = often_mentioned(scorer, heads, settings.min_contexts) if len(heads) > 1 else heads
    progress.start("rank-pairs", len(heads))
    order = Order(scorer.entities)
    kept = Best(order, settings.top)
    considered = listed = pruned = scored = 0
    for head, candidates in pairs_by_head(scorer, heads, tails):
        considered += len(candidates)
        if settings.novel_only:
            known = scorer.known(np.full(len(candidates), head), candidates)
            novel = candidates[[name is None for name in known]]
            candidates, listed = novel, listed + len(candidates) - len(novel)
        left = prune(scorer, head, candidates, settings)
        pruned += len(candidates) - len(left)
        scored += len(left)
        kept.add(order.best(score_tails(scorer, head, left), settings.per_head))
        progress.advance(1)
    if not considered:
        raise KgrelError("no class of the artifact relates these types; nothing can be ranked")
    rare = sum(asked) - len(heads) - len(tails)
    return Ranked(answer(scorer, kept.ordered()), considered, rare, listed, pruned, scored)


def often_mentioned(scorer: Scorer, rows: Rows, least: int) -> Rows:
    """The entities that at least so many contexts mention.

    Raises:
        KgrelError: there are none, or the scorer does not know.
    """
    if not least:
        return rows
    if not isinstance(scorer, CoMentioned):
        raise KgrelError("this scorer does not know how often entities are mentioned; leave out --min-contexts")
    often = rows[entity_contexts(scorer)[rows] >= least]
    if not len(often):
        raise KgrelError(f"no {scorer.entities.types[int(rows[0])]} stands in {least} contexts; lower --min-contexts")
    return often


@dataclass(frozen=True)
class Kept:
    """Pairs with their scores (n,)."""

    heads: Rows
    tails: Rows
    scores: Floats

    @classmethod
    def none(cls) -> Kept:
        """No pair."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))

    def joined(self, others: Sequence[Kept]) -> Kept:
        """The pairs of all."""
        every = (self, *others)
        return Kept(*(np.concatenate([getattr(one, name) for one in every]) for name in ("heads", "tails", "scores")))

    def taken(self, rows: Rows) -> Kept:
        """Some of the pairs."""
        return Kept(self.heads[rows], self.tails[rows], self.scores[rows])


class Order:
    """Best first: score descending, then the identifiers of source and target ascending."""

    def __init__(self, entities: EntityTable) -> None:
        keys = sorted(range(len(entities)), key=lambda row: (entities.types[row], entities.ids[row]))
        self.place = np.empty(len(entities), dtype=np.int64)
        self.place[keys] = np.arange(len(entities))

    def best(self, kept: Kept, count: int) -> Kept:
        """The best ``count`` pairs in order; 0 = all."""
        if 0 < count < len(kept.scores):
            # Whatever ties with the last place stays, and the exact sort decides.
            limit = np.partition(kept.scores, -count)[-count]
            kept = kept.taken(np.flatnonzero(kept.scores >= limit))
        rows = np.lexsort((self.place[kept.tails], self.place[kept.heads], -kept.scores))
        return kept.taken(rows[:count] if count else rows)


class Best:
    """The best ``count`` of all pairs that are added; 0 = all.

    They are sorted when as many wait as were kept, so that adding n pairs costs n log n and not n².
    """

    def __init__(self, order: Order, count: int) -> None:
        self._order, self._count = order, count
        self._kept, self._waiting, self._rows = Kept.none(), list[Kept](), 0

    def add(self, found: Kept) -> None:
        """Take some pairs."""
        self._waiting.append(found)
        self._rows += len(found.scores)
        if self._rows > max(len(self._kept.scores), LEAST_WAITING):
            self.ordered()

    def ordered(self) -> Kept:
        """The best so far, in order."""
        self._kept = self._order.best(self._kept.joined(self._waiting), self._count)
        self._waiting, self._rows = [], 0
        return self._kept


def pairs_by_head(scorer: Scorer, heads: Rows, tails: Rows) -> Iterator[tuple[int, Rows]]:
    """Each head with the tails that it is to be scored against: possible ones, never itself, no pair twice."""
    among_tails = np.isin(np.arange(len(scorer.entities)), tails)
    done = np.zeros(len(scorer.entities), dtype=np.bool_)
    for head in heads.tolist():
        # Where head and tail stand on both sides, the pair was taken when the other one was the head.
        candidates = tails[(tails != head) & ~(done[tails] & among_tails[head])]
        possible = scorer.possible(np.full(len(candidates), head), candidates).any(axis=1)
        done[head] = True
        yield head, candidates[possible]


def prune(scorer: Scorer, head: int, tails: Rows, settings: RankSettings) -> Rows:
    """The best share of the tails by the cheap pass; all of them where pruning is off."""
    keep = max(settings.top, settings.per_head, round(settings.prune_to * len(tails)))
    if settings.prune_to >= 1 or keep >= len(tails):
        return tails
    quick = scorer.quick(np.full(len(tails), head), tails)
    chosen = np.argpartition(-quick, keep)[:keep]
    return tails[np.sort(chosen)]


def score_tails(scorer: Scorer, head: int, tails: Rows) -> Kept:
    """The pairs of one head with the score of their best class."""
    heads = np.full(len(tails), head)
    if not len(tails):
        return Kept.none()
    mean, _ = scorer.predict(heads, tails)
    if not np.isfinite(mean).all():
        raise NonFiniteError("a score is not finite; the artifact's weights are damaged or diverged in training")
    return Kept(heads, tails, best(mean, scorer.possible(heads, tails))[1])


def answer(scorer: Scorer, kept: Kept) -> pa.Table:
    """The kept pairs as a table, with the columns that scoring a list would add."""
    entities = scorer.entities
    full = [f"{type_}::{id_}" for type_, id_ in zip(entities.types, entities.ids, strict=True)]
    rank = pa.array(np.arange(1, len(kept.scores) + 1))
    names = [pa.array([source[row] for row in rows], pa.string())
             for rows in (kept.heads, kept.tails) for source in (full, entities.names)]  # fmt: skip
    table = pa.table([rank, *names], names=list(COLUMNS))
    scored = score_chunk(scorer, Resolver(entities), table, find_columns(list(COLUMNS), "the ranking"))
    columns = dict(zip(COLUMNS, table.columns, strict=True)) | scored.columns
    if isinstance(scorer, CoMentioned):
        contexts = entity_contexts(scorer)
        columns |= {
            name: pa.array(contexts[rows]) for name, rows in zip(MENTIONS, (kept.heads, kept.tails), strict=True)
        }
    return pa.table(columns)
