"""Which pairs are trained on, which choose, which are reported: decided before anything is trained.

| split | validation and test pairs |
|---|---|
| warm | co-mentioned pairs at random |
| degree-matched | as warm, but at most 20 NO-RELATION pairs like each listed one, see :mod:`kgrel.train.matching` |
| entity-cold | one of the two entities has no training pair |
| both-cold | neither has |
| unseen | listed pairs never co-mentioned, against at most 100 unlisted ones like each that are not either |
| removed | pairs whose contexts were deleted from the corpus, see :mod:`kgrel.train.hold_out` |
| date | pairs that are first mentioned together after those of training |
| given | those of the labelled pairs that a corpus of paths was drawn for, see :mod:`kgrel.train.given_split` |

Listed and NO-RELATION pairs are split separately; pairs that a split has no use for are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kgrel.data.entities import EntityTable
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.relations import ResolvedRelations
from kgrel.train.batches import Stream, rng_of
from kgrel.train.matching import Cells, draw_like, match_among
from kgrel.train.pair_data import (
    ClassTable,
    Flags,
    PairData,
    Part,
    Parts,
    Rows,
    class_table,
    lookup,
    type_rows_of,
)
from kgrel.train.random_negatives import random_negatives
from kgrel.train.settings import SplitSettings

UNUSED = -1
"""Part of a pair that the split has no use for."""
MATCHED_PER_POSITIVE = 20
UNSEEN_PER_POSITIVE = 100


@dataclass(frozen=True)
class SplitInputs:
    """What a split may need beside the labelled pairs.

    Attributes:
        held_out: pairs whose contexts were deleted: heads, tails, parts.
        first_dates: for each co-mentioned pair, in their order, the day of its first dated document (days, −1 = no
            date).
        given: all pairs of a split: heads, tails, parts.
    """

    held_out: tuple[Rows, Rows, Rows] | None = None
    first_dates: Rows | None = None
    given: tuple[Rows, Rows, Rows] | None = None

    def in_order(self, order: Rows) -> SplitInputs:
        """The same with the co-mentioned pairs in another order."""
        dates = None if self.first_dates is None else self.first_dates[order]
        return replace(self, first_dates=dates)


def assemble_pairs(
    entities: EntityTable,
    comentions: tuple[Rows, Rows, Rows],
    relations: ResolvedRelations,
    settings: SplitSettings,
    inputs: SplitInputs | None = None,
) -> PairData:
    """Label the pairs and split them.

    Args:
        comentions: heads, tails, counts of the co-mentioned pairs, each unordered pair once.
        relations: the listed pairs, each (pair, class) once.

    Raises:
        KgrelError: a part is left without positives or without NO-RELATION pairs.
    """
    inputs = inputs or SplitInputs()
    types, type_rows = type_rows_of(entities)
    classes = class_table(relations, types, type_rows)
    size = len(entities)
    heads, tails, counts = comentions
    keys = keys_of(heads, tails, size)
    order = np.argsort(keys)
    keys, counts = keys[order], counts[order]
    listed = keys_of(relations.heads, relations.tails, size)
    world = World(classes, type_rows, keys, counts, listed, relations.classes)
    if settings.pairs == "any":
        universe = np.union1d(listed, random_negatives(type_rows, listed, relations, settings))
    else:
        universe = keys[classes.possible(type_rows, keys // size, keys % size).any(axis=1)]
    data = world.pairs(universe, np.full(len(universe), Part.TRAINING))
    found = SPLITS[settings.split](world, data, settings, inputs.in_order(order))
    if settings.pairs == "both":
        found = with_never_mentioned(world, found, settings)
    if settings.split in MATCHED:  # by the degrees of all that trains, so last
        found = MATCHED[settings.split](world, found, settings)
    require_parts(found, settings)
    return found


def keys_of(heads: Rows, tails: Rows, size: int) -> Rows:
    """Each unordered pair as one number."""
    return np.minimum(heads, tails) * size + np.maximum(heads, tails)


@dataclass(frozen=True)
class World:
    """Everything that is known of pairs, split or not.

    Attributes:
        keys, counts: the co-mentioned pairs, sorted, and their contexts.
        listed, listed_classes: the listed pairs, each (pair, class) once.
    """

    classes: ClassTable
    type_rows: Rows
    keys: Rows
    counts: Rows
    listed: Rows
    listed_classes: Rows

    @property
    def size(self) -> int:
        """Number of entities."""
        return len(self.type_rows)

    def pairs(self, universe: Rows, parts: Rows) -> PairData:
        """Pairs with their labels; those of the part :data:`UNUSED` are left out.

        Args:
            universe: keys, each once, sorted.
        """
        universe, parts = universe[parts != UNUSED], parts[parts != UNUSED]
        labels = np.zeros((len(universe), len(self.classes.names)), dtype=np.bool_)
        position = np.searchsorted(universe, self.listed).clip(max=max(0, len(universe) - 1))
        found = universe[position] == self.listed if len(universe) else np.zeros(len(self.listed), dtype=np.bool_)
        labels[position[found], self.listed_classes[found]] = True
        contexts = lookup(self.keys, self.counts, universe)
        heads, tails = universe // self.size, universe % self.size
        return PairData(self.classes, self.type_rows, heads, tails, labels, parts.astype(np.int8), contexts)

    def keys_of(self, data: PairData) -> Rows:
        """The key of each pair (n,), rising."""
        return data.heads * self.size + data.tails

    def with_parts(self, data: PairData, parts: Rows) -> PairData:
        """The same pairs in other parts."""
        return self.pairs(self.keys_of(data), parts)


def split_parts(positive: Flags, settings: SplitSettings) -> Parts:
    """Split positives and NO-RELATION pairs separately, at random, by unordered pair.

    Raises:
        KgrelError: a part is left without one of the two.
    """
    parts = np.full(len(positive), Part.TRAINING, dtype=np.int8)
    rng = rng_of(settings.seed_of_split, Stream.SPLIT)
    for value in (True, False):
        rows = rng.permutation(np.flatnonzero(positive == value))
        validation, test = (
            round(settings.validation_share * len(rows)),
            round(settings.test_share * len(rows)),
        )
        parts[rows[:validation]] = Part.VALIDATION
        parts[rows[validation : validation + test]] = Part.TEST
        refuse_too_few(len(rows), len(rows) - validation - test, validation, test, value, settings)
    return parts


def require_parts(data: PairData, settings: SplitSettings) -> None:
    """Each part needs listed and NO-RELATION pairs."""
    for value in (True, False):
        training, validation, test = (len(data.rows(part, value)) for part in Part)
        refuse_too_few(training + validation + test, training, validation, test, value, settings)


def refuse_too_few(
    total: int, training: int, validation: int, test: int, positive: bool, settings: SplitSettings
) -> None:
    """Raise where a part would be empty; a test part is not needed where none is asked for."""
    if training < 1 or validation < 1 or (settings.test_share > 0 and test < 1):
        raise KgrelError(
            f"only {total} {'listed' if positive else 'NO-RELATION'} pairs are there, too few to split into training, "
            f"validation and test ({settings.split}): give more relations, a larger corpus, or --pairs any"
        )


def warm(world: World, data: PairData, settings: SplitSettings, inputs: SplitInputs) -> PairData:
    """Pairs at random."""
    return world.with_parts(data, split_parts(data.positive, settings).astype(np.int64))


def match_co_mentioned(world: World, data: PairData, settings: SplitSettings) -> PairData:
    """Of the held-out NO-RELATION pairs those stay that are like the held-out listed ones."""
    cells = Cells.of(world.classes, world.type_rows, data.label_degrees())
    parts = data.parts.astype(np.int64)
    for part in (Part.VALIDATION, Part.TEST):
        pool = data.rows(part, positive=False)
        chosen = match_among(
            cells, labelled(data, data.rows(part, positive=True)), (data.heads[pool], data.tails[pool]),
            MATCHED_PER_POSITIVE, data.possible(pool), rng_of(settings.seed_of_split, Stream.NEGATIVES, part),
        )  # fmt: skip
        parts[np.delete(pool, chosen)] = UNUSED
    return world.with_parts(data, parts)


def labelled(data: PairData, rows: Rows) -> tuple[Rows, Rows, Rows]:
    """Heads, tails and class of each label of some pairs."""
    places, classes = np.nonzero(data.labels[rows])
    return data.heads[rows][places], data.tails[rows][places], classes


def entity_cold(world: World, data: PairData, settings: SplitSettings, inputs: SplitInputs) -> PairData:
    """Entities are split; a held-out pair has one held-out entity.

    With t, v, w the shares of entities, the shares of such pairs are 2vt and 2wt: v and w are chosen so that they are
    the ones asked for, were all entities alike.
    """
    asked = settings.validation_share + settings.test_share
    if asked > 0.5:
        raise KgrelError(f"--split entity-cold can hold out at most half of the pairs, not {asked:g} of them")
    held_out = (1 - np.sqrt(1 - 2 * asked)) / 2
    v, w = (held_out * share / asked if asked else 0.0 for share in (settings.validation_share, settings.test_share))
    groups = entity_groups(data, v, w, settings)
    low, high = np.sort(np.stack([groups[data.heads], groups[data.tails]]), axis=0)
    return world.with_parts(data, np.where(low == Part.TRAINING, high, UNUSED))


def both_cold(world: World, data: PairData, settings: SplitSettings, inputs: SplitInputs) -> PairData:
    """Entities are split; both entities of a held-out pair are held out, in the same part: shares v² and w²."""
    v, w = np.sqrt(settings.validation_share), np.sqrt(settings.test_share)
    if v + w >= 1:
        raise KgrelError("--split both-cold leaves no entity for training; lower --validation-share and --test-share")
    groups = entity_groups(data, v, w, settings)
    same = groups[data.heads] == groups[data.tails]
    return world.with_parts(data, np.where(same, groups[data.heads], UNUSED))


def entity_groups(data: PairData, validation: float, test: float, settings: SplitSettings) -> Rows:
    """A part for each entity; those with and those without a label are split separately, in each type."""
    groups = np.full(len(data.type_rows), int(Part.TRAINING))
    rng, positive = rng_of(settings.seed_of_split, Stream.SPLIT), data.positive
    listed = np.zeros(len(groups), dtype=np.bool_)
    for side in (data.heads, data.tails):
        listed[side[positive]] = True
    for kind in range(2 * len(data.classes.types)):
        rows = rng.permutation(np.flatnonzero(2 * data.type_rows + listed == kind))
        first, second = round(validation * len(rows)), round((validation + test) * len(rows))
        groups[rows[:first]], groups[rows[first:second]] = Part.VALIDATION, Part.TEST
    return groups


def unseen(world: World, data: PairData, settings: SplitSettings, inputs: SplitInputs) -> PairData:
    """All co-mentioned pairs train; listed pairs without a common context are held out.

    Raises:
        KgrelError: too few listed pairs have no common context.
    """
    rng = rng_of(settings.seed_of_split, Stream.SPLIT)
    never = rng.permutation(np.setdiff1d(np.unique(world.listed), world.keys, assume_unique=True))
    validation, test = (
        min(round(share * len(never)), settings.held_out_positives)
        for share in (settings.validation_share, settings.test_share)
    )
    if min(validation, test) < 1:
        raise KgrelError(f"only {len(never)} listed pairs have no common context, too few for --split unseen")
    parts = np.repeat([int(Part.VALIDATION), int(Part.TEST)], [validation, test])
    return world.pairs(*merged(world.keys_of(data), data.parts.astype(np.int64), never[: len(parts)], parts))


def draw_never_mentioned(world: World, data: PairData, settings: SplitSettings) -> PairData:
    """The held-out listed pairs against unlisted ones like them, none of which has a common context."""
    cells = Cells.of(world.classes, world.type_rows, data.label_degrees())
    universe, parts = world.keys_of(data), data.parts.astype(np.int64)
    for part in (Part.VALIDATION, Part.TEST):
        excluded = np.union1d(np.union1d(world.listed, world.keys), universe)
        rng = rng_of(settings.seed_of_split, Stream.NEGATIVES, part)
        drawn = draw_like(cells, labelled(data, data.rows(part, positive=True)), UNSEEN_PER_POSITIVE, excluded, rng)
        universe, parts = merged(universe, parts, np.concatenate(drawn), part)
    return world.pairs(universe, parts)


def removed(world: World, data: PairData, settings: SplitSettings, inputs: SplitInputs) -> PairData:
    """All co-mentioned pairs train; the pairs that the corpus tells to be held out are held out.

    Raises:
        KgrelError: the corpus holds none out, or still has a context of one.
    """
    if inputs.held_out is None:
        raise KgrelError("--split removed needs a corpus of kgrel hold-out-pairs; this one holds no pair out")
    heads, tails, parts = inputs.held_out
    held_out = keys_of(heads, tails, world.size)
    seen = np.isin(held_out, world.keys)
    if seen.any():
        raise KgrelError(f"{int(seen.sum())} held-out pairs have contexts in the corpus; make it again")
    return world.pairs(*merged(world.keys_of(data), data.parts.astype(np.int64), held_out, parts))


def given(world: World, data: PairData, settings: SplitSettings, inputs: SplitInputs) -> PairData:
    """The pairs and parts that the corpus brings with it; pairs of a class that is impossible for them are left out.

    Raises:
        KgrelError: it brings none.
    """
    if inputs.given is None:
        raise KgrelError(
            "--split given needs a corpus of kgrel build-corpus --from-graph --pairs PAIRS, with the pairs of a split; "
            "this one brings none"
        )
    heads, tails, parts = inputs.given
    possible = world.classes.possible(world.type_rows, heads, tails).any(axis=1)
    keys, parts = keys_of(heads, tails, world.size)[possible], parts[possible]
    order = np.argsort(keys)
    return world.pairs(keys[order], parts[order])


def by_date(world: World, data: PairData, settings: SplitSettings, inputs: SplitInputs) -> PairData:
    """The latest pairs are tested, those before them validate; a day is never divided. Pairs without date are left out.

    Raises:
        KgrelError: no pair has a date.
    """
    assert inputs.first_dates is not None
    days = inputs.first_dates[np.searchsorted(world.keys, world.keys_of(data))]
    dated = np.sort(days[days >= 0])
    if not len(dated):
        message = "no document of the corpus has a date there; are the identifiers the same?"
        raise InputError(settings.dates, message)
    at = [
        round((1 - settings.validation_share - settings.test_share) * len(dated)),
        round((1 - settings.test_share) * len(dated)),
    ]
    starts = [dated[place] if place < len(dated) else dated[-1] + 1 for place in at]
    parts = np.searchsorted(np.array(starts), days, "right")
    return world.with_parts(data, np.where(days < 0, UNUSED, parts))


def with_never_mentioned(world: World, data: PairData, settings: SplitSettings) -> PairData:
    """Training gains the listed pairs without context that are not held out, and unlisted ones like them.

    An entity that was held out gains no training pair.
    """
    own, size = world.keys_of(data), world.size
    further = np.setdiff1d(np.setdiff1d(world.listed, world.keys), own)
    warm_entities = np.ones(size, dtype=np.bool_)
    if settings.split in ("entity-cold", "both-cold"):
        held_out = data.parts != Part.TRAINING
        for side in (data.heads, data.tails):
            warm_entities[side[held_out]] = False
        for side in (data.heads, data.tails):
            warm_entities[side[~held_out]] = True
    further = further[warm_entities[further // size] & warm_entities[further % size]]
    universe, parts = merged(own, data.parts.astype(np.int64), further, Part.TRAINING)
    listed = world.pairs(universe, parts)
    gained = labelled(listed, np.flatnonzero(np.isin(universe, further)))
    cells = Cells.of(world.classes, world.type_rows, listed.label_degrees())
    excluded = np.union1d(np.union1d(world.listed, world.keys), own)
    rng = rng_of(settings.seed_of_split, Stream.NEGATIVES, Part.TRAINING)
    # Both entities of these have training labels, as those of the gained ones do, so none of them was held out.
    like = np.concatenate(draw_like(cells, gained, round(settings.negatives_per_positive), excluded, rng))
    return world.pairs(*merged(universe, parts, like, Part.TRAINING))


def merged(keys: Rows, parts: Rows, further: Rows, their_parts: Rows | int) -> tuple[Rows, Rows]:
    """Keys with their parts, and further ones, none of them there yet: sorted by key."""
    universe = np.concatenate([keys, further])
    order = np.argsort(universe)
    return universe[order], np.concatenate([parts, np.broadcast_to(their_parts, len(further))])[order]


SPLITS = {
    "warm": warm,
    "degree-matched": warm,
    "entity-cold": entity_cold,
    "both-cold": both_cold,
    "unseen": unseen,
    "removed": removed,
    "date": by_date,
    "given": given,
}
MATCHED = {"degree-matched": match_co_mentioned, "unseen": draw_never_mentioned}
"""How a split that asks for NO-RELATION pairs like the listed ones comes to them."""
