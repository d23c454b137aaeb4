"""A ranking as a table for the terminal."""

from __future__ import annotations

import pyarrow as pa

SHOWN = ("rank", "source_name", "target", "target_name", "relation", "score", "score_std", "seen_in_text",
         "target_contexts", "known_relation")  # fmt: skip


def text_ranking(table: pa.Table) -> str:
    """The columns that a person reads, aligned; long names are cut."""
    shown = [name for name in SHOWN if name in table.column_names]
    rows = [shown]
    rows += [[cell(row[name]) for name in shown] for row in table.select(shown).to_pylist()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(shown))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def cell(value: object) -> str:
    """One value, short and printable."""
    if value is None:
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= 40 else text[:39] + "…"
