from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.data.errors import ArtifactError
from kgrel.text import contexts
from kgrel.text.contexts import (
    CONTEXT_SCHEMA,
    SENTENCE_SCHEMA,
    Context,
    ContextStore,
    RowWriter,
    SentenceStore,
)
from kgrel.text.sentences import Sentence


def some_contexts(count: int) -> list[Context]:
    rng = np.random.default_rng(0)
    return [
        Context(row, row + 1, row // 2, 0, 1, 2, 3, rng.integers(1, 99, rng.integers(3, 9)).tolist())
        for row in range(count)
    ]


@pytest.fixture(params=[3, 1000], ids=["many batches", "one batch"])
def stored(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contexts, "BATCH_ROWS", request.param)
    rows = some_contexts(10)
    with RowWriter(tmp_path / "contexts.arrow", CONTEXT_SCHEMA) as writer:
        for row in rows:
            writer.append(row)
    return rows, ContextStore.open(tmp_path / "contexts.arrow")


def test_columns_come_back_in_order(stored) -> None:
    rows, store = stored
    assert len(store) == len(rows)
    assert store.heads.tolist() == [row.head for row in rows]
    assert store.tails.tolist() == [row.tail for row in rows]
    assert store.sentences.tolist() == [row.sentence for row in rows]
    assert store.lengths.tolist() == [len(row.tokens) for row in rows]
    dtypes = [column.dtype for column in (store.heads, store.tails, store.sentences, store.lengths)]
    assert dtypes == [np.int32, np.int32, np.int64, np.int32]


def test_gather_pads_with_zeros_in_the_order_asked(stored) -> None:
    rows, store = stored
    for wanted in ([0], [9, 0, 4, 4, 1], list(range(10))):
        tokens = store.gather(np.array(wanted))
        longest = max(len(rows[row].tokens) for row in wanted)
        assert tokens.dtype == np.int32
        assert tokens.tolist() == [rows[r].tokens + [0] * (longest - len(rows[r].tokens)) for r in wanted]


def test_gather_of_nothing_is_empty(stored) -> None:
    assert stored[1].gather(np.array([], np.int64)).shape == (0, 0)


@pytest.mark.parametrize("row", [-1, 10])
def test_rows_outside_the_store_are_refused(stored, row: int) -> None:
    with pytest.raises(IndexError):
        stored[1].gather(np.array([0, row]))
    with pytest.raises(IndexError):
        stored[1].row(row)


def test_a_row_comes_back_whole(stored) -> None:
    rows, store = stored
    assert [store.row(row) for row in range(len(rows))] == rows


def test_tokens_are_views_of_the_memory_map(stored) -> None:
    before = pa.total_allocated_bytes()
    store = ContextStore(stored[1].batches)
    assert all(not values.flags.owndata for values in store._values)
    assert pa.total_allocated_bytes() == before


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=7))
def test_sentences_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("s") / "sentences.arrow"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contexts, "BATCH_ROWS", 2)
        with RowWriter(path, SENTENCE_SCHEMA) as writer:
            for row in rows:
                writer.append(row)
    store = SentenceStore.open(path)
    assert [store.row(row) for row in range(len(store))] == [Sentence(*row) for row in rows]


def test_a_foreign_or_cut_file_is_refused(tmp_path: Path, stored) -> None:
    with pytest.raises(ArtifactError, match="other columns"):
        SentenceStore.open(tmp_path / "contexts.arrow")
    cut = tmp_path / "cut.arrow"
    cut.write_bytes((tmp_path / "contexts.arrow").read_bytes()[:-20])
    with pytest.raises(ArtifactError, match=r"cut\.arrow"):
        ContextStore.open(cut)
