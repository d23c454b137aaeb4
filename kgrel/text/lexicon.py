"""Lexicons: which names are tagged, and whom each of them means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kgrel.data.entities import Entity, EntityTable, canonical_type
from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.folding import fold
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
    rank: int
    spelling: str


@dataclass(frozen=True)
class Lexicon:
    """All names of all lexicons, each leading to one entity.

    Attributes:
        terms: the entities, in the order read, one for each (type, id).
        names: folded name → what it stands for.
        ambiguous: folded name → the entities among which it cannot decide; such names are not tagged.
        stopped: folded names left out because they are on the stop list.
        unfit: number of distinct folded names left out as too short or without a letter.
    """

    terms: list[Term]
    names: dict[str, Use]
    ambiguous: dict[str, tuple[Entity, ...]]
    stopped: frozenset[str]
    unfit: int

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
    """Read one lexicon: OBO if the file name ends in ``.obo`` or ``.obo.gz``, else a table.

    Args:
        bad: receives the lines of a table that cannot be used.

    Raises:
        InputError: see :func:`kgrel.text.terms.read_tsv` and :func:`kgrel.text.obo.read_obo`; or no entry.
    """
    path, kind = Path(path), canonical_type(type_)
    row_types = settings.gene_types if kind == "GENE" else ()
    if path.name.lower().removesuffix(".gz").endswith(".obo"):
        terms = list(read_obo(kind, path, settings.related_synonyms))
    else:
        terms = list(read_tsv(kind, path, bad, row_types))
    if not terms:
        hint = f" (gene types read: {', '.join(row_types)})" if row_types else ""
        raise InputError(path, f"holds no entry that is read{hint}")
    return terms


def build_lexicon(terms: Iterable[Term], settings: BuildCorpusSettings) -> Lexicon:
    """Decide for each name whom it means.

    Within a type a symbol wins a name over a primary name, and that over a synonym. A name that still leads
    to several entities, of one type or of several, is kept apart. Entries with the same (type, id) are one.
    """
    merged: dict[tuple[str, str], Term] = {}
    for term in terms:
        key = (term.type, term.id)
        merged[key] = merged[key].merged(term) if key in merged else term
    entities = list(merged.values())
    stop = {fold(clean_name(word)) for word in settings.stop_words}
    stop |= BUILTIN if settings.builtin_stop_words else frozenset()
    claims: dict[str, list[_Claim]] = {}
    stopped, unfit = set(), set()
    for claim in _claims(entities):
        name = fold(claim.spelling)
        if name in stop:
            stopped.add(name)
        elif len(name) < settings.min_name_length or not any(map(str.isalpha, name)):
            unfit.add(name)
        else:
            claims.setdefault(name, []).append(claim)
    names, ambiguous = {}, {}
    for name, rivals in claims.items():
        winners = _winners(rivals, entities)
        if len(winners) == 1:
            names[name] = _use(winners[0], rivals, entities, settings.short_symbol_length)
        else:
            ambiguous[name] = tuple(sorted(Entity(entities[row].type, entities[row].id) for row in winners))
    return Lexicon(entities, names, ambiguous, frozenset(stopped), len(unfit))


def _claims(terms: list[Term]) -> Iterator[_Claim]:
    for entity, term in enumerate(terms):
        for rank, spellings in enumerate((term.symbols, term.names, term.synonyms)):
            for spelling in spellings:
                yield _Claim(entity, rank, clean_name(spelling))


def _winners(claims: list[_Claim], terms: list[Term]) -> list[int]:
    """The entities that hold the best claim of their type."""
    best: dict[str, int] = {}
    for claim in claims:
        kind = terms[claim.entity].type
        best[kind] = min(claim.rank, best.get(kind, claim.rank))
    return sorted({claim.entity for claim in claims if claim.rank == best[terms[claim.entity].type]})


def _use(entity: int, claims: list[_Claim], terms: list[Term], short: int) -> Use:
    spellings = {claim.spelling for claim in claims if claim.entity == entity}
    bound = all(is_case_bound(terms[entity].type, spelling, short) for spelling in spellings)
    return Use(entity, frozenset(spellings) if bound else None)


def is_case_bound(type_: str, spelling: str, short: int) -> bool:
    """Whether a name counts only in the case listed: short, and of a gene or looking like a symbol."""
    if len(spelling) > short:
        return False
    return type_ == "GENE" or any(character.isdigit() or character.isupper() for character in spelling[1:])
