from __future__ import annotations

import dataclasses

import numpy as np

from kgrel.synthetic import World, WorldSettings, make_world
from kgrel.synthetic.planted import class_pairs
from kgrel.synthetic.vocabulary import CLASSES, KINDS


def test_every_entity_has_one_or_two_modules(small_world: World) -> None:
    assert set(small_world.modules.sum(axis=1)) <= {1, 2}


def test_relations_keep_to_their_types(small_world: World) -> None:
    types = np.array([entity.type for entity in small_world.entities])
    for kind in KINDS:
        sources, targets = np.nonzero(small_world.relations[kind.metaedge])
        assert set(types[sources]) <= {kind.source_type}
        assert set(types[targets]) <= {kind.target_type}


def test_relations_of_genes_have_one_direction(small_world: World) -> None:
    types = np.array([entity.type for entity in small_world.entities])
    true = np.logical_or.reduce(list(small_world.relations.values()))
    assert not (true & true.T).any()
    assert true[types == "GENE"][:, types == "GENE"].any()


def test_without_noise_entities_are_related_exactly_when_they_share_a_module() -> None:
    exact = dataclasses.replace(WorldSettings.small(), hold_rate=1.0, background_rate=0.0)
    world = make_world(exact)
    related = world.related()
    for types in CLASSES:
        first, second = class_pairs(world.entities, *types).T
        shared = (world.modules[first] & world.modules[second]).any(axis=1)
        assert np.array_equal(related[first, second], shared)


def test_a_fifth_to_a_quarter_of_related_pairs_stand_in_two_relations() -> None:
    shares = []
    for seed in (17, 1, 2):
        world = make_world(WorldSettings(seed=seed))
        kinds = np.array([len(world.metaedges(*pair)) for pair in world.pairs.tolist()])
        shares.append((kinds > 1).sum() / (kinds > 0).sum())
    assert 0.2 <= np.mean(shares) <= 0.25
    assert all(0.17 < share < 0.28 for share in shares)
