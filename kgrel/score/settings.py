"""Settings of scoring. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OnUnknown = Literal["null", "error", "skip"]


@dataclass(frozen=True)
class ScoreSettings:
    """How a list of candidate pairs is scored."""

    on_unknown: OnUnknown = "null"
    """Rows that cannot be scored: kept with empty scores and a status, an error, or left out and counted."""
    prefix: str = ""
    """Put before the names of the added columns, e.g. where the list has a column ``score`` already."""
    chunk_rows: int = 65_536
    """Rows that are read, scored and written at a time; a whole number of tiles of 256."""
