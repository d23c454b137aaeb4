"""Sentences about pairs: a frame with slots, filled with the names of entities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgrel.synthetic.names import Entity
from kgrel.synthetic.planted import Bools, Ints
from kgrel.synthetic.vocabulary import (
    CLOSINGS,
    DENIED,
    FILLERS,
    KINDS,
    NEUTRAL,
    OPENINGS,
    STATED,
    THEMES,
    THIRDS,
    Kind,
)
from kgrel.synthetic.world_settings import WorldSettings

TOPIC_SLOTS = 5
"""A frame has at most this many topic words: two in the opening, one about the pair, two in the closing."""

_SLOT = re.compile(r"<(\w+)>")
_MENTION = re.compile(r"\{(\d)\}")
_VERB = re.compile(r"\[(\w+)\]")


class Mention(NamedTuple):
    """Where a sentence names an entity: row of the entity, first character, and one past the last."""

    entity: int
    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """A sentence before and after its names are filled in."""

    doc_id: str
    frame: str
    """The words, with ``{0}`` and ``{1}`` for the pair and ``{2}`` for a third entity."""
    entities: tuple[int, ...]
    """Rows of the entities for the slots; the first two are the pair this sentence is about, source first."""
    names: tuple[str, ...]
    """The names that stand in the slots."""
    metaedge: str
    """The relation that the frame states or denies; empty in a neutral frame."""
    denied: bool
    """Whether the frame denies the relation."""

    def _parts(self) -> Iterator[tuple[int | None, str]]:
        for position, part in enumerate(_MENTION.split(self.frame)):
            yield (int(part), self.names[int(part)]) if position % 2 else (None, part)

    @property
    def text(self) -> str:
        """The sentence as written."""
        return "".join(part for _, part in self._parts())

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """Gold mentions in the order of the text."""
        found, start = [], 0
        for slot, part in self._parts():
            if slot is not None:
                found.append(Mention(self.entities[slot], start, start + len(part)))
            start += len(part)
        return tuple(found)


def write_sentences(
    rng: np.random.Generator,
    entities: tuple[Entity, ...],
    modules: Bools,
    relations: dict[str, Bools],
    pairs: Ints,
    settings: WorldSettings,
) -> tuple[Sentence, ...]:
    """One sentence for each row of ``pairs`` (source, target), in that order.

    Args:
        modules: shape (entities, modules).
        relations: metaedge → truth, shape (entities, entities).
        pairs: shape (sentences, 2).
    """
    topics = draw_topics(rng, modules, pairs, settings)
    thirds = choose_thirds(rng, entities, pairs, settings)
    kinds = {
        (source, target): [kind for kind in KINDS if (kind.source_type, kind.target_type) == (source, target)]
        for source, target in {(kind.source_type, kind.target_type) for kind in KINDS}
    }
    doc_ids = draw_documents(rng, len(pairs))
    written = []
    for row, (source, target) in enumerate(pairs.tolist()):
        of_class = kinds[entities[source].type, entities[target].type]
        true = [kind for kind in of_class if relations[kind.metaedge][source, target]]
        luck = rng.random(12)
        kind, denied = _choose_wording(luck, of_class, true, settings)
        members = (source, target, thirds[row]) if thirds[row] >= 0 else (source, target)
        frame = _frame(luck[3:], kind, denied, len(members) > 2)
        frame = _fill(rng, frame, topics[row])
        if kind and not denied and settings.findings:
            frame = f"{frame[:-1]} ({', '.join(rng.choice(kind.findings, settings.findings, replace=False))})."
        names = tuple(_name(rng, entities[member], settings.synonym_rate) for member in members)
        metaedge = kind.metaedge if kind else ""
        written.append(Sentence(doc_ids[row], frame, members, names, metaedge, denied))
    return tuple(written)


def draw_topics(rng: np.random.Generator, modules: Bools, pairs: Ints, settings: WorldSettings) -> Ints:
    """The module of each topic slot: one of the two entities', or any; shape (sentences, TOPIC_SLOTS)."""
    shape = (len(pairs), TOPIC_SLOTS)
    chosen = np.take_along_axis(pairs, rng.integers(2, size=shape), axis=1)
    # A random key for each module, zero where the entity has no part in it: the largest wins.
    keys = rng.random((*shape, modules.shape[1]), dtype=np.float32) * modules[chosen]
    signal = rng.random(shape) < settings.topic_signal
    return np.where(signal, keys.argmax(axis=2), rng.integers(modules.shape[1], size=shape))


