"""The section of limits.py in RESULTS.md."""

from __future__ import annotations

from typing import Any

from common import load

TEXT = """## Limits (`limits.py`)

Seconds, and memory beyond that of the libraries, at growing sizes; each in a process of its own, one thread. What is
beyond the limits of a format is in docs/limits.md.
"""


def section() -> list[str]:
    """One row for each size."""
    result = load("limits")
    if not result:
        return []
    machine = ", ".join(f"{key} {value}" for key, value in result["hardware"].items() if value is not None)
    lines = ["| what | size | s | MB |", "|---|---|---|---|"]
    for name, runs in result["measures"].items():
        for run in runs:
            memory = run["peak_mb"] - run["before_mb"]
            lines.append(f"| {name} | {run['size']:,}{lost(run)} | {run['seconds']:.1f} | {memory:,} |")
    return [TEXT, f"{result['date']}. Hardware: {machine}.", "\n".join(lines)]


def lost(run: dict[str, Any]) -> str:
    """Where an identifier did not come back."""
    refused = [kind for kind, back in run.get("came_back", {}).items() if not back]
    return f" (refused in {', '.join(refused)})" if refused else ""
