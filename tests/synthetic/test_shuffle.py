from __future__ import annotations

from collections import Counter

from kgrel.synthetic import World, shuffled_text


def test_all_but_the_wording_stays(small_world: World) -> None:
    shuffled = shuffled_text(small_world, seed=1)
    assert shuffled.comention_counts() == small_world.comention_counts()
    for one, other in zip(shuffled.sentences, small_world.sentences, strict=True):
        assert (one.doc_id, one.entities, one.names) == (other.doc_id, other.entities, other.names)
    assert shuffled.pairs is small_world.pairs
    assert shuffled.listed is small_world.listed
    assert shuffled.candidates is small_world.candidates


def test_frames_are_permuted_among_sentences_of_the_same_types(small_world: World) -> None:
    def frames(world: World) -> Counter[tuple[object, ...]]:
        types = [tuple(world.entities[entity].type for entity in one.entities) for one in world.sentences]
        return Counter(
            (type_, one.frame, one.metaedge, one.denied) for type_, one in zip(types, world.sentences, strict=True)
        )

    shuffled = shuffled_text(small_world, seed=1)
    assert frames(shuffled) == frames(small_world)
    moved = [one.frame != other.frame for one, other in zip(shuffled.sentences, small_world.sentences, strict=True)]
    assert sum(moved) > 0.9 * len(moved)


def test_relations_are_stated_as_often_of_related_pairs_as_of_others(small_world: World) -> None:
    def stated_rate(world: World, related: bool) -> float:
        of = [one for one in world.sentences if bool(world.metaedges(*one.entities[:2])) == related]
        return sum(bool(one.metaedge) and not one.denied for one in of) / len(of)

    shuffled = shuffled_text(small_world, seed=1)
    before = stated_rate(small_world, True) - stated_rate(small_world, False)
    after = stated_rate(shuffled, True) - stated_rate(shuffled, False)
    assert before > 0.3
    assert abs(after) < 0.1


def test_the_seed_decides(small_world: World) -> None:
    assert shuffled_text(small_world, seed=1).sentences == shuffled_text(small_world, seed=1).sentences
    assert shuffled_text(small_world, seed=1).sentences != shuffled_text(small_world, seed=2).sentences
