"""What is true in the world: hidden modules, and relations that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgrel.synthetic.names import Entity
from kgrel.synthetic.vocabulary import CLASSES, KINDS
from kgrel.synthetic.world_settings import WorldSettings

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Planted:
    """Hidden modules and true relations."""

    modules: Bools
    """Membership of entities in modules; shape (entities, modules)."""
    relations: dict[str, Bools]
    """Metaedge → truth of (source, target); shape (entities, entities)."""


def any_relation(relations: dict[str, Bools]) -> Bools:
    """Whether a source and a target stand in any relation; shape (entities, entities)."""
    true: Bools = np.logical_or.reduce(list(relations.values()))
    return true


def rows_of_type(entities: tuple[Entity, ...], type_: str) -> Ints:
    """Row numbers of the entities of a type, ascending."""
    return np.array([row for row, entity in enumerate(entities) if entity.type == type_], dtype=np.int64)


def class_pairs(entities: tuple[Entity, ...], source_type: str, target_type: str) -> Ints:
    """Every pair of a class once, source first, no entity with itself; shape (pairs, 2)."""
    sources, targets = rows_of_type(entities, source_type), rows_of_type(entities, target_type)
    grid = np.stack(np.meshgrid(sources, targets, indexing="ij"), axis=-1).reshape(-1, 2)
    return grid[grid[:, 0] < grid[:, 1]] if source_type == target_type else grid


def plant(rng: np.random.Generator, entities: tuple[Entity, ...], settings: WorldSettings) -> Planted:
    """Give every entity its modules, and relate entities that share one.

    Each class of pairs gives each module a kind of relation, and some modules a second one: pairs related
    through these stand in two relations at once. Popularity has no part in it, so neither degree nor
    co-occurrence predicts relations.
    """
    modules = _memberships(rng, entities, settings)
    relations = {kind.metaedge: np.zeros((len(entities),) * 2, dtype=bool) for kind in KINDS}
    cells = settings.dual_modules * settings.modules
    for place, (source_type, target_type) in enumerate(CLASSES):
        dual = round(cells * (place + 1)) - round(cells * place)
        kinds = [kind for kind in KINDS if (kind.source_type, kind.target_type) == (source_type, target_type)]
        kinds_of_module = _kinds_of_modules(rng, settings.modules, len(kinds), dual)
        pairs = class_pairs(entities, source_type, target_type)
        shared = modules[pairs[:, 0]] & modules[pairs[:, 1]]
        through = shared & (rng.random(shared.shape) < settings.hold_rate)
        holds = through @ kinds_of_module
        by_chance = rng.random(len(pairs)) < settings.background_rate
        holds[by_chance, rng.integers(len(kinds), size=int(by_chance.sum()))] = True
        if source_type == target_type:
            turned = rng.random(len(pairs)) < 0.5
            pairs = np.where(turned[:, None], pairs[:, ::-1], pairs)
        for column, kind in enumerate(kinds):
            related = pairs[holds[:, column]]
            relations[kind.metaedge][related[:, 0], related[:, 1]] = True
    return Planted(modules, relations)


def _memberships(rng: np.random.Generator, entities: tuple[Entity, ...], settings: WorldSettings) -> Bools:
    """One module each, evenly within a type; a second one for some."""
    modules = np.zeros((len(entities), settings.modules), dtype=bool)
    for type_ in ("GENE", "DISEASE", "CHEMICAL"):
        rows = rows_of_type(entities, type_)
        first = rng.permutation(len(rows)) % settings.modules
        modules[rows, first] = True
        more = rng.random(len(rows)) < settings.second_module
        second = (first + rng.integers(1, settings.modules, size=len(rows))) % settings.modules
        modules[rows[more], second[more]] = True
    return modules


def _kinds_of_modules(rng: np.random.Generator, modules: int, kinds: int, dual: int) -> Bools:
    """Which kinds of relation a shared module entails, two for ``dual`` modules; shape (modules, kinds)."""
    entails = np.zeros((modules, kinds), dtype=bool)
    first = rng.permutation(modules) % kinds
    entails[np.arange(modules), first] = True
    twofold = rng.permutation(modules)[:dual]
    second = (first + rng.integers(1, kinds, size=modules)) % kinds
    entails[twofold, second[twofold]] = True
    return entails
