from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgrel.text.pairs import PairCounts, nearest_pairs
from kgrel.text.tagger import Mention


@st.composite
def mentions_of_a_sentence(draw: st.DrawFn) -> list[Mention]:
    place, mentions = 0, []
    for gap, width, entity in draw(
        st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.integers(0, 6)), max_size=14)
    ):
        mentions.append(Mention(place + gap, place + gap + width, entity))
        place += gap + width
    return mentions


def all_nearest(mentions: list[Mention]) -> dict[frozenset[int], tuple[int, int, int]]:
    """For each pair of entities its smallest (gap, first mention, second mention), by trying all."""
    best: dict[frozenset[int], tuple[int, int, int]] = {}
    for i, first in enumerate(mentions):
        for j in range(i + 1, len(mentions)):
            if first.entity != mentions[j].entity:
                key, found = (
                    frozenset((first.entity, mentions[j].entity)),
                    (mentions[j].start - first.end, i, j),
                )
                best[key] = min(found, best.get(key, found))
    return best


@given(mentions_of_a_sentence(), st.integers(1, 25))
def test_each_pair_stands_once_at_its_nearest_mentions(mentions: list[Mention], limit: int) -> None:
    pairs, beyond = nearest_pairs(mentions, limit)
    expected = sorted(all_nearest(mentions).values())
    chosen = [(mentions[i], mentions[j]) for _, i, j in expected[:limit]]
    assert sorted(pairs) == sorted(chosen)
    assert beyond == len(expected) - len(pairs)


@given(mentions_of_a_sentence())
def test_pairs_come_in_reading_order_with_the_first_mention_first(mentions: list[Mention]) -> None:
    pairs, _ = nearest_pairs(mentions, 45)
    assert all(first.end <= second.start for first, second in pairs)
    assert pairs == sorted(pairs)


def test_ten_entities_fit_and_eleven_do_not() -> None:
    mentions = [Mention(2 * n, 2 * n + 1, n) for n in range(11)]
    assert [len(nearest_pairs(mentions[:10], 45)[0]), nearest_pairs(mentions[:10], 45)[1]] == [45, 0]
    assert [len(nearest_pairs(mentions, 45)[0]), nearest_pairs(mentions, 45)[1]] == [45, 10]


ROWS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] != pair[1]), max_size=40)


@given(ROWS)
def test_lookup_counts_contexts_in_either_order(rows: list[tuple[int, int]]) -> None:
    heads, tails = np.array(rows, np.int32).reshape(-1, 2).T
    counts = PairCounts.of_contexts(heads, tails, 9)
    expected = Counter(frozenset(pair) for pair in rows)
    grid_heads, grid_tails = np.divmod(np.arange(81), 9)
    found = counts.lookup(grid_heads, grid_tails)
    assert found.tolist() == [
        expected[frozenset(pair)] if len(set(pair)) == 2 else 0
        for pair in zip(grid_heads.tolist(), grid_tails.tolist(), strict=True)
    ]
    assert found.dtype == np.int64
    assert (counts.heads < counts.tails).all()
    assert len(counts) == len(expected)


def test_entities_outside_the_table_are_never_mentioned_together() -> None:
    counts = PairCounts.of_contexts(np.array([0, 1], np.int32), np.array([2, 2], np.int32), 3)
    assert counts.lookup([-1, 0, 0, 2, 5], [2, -1, 5, 0, 0]).tolist() == [0, 0, 0, 1, 0]


def test_keys_do_not_wrap_for_many_entities() -> None:
    n = 3_000_000
    counts = PairCounts.of_contexts(np.array([n - 1], np.int32), np.array([n - 2], np.int32), n)
    assert (counts.heads[0], counts.tails[0], counts.lookup([n - 2], [n - 1])[0]) == (n - 2, n - 1, 1)


def test_the_table_comes_back_as_written(tmp_path: Path) -> None:
    counts = PairCounts.of_contexts(np.array([0, 2, 0], np.int32), np.array([2, 0, 1], np.int32), 3)
    counts.write(tmp_path / "pairs.parquet")
    back = PairCounts.read(tmp_path / "pairs.parquet", 3)
    assert (back.heads.tolist(), back.tails.tolist(), back.counts.tolist()) == ([0, 0], [1, 2], [1, 2])
    assert (back.heads.dtype, back.counts.dtype) == (np.int32, np.int64)
