"""What fills a FAISS index and writes it."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from kgrel.search.fill import write_faiss
from kgrel.search.library import make_index


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    index = make_index("Flat", 8, "cosine")
    index.add(np.ones((100, 8), np.float32))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # as if no more would fit
    try:
        with pytest.raises(OSError, match="too large"):
            write_faiss(index, tmp_path / "index.faiss")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
