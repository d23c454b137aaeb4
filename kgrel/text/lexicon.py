"""Lexicons: which names are tagged, and whom each of them means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kgrel.data.entities import Entity, EntityTable, canonical_type
from kgrel.data.errors import InputError
from kgrel.data.files import without_compression
from kgrel.text.badlines import BadLines
from kgrel.text.normalise import Normaliser
from kgrel.text.obo import read_obo
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.stopwords import BUILTIN
from kgrel.text.terms import Term, clean_name, read_tsv


class Use(NamedTuple):
    """What a name stands for."""

    entity: int
    """Position in :attr:`Lexicon.terms`."""
    spellings: frozenset[str] | None
    """The spellings in which the name counts; None = in any case."""


class _Claim(NamedTuple):
    """An entity's claim to a name; the lowest rank within a type wins it."""

    entity: int
    rank: tuple[int, int]
    """Symbol 0, name 1, synonym 2; then the priority of the entity."""
    spelling: str
    bound: bool
    """Whether it counts in this spelling only; a variant takes that over from the name."""


@dataclass(frozen=True)
class Lexicon:
    """All names of all lexicons, each leading to one entity.

    Attributes:
        terms: the entities, in the order read, one for each (type, id).
        names: folded name → what it stands for.
        ambiguous: folded name → the entities among which it cannot decide; such names are not tagged.
        contested: folded name → the one use of each type, for the ambiguous names of entities of several types. A
            type within which the name stays ambiguous has none.
        ambiguous_within: number of ambiguous names with several entities of one type.
        by_priority: number of names that an entity lost to another of its type: as a synonym to a symbol, or as a
            pseudogene to a protein-coding gene.
        stopped: folded names left out because they are on the stop list.
        unfit: number of distinct folded names left out: too short, without a letter, or with a hyphen at an end.
        normaliser: folds names, and text in which they are looked up.
    """

    terms: list[Term]
    names: dict[str, Use]
    ambiguous: dict[str, tuple[Entity, ...]]
    contested: dict[str, tuple[Use, ...]]
    ambiguous_within: int
    by_priority: int
    stopped: frozenset[str]
    unfit: int
    normaliser: Normaliser

    @cached_property
    def place(self) -> dict[tuple[str, str], int]:
        """(type, id) → position in ``terms``; of alternative identifiers too, where they are nobody's own."""
        places = {(term.type, other): row for row, term in enumerate(self.terms) for other in term.alternatives}
        return places | {(term.type, term.id): row for row, term in enumerate(self.terms)}

    def table(self, entities: Sequence[int]) -> EntityTable:
        """The terms at the positions ``entities``, in that order."""
        chosen = [self.terms[entity] for entity in entities]
        return EntityTable(
            [term.type for term in chosen],
            [term.id for term in chosen],
            [term.label for term in chosen],
            [list(term.alternatives) for term in chosen],
        )


def read_lexicon(type_: str, path: str | Path, settings: BuildCorpusSettings, bad: BadLines) -> list[Term]:
    """Read one lexicon: OBO if the file name ends in ``.obo``, also compressed, else a table.

    Args:
        bad: receives the lines of a table that cannot be used.

    Raises:
        InputError: see :func:`kgrel.text.terms.read_tsv` and :func:`kgrel.text.obo.read_obo`; or no entry.
    """
    path, kind = Path(path), canonical_type(type_)
    row_types = settings.gene_types if kind == "GENE" else ()
    if without_compression(path).lower().endswith(".obo"):
        terms = list(read_obo(kind, path, settings.related_synonyms))
    else:
        terms = list(read_tsv(kind, path, bad, row_types))
    if not terms:
        hint = f" (gene types read: {', '.join(row_types)})" if row_types else ""
        raise InputError(path, f"holds no entry that is read{hint}{bad.told}")
    return terms


