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
    """A row for each size, and what a million more of each costs; empty if the benchmark was not run."""
    result = load("limits")
    if not result:
        return ""
    lines = ["| what | size | processor s | MB |", "|---|---|---|---|"]
    growing = ["| a million more | processor s | MB |", "|---|---|---|"]
    for name, runs in result["measures"].items():
        for run in runs:
            memory = run["peak_mb"] - run["before_mb"]
            lines.append(f"| {name} | {run['size']:,}{lost(run)} | {run['seconds']:.1f} | {memory:,} |")
        if "came_back" not in runs[-1]:
            growing.append(f"| {name} | {a_million(runs, 'seconds'):.1f} | {round(a_million(runs, 'peak_mb')):,} |")
    return "\n".join([*lines, "", *growing]) + "\n"


def a_million(runs: list[dict[str, Any]], key: str) -> float:
    """How much more a million more cost, from the smallest size to the largest."""
    return 1e6 * (runs[-1][key] - runs[0][key]) / (runs[-1]["size"] - runs[0]["size"])  # type: ignore[no-any-return]


def lost(run: dict[str, Any]) -> str:
    """Where an identifier did not come back."""
    refused = [kind for kind, back in run.get("came_back", {}).items() if not back]
    return f" (refused in {', '.join(refused)})" if refused else ""