def choose_thirds(
    rng: np.random.Generator, entities: tuple[Entity, ...], pairs: Ints, settings: WorldSettings
) -> list[int]:
    """A third entity for some sentences, else −1.

    It is one that makes no new co-mentioned pair of a class: it has met one of the two entities already, and
    is either of the other's type (not gene), or has met the other as well.
    """
    met: dict[int, set[int]] = {row: set() for row in range(len(entities))}
    for source, target in pairs.tolist():
        met[source].add(target)
        met[target].add(source)
    thirds = [-1] * len(pairs)
    for row in np.flatnonzero(rng.random(len(pairs)) < settings.third_rate).tolist():
        source, target = pairs[row].tolist()
        options = met[source] & met[target]
        for one, other in ((source, target), (target, source)):
            type_ = entities[other].type
            if type_ != "GENE":
                options = options | {near for near in met[one] if entities[near].type == type_}
        ordered = sorted(options - {source, target})
        if ordered:
            thirds[row] = ordered[int(rng.integers(len(ordered)))]
    return thirds


def draw_documents(rng: np.random.Generator, sentences: int) -> list[str]:
    """Document numbers: runs of one to eight sentences share one."""
    last = np.cumsum(rng.integers(1, 9, size=sentences))
    documents = np.searchsorted(last, np.arange(sentences), side="right")
    return [str(90_000_001 + document) for document in documents.tolist()]


def _choose_wording(
    luck: NDArray[np.float64],
    of_class: list[Kind],
    true: list[Kind],
    settings: WorldSettings,
) -> tuple[Kind | None, bool]:
    """Which relation the sentence states or denies; of a related pair one of its own."""
    options = true or of_class
    kind = options[int(luck[0] * len(options))]
    stated = settings.related_stated if true else settings.unrelated_stated
    denied = settings.related_negated if true else settings.unrelated_negated
    if luck[1] < stated:
        return kind, False
    return (kind, True) if luck[1] < stated + denied else (None, False)


def _pick(options: tuple[str, ...], luck: float) -> str:
    return options[int(luck * len(options))]


def _frame(luck: NDArray[np.float64], kind: Kind | None, denied: bool, has_third: bool) -> str:
    """Put a frame together: an opening, what it says of the pair, a third entity perhaps, a closing."""
    opening, closing = _pick(OPENINGS, luck[0]), _pick(CLOSINGS, luck[1])
    if kind is None:
        core = _pick(NEUTRAL, luck[2])
        if luck[3] < 0.5:
            core = core.format("{1}", "{0}")
    else:
        verb = kind.verbs[int(luck[4] * len(kind.verbs))]
        core = _pick(DENIED if denied else STATED, luck[2])
        subject, obj = ("{0}", "{1}") if kind.source_is_subject else ("{1}", "{0}")
        forms = verb._asdict() | {"by": kind.by}
        core = _VERB.sub(lambda match: forms[match.group(1)], core).format(s=subject, o=obj)
    third = _pick(THIRDS, luck[5]) if has_third else ""
    return f"{opening}{core}{third}{closing}."


def _fill(rng: np.random.Generator, frame: str, topics: Ints) -> str:
    """Replace the slots for words, and begin the sentence with a capital where it begins with a word."""
    parts = _SLOT.split(frame)
    luck = rng.random(len(parts))
    topic = 0
    for position in range(1, len(parts), 2):
        slot = parts[position]
        if slot in FILLERS:
            words = FILLERS[slot]
        else:
            theme = THEMES[topics[topic]]
            words = theme.adjectives if slot == "adj" else theme.nouns
            topic += 1
        parts[position] = words[int(luck[position] * len(words))]
    filled = "".join(parts)
    return filled[0].upper() + filled[1:]


def _name(rng: np.random.Generator, entity: Entity, synonym_rate: float) -> str:
    """The preferred name, or sometimes a synonym."""
    if entity.synonyms and rng.random() < synonym_rate:
        return entity.synonyms[int(rng.integers(len(entity.synonyms)))]
    return entity.name
