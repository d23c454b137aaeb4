"""A ranking is the head of the sorted full list, whatever is held back to save memory."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.metrics.classification import best
from kgrel.score import rank
from kgrel.score.rank import rank_pairs, row_of, rows_of_type
from kgrel.score.settings import RankSettings
from kgrel.train.pair_model import PairModel

TYPES = ["GENE"] * 6 + ["DISEASE"] * 5
IDS = [f"{number % 7}" for number in range(6)] + [f"D{number}" for number in range(5)]


def scorer_of(scores: np.ndarray, known: set[tuple[int, int]] | None = None) -> Any:
    """A scorer of one class with given symmetric scores (entities, entities)."""
    entities = EntityTable(TYPES, IDS, [f"name {i}" for i in IDS], [[] for _ in IDS])

    def listed(heads: Any, tails: Any) -> list[str | None]:
        pairs = zip(np.minimum(heads, tails).tolist(), np.maximum(heads, tails).tolist(), strict=True)
        return ["R" if pair in (known or set()) else None for pair in pairs]

    return SimpleNamespace(
        classes=["R"],
        entities=entities,
        thresholds=np.array([0.5]),
        predict=lambda heads, tails: (scores[heads, tails][:, None], np.zeros((len(heads), 1))),
        quick=lambda heads, tails: scores[heads, tails],
        possible=lambda heads, tails: np.ones((len(heads), 1), dtype=bool),
        contexts=lambda heads, tails: np.zeros(len(heads), dtype=np.int64),
        known=listed,
    )


def symmetric(seed: int, levels: int) -> np.ndarray:
    """Scores with many ties: only some distinct levels."""
    scores = np.random.default_rng(seed).integers(levels, size=(11, 11)) / levels
    return np.triu(scores) + np.triu(scores, 1).T


def full_list(scorer: Any, scores: np.ndarray, heads: Any, tails: Any, per_head: int = 0) -> list[tuple[str, str]]:
    """All pairs, each unordered pair once, sorted: the naive answer."""
    entities = scorer.entities
    names = [f"{t}::{i}" for t, i in zip(entities.types, entities.ids, strict=True)]
    seen, rows = set(), []
    for head, tail in itertools.product(heads, tails):
        if head != tail and frozenset((head, tail)) not in seen:
            seen.add(frozenset((head, tail)))
            rows.append((-scores[head, tail], names[head], names[tail]))
    rows.sort()
    kept, of_head = [], dict.fromkeys(names, 0)
    for _, head, tail in rows:
        of_head[head] += 1
        if not per_head or of_head[head] <= per_head:
            kept.append((head, tail))
    return kept


def pairs_of(table: Any) -> list[tuple[str, str]]:
    return list(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True))


@given(
    seed=st.integers(0, 10**6), levels=st.integers(1, 6), top=st.integers(0, 40), per_head=st.integers(0, 4),
    waiting=st.sampled_from([0, 5, rank.LEAST_WAITING]),
)  # fmt: skip
def test_top_k_is_the_head_of_the_sorted_list(seed: int, levels: int, top: int, per_head: int, waiting: int) -> None:
    scores = symmetric(seed, levels)
    scorer = scorer_of(scores)
    for heads, tails in (("GENE", "DISEASE"), ("DISEASE", "GENE"), ("GENE", "GENE")):
        rows = rows_of_type(scorer.entities, heads), rows_of_type(scorer.entities, tails)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rank, "LEAST_WAITING", waiting)
            ranked = rank_pairs(scorer, *rows, RankSettings(top=top, per_head=per_head))
        expected = full_list(scorer, scores, *rows, per_head)
        assert pairs_of(ranked.table) == (expected[:top] if top else expected)
        assert ranked.table["rank"].to_pylist() == list(range(1, ranked.table.num_rows + 1))


def test_novel_only_leaves_out_listed_pairs_in_both_orders() -> None:
    scorer = scorer_of(symmetric(0, 50), known={(0, 6), (3, 9)})
    genes, diseases = rows_of_type(scorer.entities, "gene"), rows_of_type(scorer.entities, "Disease")
    for heads, tails in ((genes, diseases), (diseases, genes)):
        ranked = rank_pairs(scorer, heads, tails, RankSettings(top=0, novel_only=True))
        found = pairs_of(ranked.table)
        assert (ranked.considered, ranked.known, ranked.scored) == (30, 2, 28)
        assert len(found) == 28
        assert not {("GENE::0", "DISEASE::D0"), ("DISEASE::D0", "GENE::0")} & set(found)


def test_a_ranking_agrees_with_scoring_the_list(pair_model: PairModel) -> None:
    heads, tails = rows_of_type(pair_model.entities, "GENE"), rows_of_type(pair_model.entities, "CHEMICAL")
    ranked = rank_pairs(pair_model, heads, tails, RankSettings(top=25))
    grid = np.repeat(heads, len(tails)), np.tile(tails, len(heads))
    scores = best(pair_model.predict(*grid)[0], pair_model.possible(*grid))[1]
    np.testing.assert_allclose(ranked.table["score"].to_numpy(), np.sort(scores)[::-1][:25], atol=1e-6)
    assert ranked.considered == ranked.scored == len(scores)


def test_pruning_says_how_many_pairs_were_scored_and_keeps_the_best_of_the_cheap_pass() -> None:
    scores = symmetric(1, 1000)
    scorer = scorer_of(scores)
    rows = rows_of_type(scorer.entities, "GENE"), rows_of_type(scorer.entities, "DISEASE")
    whole = rank_pairs(scorer, *rows, RankSettings(top=2, per_head=2))
    pruned = rank_pairs(scorer, *rows, RankSettings(top=2, per_head=2, prune_to=0.4))
    assert pruned.considered == whole.considered == whole.scored == 30
    assert (pruned.scored, pruned.pruned, whole.pruned) == (12, 18, 0)
    assert pairs_of(pruned.table) == pairs_of(whole.table)  # here the cheap pass is the score itself


@given(seed=st.integers(0, 10**6), least=st.integers(0, 9))
def test_rarely_mentioned_entities_are_left_out_and_counted(seed: int, least: int) -> None:
    scores = symmetric(seed, 6)
    scorer = scorer_of(scores)
    rng = np.random.default_rng(seed)
    scorer.comentions = rng.integers(0, 11, 20), rng.integers(0, 11, 20), rng.integers(1, 4, 20)
    counts = np.zeros(11, dtype=int)
    for head, tail, count in zip(*scorer.comentions, strict=True):
        counts[head] += count
        counts[tail] += count
    genes, diseases = rows_of_type(scorer.entities, "GENE"), rows_of_type(scorer.entities, "DISEASE")
    often = [rows[counts[rows] >= least] for rows in (genes, diseases)]
    settings = RankSettings(top=0, min_contexts=least)
    if not all(map(len, often)):
        with pytest.raises(KgrelError, match=rf"stands in {least} contexts; lower --min-contexts"):
            rank_pairs(scorer, genes, diseases, settings)
        return
    ranked = rank_pairs(scorer, genes, diseases, settings)
    assert pairs_of(ranked.table) == full_list(scorer, scores, *often)
    assert ranked.rare == 11 - sum(map(len, often))
    names = [f"{t}::{i}" for t, i in zip(scorer.entities.types, scorer.entities.ids, strict=True)]
    contexts = dict(zip(names, counts.tolist(), strict=True))
    for side in ("source", "target"):
        told = ranked.table[f"{side}_contexts"].to_pylist()
        assert told == [contexts[name] for name in ranked.table[side].to_pylist()]
    named = rank_pairs(scorer, genes[:1], diseases, settings)  # a source that is asked for stays
    assert named.scored == len(often[1])


def test_without_text_counts_there_is_no_least_count() -> None:
    scorer = scorer_of(symmetric(0, 5))
    rows = rows_of_type(scorer.entities, "GENE"), rows_of_type(scorer.entities, "DISEASE")
    with pytest.raises(KgrelError, match="does not know how often entities are mentioned; leave out --min-contexts"):
        rank_pairs(scorer, *rows, RankSettings(min_contexts=1))
    assert "target_contexts" not in rank_pairs(scorer, *rows, RankSettings()).table.column_names


@pytest.mark.parametrize(("name", "value"), [("top", -1), ("per_head", -2), ("min_contexts", -1), ("prune_to", 0.0),
                                             ("prune_to", 1.5), ("prune_to", float("nan"))])  # fmt: skip
def test_settings_out_of_range_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(KgrelError, match=f"{name} must be .*, not {value}"):
        RankSettings(**{name: value})  # type: ignore[arg-type]


def test_non_finite_scores_are_an_error() -> None:
    scores = symmetric(0, 5)
    scores[2, 7] = scores[7, 2] = np.nan
    scorer = scorer_of(scores)
    with pytest.raises(NonFiniteError):
        rank_pairs(
            scorer, rows_of_type(scorer.entities, "GENE"), rows_of_type(scorer.entities, "DISEASE"), RankSettings()
        )


def test_types_and_entities_that_are_not_there_are_named() -> None:
    entities = scorer_of(symmetric(0, 5)).entities
    with pytest.raises(KgrelError, match="no entity of type 'GENES' \\(did you mean 'GENE'\\?\\)"):
        rows_of_type(entities, "genes")
    with pytest.raises(KgrelError, match="'GENE::99' is not among the 11 entities"):
        row_of(entities, "GENE::99")
    assert row_of(entities, "Gene::3") == 3
