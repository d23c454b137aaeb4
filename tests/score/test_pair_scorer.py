"""A DataFrame in, the same DataFrame out, with the values that scoring a file gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.score.pair_scorer import PairScorer
from kgrel.score.scorer import ADDED, Scorer
from kgrel.score.stream import score_file

PAIRS = [("Gene::1", "DOID:1612"), ("207", "901"), ("nobody", "1"), ("1", "1"), ("PW1", "1"), ("207", "901")]


def pairs_frame(**columns: Any) -> pd.DataFrame:
    sources, targets = zip(*PAIRS, strict=True)
    return pd.DataFrame({"source": sources, "target": targets} | columns)


def plain(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """The added columns with one kind of null."""
    added = frame[list(ADDED)].astype(object)
    return added.where(added.notna(), None).to_dict("list")


def test_rows_order_index_and_columns_stay(scorer: Scorer) -> None:
    frame = pairs_frame(note=["=1", '"', "\t", None, "ü", 5]).set_index(pd.Index([9, 9, "a", "b", -1, 0], name="key"))
    before = frame.copy(deep=True)
    scored = PairScorer(scorer).score(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(scored[frame.columns], before)
    assert list(scored.columns) == [*before.columns, *ADDED]
    assert scored.index.equals(before.index)
    assert scored["status"].tolist() == ["ok", "ok", "unknown_source", "self_pair", "untyped", "ok"]


def test_values_are_those_of_score_file(pairs_path: Path, world_files: dict[str, Path], tmp_path: Path) -> None:
    scorer = PairScorer.load(pairs_path)
    frame = pd.read_csv(world_files["candidates.csv"], dtype=str)
    shuffled = frame.sample(frac=1, random_state=1)
    score_file(scorer.model, world_files["candidates.csv"], tmp_path / "scored.parquet")
    from_file, in_memory = pd.read_parquet(tmp_path / "scored.parquet"), scorer.score(shuffled).sort_index()
    expected, found = plain(from_file), plain(in_memory)
    for name in ("score", "score_std"):
        ours, theirs = (np.array(values[name], dtype=float) for values in (found, expected))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
        assert np.isfinite(ours).any()
        del found[name], expected[name]
    assert found == expected


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 207]),
        pd.Series([1, 207], dtype="int32"),
        pd.Series([1, 207], dtype="Int64"),
        pd.Series([1.0, 207.0]),
        pd.Series([1, "207"], dtype=object),
        pd.Series(["1", 207.0], dtype=object),
        pd.Series(["1", "207"], dtype="category"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_numbers_are_the_identifiers_that_they_spell(scorer: Scorer, values: pd.Series) -> None:
    expected = PairScorer(scorer).score(pd.DataFrame({"source": ["1", "207"], "target": ["DOID:2", "DOID:1612"]}))
    found = PairScorer(scorer).score(pd.DataFrame({"source": values, "target": ["DOID:2", "DOID:1612"]}))
    assert found["status"].tolist() == ["ok", "ok"]
    assert plain(found) == plain(expected)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, "", " "])
def test_a_missing_identifier_is_invalid(scorer: Scorer, missing: object) -> None:
    found = PairScorer(scorer).score(pd.DataFrame({"source": [1, missing], "target": ["207", "207"]}))
    assert found["status"].tolist() == ["ok", "invalid"]


def test_types_from_columns_settle_ambiguous_ids(scorer: Scorer) -> None:
    frame = pd.DataFrame({"head": ["7", "7", "7"], "tail": ["1"] * 3, "head_type": ["Compound", "gene", None]})
    found = PairScorer(scorer).score(frame)
    assert found["status"].tolist() == ["ok", "ok", "untyped"]
    assert found["best_relation"].tolist()[:2] == ["CHEMICAL-GENE", "GENE-GENE"]


def test_a_frame_without_rows_gets_the_columns(scorer: Scorer) -> None:
    found = PairScorer(scorer).score(pd.DataFrame({"source": [], "target": []}))
    assert list(found.columns) == ["source", "target", *ADDED]
    assert len(found) == 0


def test_missing_and_clashing_columns_are_refused(scorer: Scorer) -> None:
    with pytest.raises(KgrelError, match="the DataFrame: no column 'target'"):
        PairScorer(scorer).score(pd.DataFrame({"source": ["1"]}))
    with pytest.raises(KgrelError, match="the DataFrame: the column 'status' is there already"):
        PairScorer(scorer).score(pairs_frame(status="new"))


def test_another_artifact_is_refused(corpus_path: Path) -> None:
    with pytest.raises(ArtifactError, match="holds a corpus artifact, but a pairs artifact or a baseline is needed"):
        PairScorer.load(corpus_path)
