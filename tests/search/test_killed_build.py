"""build-index, killed with SIGKILL in the middle of its vectors and started again, ends with the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

from kgrel.data.artifact import MANIFEST
from kgrel.model.representation import Representation
from kgrel.search.build import VECTORS, build_index
from kgrel.search.settings import IndexSettings
from kgrel.search.sources import pairs_of_file
from kgrel.search.vector_file import read_done

SETTINGS = IndexSettings(samples=32, chunk_pairs=512, recall_queries=0)
PATIENCE = 120.0
"""Seconds after which a child that does not come on is given up."""


def test_a_build_that_was_killed_goes_on_to_the_same_bytes(representation_path: Path, tmp_path: Path) -> None:
    representation = Representation.open(representation_path)
    entities = representation.entities
    names = [f"{type_}::{id_}" for type_, id_ in zip(entities.types, entities.ids, strict=True)]
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("source,target\n" + "".join(f"{a},{b}\n" for a, b in combinations(names, 2)))
    out, work = tmp_path / "index", tmp_path / ".index.parts"
    command = [sys.executable, "-m", "kgrel_cli", "build-index", str(representation_path), "--pairs", str(pairs)]
    command += ["--samples", "32", "--chunk-pairs", "512", "--recall-queries", "0", "--out", str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def written() -> int:
        size = 2 * 2 * SETTINGS.samples * representation.model.dimensions.z
        return read_done(work / f"{VECTORS}.done", work / VECTORS, size)

    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        limit = time.monotonic() + PATIENCE
        while child.poll() is None and written() < 1024:
            assert time.monotonic() < limit, "the build does not come on"
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        child.wait()
    source = pairs_of_file(pairs, entities)
    assert child.returncode == -signal.SIGKILL
    assert 1024 <= written() < len(source.heads), "the build was over before it could be killed"
    assert not out.exists()

    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert again.returncode == 0, again.stderr
    assert "pairs had been sampled by an earlier run" in again.stderr
    whole = build_index(representation, source, tmp_path / "whole", SETTINGS)
    for name in (MANIFEST, *whole.manifest.files):
        assert (out / name).read_bytes() == (whole.path / name).read_bytes(), name
    assert not work.exists()
