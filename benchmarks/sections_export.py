"""The section of export.py in RESULTS.md."""

from __future__ import annotations

from typing import Any

from common import load

TEXT = """## Export (`export.py`)

Edges of a scored list of different gene-disease pairs (20,000 genes, 6,000 diseases), each with all its fields but
evidence. A process a writer; *select* is reading the list, before it. *Copying* is the machine's own limit: writing
the same bytes to a new file and forcing them to the disk, as the export does. The better of two counts, of writing and
of copying. Memory is the peak of the process, in brackets what it was when the list was read.
"""
LADYBUG = """

Ladybug's own COPY, of edges that lie ready in Arrow files into an empty database, takes most of its row: {}.
"""
MEMORY = """**Peak memory by the number of edges**, of the process that reads the list and writes it, MB.
"""
BOLT = """**Over Bolt** into ArcadeDB on the same machine, 5,000 edges a transaction, nodes there before. The bare loop
is the driver's own `execute_write` with the same statements and rows that are ready in memory; the load makes the rows
from the list, and checks every node first. The better of the runs of each, taken in turns.
"""


def section() -> list[str]:
    """Tables of the writers and of Bolt; empty if the benchmark was not run."""
    result = load("export")
    if not result:
        return []
    machine = ", ".join(f"{key} {value}" for key, value in result["hardware"].items() if value is not None)
    lines = [TEXT, f"{result['date']}. Hardware: {machine}."]
    if "files" in result:
        lines.append(_files(result["files"]))
    if "memory" in result:
        lines += [MEMORY, _memory(result["memory"])]
    if "bolt" in result:
        lines += [BOLT, _bolt(result["bolt"])]
    return lines


def _files(rows: list[dict[str, Any]]) -> str:
    heads = "writer | edges | seconds | edges/s | times copying | select, s | bytes/edge | peak MB (before)"
    lines = [f"| {heads} |", "|---" * 8 + "|"]
    for row in sorted(rows, key=lambda row: row["edges"]):
        cells = [row["case"], f"{row['edges']:,}", f"{row['seconds']:.2f}", f"{row['edges_per_second']:,.0f}"]
        cells += [f"{row['seconds'] / row['copy_seconds']:.1f}", f"{row['select_seconds']:.2f}"]
        cells += [f"{row['bytes'] / row['edges']:,.0f}", f"{row['peak_mb']:,.0f} ({row['peak_before_mb']:,.0f})"]
        lines.append("| " + " | ".join(cells) + " |")
    shares = [
        f"{row['database_copy_seconds'] / row['seconds']:.0%} of {row['seconds']:.1f} s at {row['edges']:,} edges"
        for row in rows
        if "database_copy_seconds" in row
    ]
    return "\n".join(lines) + (LADYBUG.format("; ".join(shares)) if shares else "")


def _memory(rows: list[dict[str, Any]]) -> str:
    counts = sorted({row["edges"] for row in rows})
    peaks = {(row["case"], row["edges"]): f"{row['peak_mb']:,.0f}" for row in rows}
    heads = " | ".join(f"{count:,} edges" for count in counts)
    lines = [f"| writer | {heads} |", "|---" * (1 + len(counts)) + "|"]
    for case in dict.fromkeys(row["case"] for row in rows):
        lines.append(f"| {case} | " + " | ".join(peaks.get((case, count), "–") for count in counts) + " |")
    return "\n".join(lines)


def _bolt(rows: list[dict[str, Any]]) -> str:
    lines = ["| edges | bare loop, s | load, s | load / bare | load again (0 created), s |", "|---|---|---|---|---|"]
    for row in rows:
        cells = [f"{row['edges']:,}", f"{row['bare_loop_seconds']:.1f}", f"{row['load_seconds']:.1f}"]
        cells += [f"{row['load_to_bare']:.2f}", f"{row['load_again_seconds']:.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
