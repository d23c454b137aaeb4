from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.synthetic import World, WorldSettings, make_world


def as_sets(pairs: np.ndarray) -> list[frozenset[int]]:
    return [frozenset(pair) for pair in pairs.tolist()]


def test_sizes_are_as_set(small_world: World) -> None:
    settings = small_world.settings
    assert len(small_world.entities) == settings.genes + settings.diseases + settings.chemicals
    assert len(small_world.pairs) == settings.pairs
    assert len(small_world.candidates) == settings.candidates
    assert len(small_world.sentences) == settings.sentences


def test_pairs_are_distinct_and_candidates_never_co_mentioned(small_world: World) -> None:
    pairs, candidates = as_sets(small_world.pairs), as_sets(small_world.candidates)
    assert len(set(pairs)) == len(pairs)
    assert len(set(candidates)) == len(candidates)
    together = {frozenset(pair) for pair in small_world.comention_counts()}
    assert set(pairs) <= together
    assert not set(candidates) & together
    assert all(len(pair) == 2 for pair in pairs + candidates)


def test_all_relations_of_co_mentioned_pairs_are_listed_but_a_few(small_world: World) -> None:
    related = small_world.related()[small_world.pairs[:, 0], small_world.pairs[:, 1]]
    assert not (small_world.listed & ~related).any()
    assert small_world.listed.sum() >= 0.8 * related.sum()
    complete = make_world(dataclasses.replace(small_world.settings, unlisted_rate=0.0))
    assert np.array_equal(complete.listed, complete.related()[complete.pairs[:, 0], complete.pairs[:, 1]])


def test_pairs_stand_as_their_relations_go(small_world: World) -> None:
    true = np.logical_or.reduce(list(small_world.relations.values()))
    for pairs in (small_world.pairs, small_world.candidates):
        forward = true[pairs[:, 0], pairs[:, 1]]
        backward = true[pairs[:, 1], pairs[:, 0]]
        assert forward.any()
        assert not backward.any()


def test_related_and_unrelated_pairs_have_overlapping_counts() -> None:
    world = make_world(WorldSettings())
    counts = world.comention_counts()
    of_pair = np.array([counts[min(pair), max(pair)] for pair in map(tuple, world.pairs.tolist())])
    related = world.related()[world.pairs[:, 0], world.pairs[:, 1]]
    for quarter in (0.25, 0.5, 0.75):
        assert abs(np.quantile(of_pair[related], quarter) - np.quantile(of_pair[~related], quarter)) <= 1


def test_the_seed_decides(small_world: World) -> None:
    again = make_world(WorldSettings.small())
    assert again.sentences == small_world.sentences
    assert np.array_equal(again.candidates, small_world.candidates)
    assert make_world(WorldSettings.small(seed=18)).sentences != small_world.sentences


def test_too_few_entities_for_the_pairs_is_a_stated_failure() -> None:
    with pytest.raises(KgrelError, match="raise the number of entities"):
        make_world(dataclasses.replace(WorldSettings.small(), pairs=1500))
