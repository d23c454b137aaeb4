"""The split that a corpus of paths brings with it: that of the labelled pairs that the paths were drawn for.

Drawn again it could be another one, since a split depends on which pairs are co-mentioned, and a corpus of paths holds
contexts of pairs that no sentence names. The edges that left the graph would then be those of the wrong pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Rows

GIVEN = "given-split.parquet"
"""Only in a corpus of paths that were drawn for the pairs of a split."""


@dataclass(frozen=True)
class GivenSplit:
    """Entity rows of the corpus and part of each pair (n,)."""

    heads: Rows
    tails: Rows
    parts: Rows


def write_given(directory: Path, split: GivenSplit) -> None:
    """Write it beside the other files of a corpus."""
    columns = {"head": split.heads, "tail": split.tails, "part": split.parts}
    pq.write_table(pa.table(columns), directory / GIVEN)


def read_given(corpus: Corpus) -> GivenSplit | None:
    """The split that a corpus brings; None where it brings none."""
    if GIVEN not in corpus.artifact.manifest.files:
        return None
    table = pq.read_table(corpus.artifact.file(GIVEN))
    return GivenSplit(*(table.column(name).to_numpy().astype("int64") for name in ("head", "tail", "part")))
