"""The section of graph.py in RESULTS.md."""

from __future__ import annotations

from common import load

TEXT = """## Knowledge graphs (`graph.py`)

Import of Hetionet 1.0 from its nodes (TSV) and edges (SIF), both gzip, into a checked GRAPH artifact; the best of some
runs, each in a process of its own. *Unpacking* is the machine's own limit: reading the same files through gzip.
"""


def section() -> list[str]:
    """The table of the import; empty if the benchmark was not run."""
    result = load("graph")
    if not result:
        return []
    machine = ", ".join(f"{key} {value}" for key, value in result["hardware"].items() if value is not None)
    run = result["import"]
    heads = "nodes | edges | import, s | times unpacking | open, s | peak MB | size, MB | dangling | duplicate | loops"
    cells = [f"{run['nodes']:,}", f"{run['edges']:,}", f"{run['seconds']:.1f}"]
    cells += [f"{run['seconds'] / run['unpack_seconds']:.1f}", f"{run['open_seconds']:.2f}", f"{run['peak_mb']:,.0f}"]
    cells += [f"{run['bytes'] / 1e6:.1f}", *(f"{run[kind]:,}" for kind in ("dangling", "duplicate", "self_loop"))]
    table = [f"| {heads} |", "|---" * 10 + "|", "| " + " | ".join(cells) + " |"]
    return [TEXT, f"{result['date']}. Hardware: {machine}.", "\n".join(table)]
