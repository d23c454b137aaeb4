"""Thirty-two readers of one index and one model at once: each gets the answer that one alone gets."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.data.make_artifacts import PLACE
from tests.e2e.disturbing import context

READERS = 32


def read(out: Path) -> bytes:
    """Open the model and the index, score a list and search for each of its pairs; what was found."""
    import torch

    from kgrel.score.opening import open_scorer
    from kgrel.score.stream import score_file
    from kgrel.search.ask import ask
    from kgrel.search.index import RelationIndex
    from kgrel.search.settings import SearchSettings

    torch.set_num_threads(1)
    candidates = PLACE / "world" / "candidates.csv"
    score_file(open_scorer(PLACE / "pairs"), candidates, out)
    table, _ = ask(RelationIndex.open(PLACE / "index"), SearchSettings(top=3), pairs=candidates)
    return out.read_bytes() + repr(table.to_pydict()).encode()


def processes() -> Executor:
    return ProcessPoolExecutor(READERS, mp_context=context)


@pytest.mark.parametrize(
    "executor", [lambda: ThreadPoolExecutor(READERS), pytest.param(processes, marks=pytest.mark.nightly)],
    ids=["threads", "processes"],
)  # fmt: skip
def test_thirty_two_readers_at_once_find_the_same(executor: Callable[[], Executor], tmp_path: Path) -> None:
    pytest.importorskip("faiss", reason="FAISS is not installed")
    alone = read(tmp_path / "alone.csv")
    with executor() as readers:
        found = list(readers.map(read, [tmp_path / f"{number}.csv" for number in range(READERS)]))
    assert found == [alone] * READERS
    assert len(list(tmp_path.iterdir())) == READERS + 1
