"""An exact index on a GPU answers as on the CPU; where there is none, --device cuda says what it needs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.search.index import RelationIndex
from kgrel.search.library import faiss_library, gpu_copy, make_index
from kgrel.search.queries import of_rows
from kgrel.search.settings import SearchSettings

GPUS = getattr(faiss_library(), "get_num_gpus", lambda: 0)()


@pytest.mark.skipif(GPUS == 0, reason="faiss-gpu and a GPU are needed")
def test_a_gpu_gives_the_answers_of_the_cpu(index: RelationIndex) -> None:
    settings = SearchSettings(device="cuda")
    asked = [of_rows(index, int(index.pairs.heads[row]), int(index.pairs.tails[row]), settings) for row in range(40)]
    found = index.search(asked, settings)
    expected = index.search(asked, dataclasses.replace(settings, device="cpu"))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.pairs.tolist() == theirs.pairs.tolist()
        assert ours.orders.tolist() == theirs.orders.tolist()
        assert np.array_equal(ours.scores, theirs.scores)


@pytest.mark.skipif(GPUS > 0, reason="there is a GPU")
def test_without_a_gpu_cuda_is_refused_and_auto_searches_on_the_cpu(index: RelationIndex) -> None:
    asked = [of_rows(index, int(index.pairs.heads[0]), int(index.pairs.tails[0]), SearchSettings())]
    with pytest.raises(KgrelError, match=r"--device cuda needs faiss-gpu \(pip install 'kgrel\[gpu\]'\)"):
        index.search(asked, SearchSettings(device="cuda"))
    (auto,), (cpu,) = (index.search(asked, SearchSettings(device=device)) for device in ("auto", "cpu"))
    assert auto.pairs.tolist() == cpu.pairs.tolist()


def test_only_an_exact_index_goes_to_a_gpu() -> None:
    assert gpu_copy(make_index("HNSW8", 16, "l2")) is None
