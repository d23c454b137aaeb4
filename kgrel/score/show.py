"""A ranking as a table for the terminal."""

from __future__ import annotations

import pyarrow as pa

from kgrel.data.printing import aligned, printable

SHOWN = ("rank", "source_name", "target", "target_name", "relation", "score", "score_std", "seen_in_text",
         "target_contexts", "known_relation")  # fmt: skip


def text_ranking(table: pa.Table) -> str:
    """The columns that a person reads, aligned; long names are cut."""
    shown = [name for name in SHOWN if name in table.column_names]
    rows = [shown]
    rows += [[cell(row[name]) for name in shown] for row in table.select(shown).to_pylist()]
    return "\n".join(aligned(rows))


def cell(value: object) -> str:
    """One value, short and printable."""
    if value is None:
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    text = printable(text)
    return text if len(text) <= 40 else text[:39] + "…"
