"""The section of limits.py in RESULTS.md, and its table in docs/limits.md."""

from __future__ import annotations

from typing import Any

from common import load

TEXT = """## Limits (`limits.py`)

Processor seconds, and memory beyond that of the libraries, at growing sizes; each in a process of its own, one thread.
What is beyond the limits of a format is in docs/limits.md.
"""


def section() -> list[str]:
    """The facts and the table; empty if the benchmark was not run."""
    result = load("limits")
    return [TEXT, facts(result), table()] if result else []


def facts(result: dict[str, Any]) -> str:
    """When and on what it was measured."""
    machine = ", ".join(f"{key} {value}" for key, value in result["hardware"].items() if value is not None)
    return f"{result['date']}. Hardware: {machine}."


def table() -> str:
    """One row for each size; empty if the benchmark was not run."""
    result = load("limits")
    if not result:
        return ""
    lines = ["| what | size | processor s | MB |", "|---|---|---|---|"]
    for name, runs in result["measures"].items():
        for run in runs:
            memory = run["peak_mb"] - run["before_mb"]
            lines.append(f"| {name} | {run['size']:,}{lost(run)} | {run['seconds']:.1f} | {memory:,} |")
    return "\n".join(lines) + "\n"


def lost(run: dict[str, Any]) -> str:
    """Where an identifier did not come back."""
    refused = [kind for kind, back in run.get("came_back", {}).items() if not back]
    return f" (refused in {', '.join(refused)})" if refused else ""
