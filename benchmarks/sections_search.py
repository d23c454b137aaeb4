"""The section of RESULTS.md on relation search."""

from __future__ import annotations

from typing import Any

from common import load
from sections_scoring import table

TEXT = """## Relation search (`search.py`)

Vectors are samples of z of pairs of the real corpus, 8 for each of the two orders. A query is a pair: its 8 vectors are
looked up together, and the answers are pairs. `times raw` is our time for a batch over that of the FAISS call that it
makes, on the same vectors and for as many neighbours: the samples of a pair stand together, so ten pairs take more than
ten vectors. `times raw of 10` is beside a raw call for ten neighbours a vector, which do not suffice for ten pairs.
recall@10 is against comparing with every vector. The raw call merges its lists by rank.
"""
LARGE_TEXT = """Ten million vectors, of pairs of entities drawn at random. Own memory leaves out the pages of mapped
files, which the system takes back when it needs them.
"""
PURITY_TEXT = """Purity@10: of the ten nearest pairs that share no entity with the pair asked, the share that is
listed with a relation (metaedge) of it. Chance is that share among all indexed pairs of the same types; most pairs are
listed with nothing. Brackets are 95 % intervals of the entity-clustered bootstrap.
"""


def section() -> list[str]:
    """What there are results for."""
    kept = load("search")
    if not kept:
        return []
    return [
        TEXT,
        *building(kept.get("build")),
        *encoding(kept.get("codes")),
        *large(kept.get("large")),
        *speed(kept.get("speed")),
        *purity(kept.get("purity")),
    ]


def facts(part: dict[str, Any]) -> str:
    """Date and machine."""
    hardware = part["hardware"]
    return f"{part['date']}, {hardware['cpu']}, OMP_NUM_THREADS {hardware['omp_threads']}."


def building(part: dict[str, Any] | None) -> list[str]:
    """Seconds, memory and bytes of each factory."""
    if part is None:
        return []
    return [f"Building, sampling included. {facts(part)}", builds(part, "peak_mb", "mb_before", "peak memory")]


def builds(part: dict[str, Any], peak: str, before: str, memory: str) -> str:
    """The table of builds: ``peak`` and ``before`` name the memory of a row, ``memory`` is the head of its column."""
    rows = [
        (
            row["factory"], f"{row['vectors']:,} × {row['dimensions']}", f"{row['seconds']:.0f}",
            f"{row[peak]:,.0f}", f"{row[before]:,.0f}", f"{row['megabytes']['vectors.f16']:,.0f}",
            f"{row['megabytes']['index.faiss']:,.0f}", f"{row['recall_at_10']:.3f}",
        )
        for row in part["builds"]
    ]  # fmt: skip
    heads = f"factory | vectors | build, s | {memory}, MB | of it before, MB | vectors, MB | FAISS, MB | recall@10"
    return table(heads, rows)


def encoding(part: dict[str, Any] | None) -> list[str]:
    """How fast vectors become codes."""
    if part is None:
        return []
    said = [
        f"{row['rate']:,.0f} of {row['codes']} bytes ({row['dimensions']} dimensions each)" for row in part["rates"]
    ]
    return [f"Product codes of 300 dimensions that FAISS makes a second: {', '.join(said)}. {facts(part)}\n"]


def large(part: dict[str, Any] | None) -> list[str]:
    """The build of ten million vectors."""
    if part is None:
        return []
    return [f"{LARGE_TEXT}\n{facts(part)}", builds(part, "own_peak_mb", "own_mb_before", "own peak")]


def speed(part: dict[str, Any] | None) -> list[str]:
    """Queries a second beside the raw call."""
    if part is None:
        return []
    rows = [
        (
            row["factory"], str(row["raw_neighbours"]), f"{row['queries_per_second']:.1f}",
            f"{row['raw_queries_per_second']:.1f}", f"{row['times_raw']:.2f}", f"{row['times_raw_ten']:.2f}",
            f"{row['recall_at_10']:.3f}", f"{row['raw_recall_at_10']:.3f}",
        )
        for row in part["speed"]
    ]  # fmt: skip
    heads = "factory | neighbours | queries/s | raw FAISS | times raw | times raw of 10 | recall@10 | raw recall@10"
    one = part["speed"][0]
    asked = f"{one['queries']} queries of {one['vectors_a_query']} vectors"
    said = f"{asked}, on {part['pairs']:,} pairs. {facts(part)}"
    return [said, table(heads, rows)]


def purity(part: dict[str, Any] | None) -> list[str]:
    """Purity of each kind of vector and distance."""
    if part is None:
        return []
    rows = []
    for name, row in part["variants"].items():
        low, high = row["interval"]
        gain = row.get("minus_mean_of_samples")
        rows.append(
            (
                name,
                f"{100 * row['purity_at_10']:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
                f"{100 * row['chance']:.1f}",
                f"{100 * gain[0]:+.1f} [{100 * gain[1]:+.1f}, {100 * gain[2]:+.1f}]" if gain else "",
            )
        )  # fmt: skip
    said = f"{part['queries']} listed pairs asked, {part['listed']:,} of {part['pairs']:,} indexed pairs are listed."
    heads = "vectors and distance | purity@10 | chance | minus mean of 8 samples"
    return [PURITY_TEXT, f"{said} {facts(part)}", table(heads, rows)]
