"""The vectors of an index on disk: half precision, pair after pair, written in chunks and read through a memory map."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import ArtifactError
from kgrel.data.files import write_text
from kgrel.search.metric import single
from kgrel.search.sampler import Halves

Shape = tuple[int, int, int, int]
"""P pairs, O orders, K vectors an order, Z dimensions. The id of a vector is its place: pair · O·K + order · K + k."""


def write_vectors(
    path: Path, shape: Shape, chunk: int, make: Callable[[int, int], Halves], advance: Callable[[int], None]
) -> int:
    """Write vectors chunk by chunk; what an interrupted run finished is kept.

    Args:
        make: gives the vectors (n, O, K, Z) of the pairs from a first one up to one before the last.
        advance: is told how many pairs are there.

    Returns:
        Pairs that were there already.
    """
    size = 2 * int(np.prod(shape[1:]))
    done_file = path.with_name(path.name + ".done")
    done = read_done(done_file, path, size)
    kept = done
    advance(done)
    with path.open("r+b" if path.exists() else "w+b") as stream:
        stream.truncate(done * size)
        stream.seek(done * size)
        while done < shape[0]:
            stop = min(done + chunk, shape[0])
            stream.write(np.ascontiguousarray(make(done, stop), dtype="<f2").data)
            stream.flush()
            os.fsync(stream.fileno())
            write_text(done_file, f"{stop}\n")
            advance(stop - done)
            done = stop
    return kept


def read_done(done_file: Path, path: Path, size: int) -> int:
    """Pairs that are written for certain."""
    try:
        done = int(done_file.read_text(encoding="utf-8"))
        return done if 0 <= done * size <= path.stat().st_size else 0
    except (OSError, ValueError):
        return 0


def open_vectors(path: Path, shape: Shape) -> Halves:
    """Map the vectors of P pairs: float16 (P, O, K, Z), read only.

    Raises:
        ArtifactError: the file has another length.
    """
    expected, found = 2 * int(np.prod(shape)), path.stat().st_size
    if expected != found:
        raise ArtifactError(
            f"{path}: holds {found:,} bytes, but its {shape[0]:,} pairs need {expected:,}; the file is cut short or of "
            "another index: build the index again"
        )
    return np.memmap(path, dtype="<f2", mode="r", shape=shape)


def in_chunks(vectors: Halves, rows: int) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """The number of the first vector, and vectors (n, Z) in single precision, about ``rows`` at a time."""
    flat = vectors.reshape(-1, vectors.shape[-1])
    for start in range(0, len(flat), rows):
        yield start, single(flat[start : start + rows])
