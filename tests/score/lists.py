"""Candidate lists for the tests of scoring, how they are written and read, and a listener to their progress."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from kgrel.data.tables import TableReader, write_table
from kgrel.score.scorer import Scorer

HOSTILE = ['say "hi"', "tab\there", "line\nbreak", "line\r\nbreak", "naïve Ωβ 漢字 🧬", "=1+1", "", " spaced ", "a,b;c"]
HOSTILE += ["\\n", "'", "NULL", '"', "007"]
PAIRS = [("Gene::1", "DOID:1612"), ("207", "901"), ("nobody", "1"), ("DB00001", "1"), ("1", "1"), ("PW1", "1")]


def write(path: Path, table: pa.Table) -> Path:
    with write_table(path, table) as writer:
        writer.write(table)
    return path


def read(path: Path) -> pa.Table:
    reader = TableReader(path)
    return pa.concat_tables([reader.schema.empty_table(), *reader])


def hostile_table() -> pa.Table:
    """Pairs with duplicates beside values that break careless writers; the hostile column stands before the ids."""
    rows = [(pair, value) for value in HOSTILE for pair in PAIRS] + [(PAIRS[0], "again")] * 3
    columns = {
        "note": [value for _, value in rows],
        "source": [pair[0] for pair, _ in rows],
        "=weird \tname": [str(number) for number in range(len(rows))],
        "target": [pair[1] for pair, _ in rows],
    }
    return pa.table(columns)


def random_pairs(model: Scorer, count: int, seed: int = 0) -> pa.Table:
    entities, rng = model.entities, np.random.default_rng(seed)
    names = [f"{type_}::{id_}" for type_, id_ in zip(entities.types, entities.ids, strict=True)]
    sources, targets = ([names[row] for row in rng.integers(len(names), size=count)] for _ in range(2))
    sources[::17] = ["Gene::nobody"] * len(sources[::17])
    return pa.table({"source": sources, "target": targets, "row": [str(row) for row in range(count)]})


class Heard:
    """Progress that is remembered."""

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.units: list[int] = []

    def start(self, task: str, total: int | None) -> None:
        self.tasks.append(task)

    def advance(self, units: int, note: str = "") -> None:
        self.units.append(units)

    def say(self, message: str) -> None: ...