def build_lexicon(terms: Iterable[Term], settings: BuildCorpusSettings) -> Lexicon:
    """Decide for each name whom it means.

    Within a type a symbol wins a name over a primary name, and that over a synonym; of equals, the one with the better
    :attr:`~kgrel.text.terms.Term.priority`. A name that still leads to several entities, of one type or of several, is
    kept apart. A spelling variant counts only if nobody is called so. Entries with the same (type, id) are one.
    """
    entities = _merged(terms)
    normaliser = Normaliser.of(settings)
    stop = {normaliser.fold(clean_name(word)) for word in settings.stop_words}
    stop |= {normaliser.fold(word) for word in BUILTIN} if settings.builtin_stop_words else frozenset()
    claims: dict[str, list[_Claim]] = {}
    variants: dict[str, list[_Claim]] = {}
    stopped, unfit = set(), set()
    for claim in _claims(entities, settings):
        name = normaliser.fold(claim.spelling)
        if (name if settings.ignore_case else name.lower()) in stop:
            stopped.add(name)
        elif len(name) < settings.min_name_length or name != name.strip() or not any(map(str.isalpha, name)):
            unfit.add(name)
        else:
            claims.setdefault(name, []).append(claim)
            for spelling in normaliser.variants(claim.spelling):
                variants.setdefault(normaliser.fold(spelling), []).append(claim._replace(spelling=spelling))
    claims |= {name: rivals for name, rivals in variants.items() if name not in claims and name not in stop}
    return _decide(claims, entities, normaliser, frozenset(stopped), len(unfit))


def _merged(terms: Iterable[Term]) -> list[Term]:
    merged: dict[tuple[str, str], Term] = {}
    for term in terms:
        key = (term.type, term.id)
        merged[key] = merged[key].merged(term) if key in merged else term
    return list(merged.values())


def _decide(
    claims: dict[str, list[_Claim]],
    entities: list[Term],
    normaliser: Normaliser,
    stopped: frozenset[str],
    unfit: int,
) -> Lexicon:
    names: dict[str, Use] = {}
    ambiguous: dict[str, tuple[Entity, ...]] = {}
    contested: dict[str, tuple[Use, ...]] = {}
    within = by_priority = 0
    for name, rivals in claims.items():
        winners = _winners(rivals, entities)
        by_priority += len({claim.entity for claim in rivals}) > len(winners)
        if len(winners) == 1:
            names[name] = _use(winners[0], rivals, normaliser)
            continue
        ambiguous[name] = tuple(sorted(Entity(entities[row].type, entities[row].id) for row in winners))
        types = Counter(entities[row].type for row in winners)
        within += len(types) < len(winners)
        if len(types) > 1:
            single = [row for row in winners if types[entities[row].type] == 1]
            contested[name] = tuple(_use(row, rivals, normaliser) for row in single)
    contested = {name: uses for name, uses in contested.items() if uses}
    return Lexicon(entities, names, ambiguous, contested, within, by_priority, stopped, unfit, normaliser)


def _claims(terms: list[Term], settings: BuildCorpusSettings) -> Iterator[_Claim]:
    for entity, term in enumerate(terms):
        for rank, spellings in enumerate((term.symbols, term.names, term.synonyms)):
            for given in spellings:
                spelling = clean_name(given)
                bound = settings.ignore_case and is_case_bound(term.type, spelling, settings.short_symbol_length)
                yield _Claim(entity, (rank, term.priority), spelling, bound)


def _winners(claims: list[_Claim], terms: list[Term]) -> list[int]:
    """The entities that hold the best claim of their type."""
    if len(claims) == 1:
        return [claims[0].entity]
    best: dict[str, tuple[int, int]] = {}
    for claim in claims:
        kind = terms[claim.entity].type
        best[kind] = min(claim.rank, best.get(kind, claim.rank))
    return sorted({claim.entity for claim in claims if claim.rank == best[terms[claim.entity].type]})


def _use(entity: int, claims: list[_Claim], normaliser: Normaliser) -> Use:
    own = [claim for claim in claims if claim.entity == entity]
    if not all(claim.bound for claim in own):
        return Use(entity, None)
    return Use(entity, frozenset().union(*(normaliser.cases(claim.spelling) for claim in own)))


def is_case_bound(type_: str, spelling: str, short: int) -> bool:
    """Whether a name counts only in the case listed: short, and of a gene or looking like a symbol."""
    if len(spelling) > short:
        return False
    return type_ == "GENE" or any(character.isdigit() or character.isupper() for character in spelling[1:])
