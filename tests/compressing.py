"""Compressed copies of the files that a test writes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa

COMPRESSIONS = (".gz", ".zst")


def compressed(path: Path, compression: str) -> Path:
    """A copy of a file beside it, compressed as the ending says."""
    content, copy = path.read_bytes(), path.with_name(path.name + compression)
    copy.write_bytes(gzip.compress(content) if compression == ".gz" else pa.compress(content, "zstd", asbytes=True))
    return copy
