"""The results table of README.md, from pair_classification.py."""

from __future__ import annotations

from typing import Any

from sections_pairs import runs_by_split, spread

from kgrel.evaluate.tables import figure, with_interval

SPLITS = {
    "warm": "co-mentioned pairs",
    "degree-matched": "degree-matched negatives",
    "entity-cold": "an unlabelled entity",
    "unseen": "never named together",
    "unseen, all listed": "the same, all listed pairs train",
    "removed": "contexts deleted before pretraining",
}
"""Split → heading."""
METHODS = (
    "kgrel combined", "baselines combined", "kgrel, fine-tuned", "kgrel", "attention", "ComplEx",
    "label-only embeddings", "log co-mention count", "label-degree product",
)  # fmt: skip


def table() -> str:
    """Average precision of some methods on each split, with what chance gives; empty if the benchmark was not run.

    On covered pairs where a split has any: of most others the list could not tell.
    """
    runs = runs_by_split()
    if not runs:
        return ""
    reports: dict[str, Any] = {split: covered_or_all(runs[split][0]["report"]) for split in SPLITS if split in runs}
    heads = ["average precision, %", *(SPLITS[split] for split in reports)]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name in METHODS:
        cells = [with_interval(report["methods"][name], "average_precision") if name in report["methods"] else "–"
                 for report in reports.values()]  # fmt: skip
        lines.append("| " + " | ".join([name, *cells]) + " |")
    rates = [f"{figure(report['base_rate'])} of {report['pairs']:,}" for report in reports.values()]
    lines.append("| " + " | ".join(["*listed, of all pairs*", *rates]) + " |")
    return "\n".join([*lines, *over_seeds(runs)]) + "\n"


def over_seeds(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A second table: mean and standard deviation of what was measured with several seeds of split and training."""
    several = [split for split in SPLITS if len(runs.get(split, ())) > 1]
    reports = {split: [covered_or_all(run["report"])["methods"] for run in runs[split]] for split in several}
    if not reports:
        return []
    heads = ["mean ± standard deviation", *(f"{SPLITS[split]} ({len(some)} seeds)" for split, some in reports.items())]
    lines = ["", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name in METHODS:
        cells = [
            spread([methods[name]["average_precision"] for methods in some])
            if all(name in one for one in some)
            else "–"
            for some in reports.values()
        ]
        if set(cells) != {"–"}:
            lines.append("| " + " | ".join([name, *cells]) + " |")
    return lines


def covered_or_all(report: dict[str, Any]) -> dict[str, Any]:
    """The table of covered pairs, or of all where none is covered."""
    found: dict[str, Any] = report["covered"] if "covered" in report else report["all"]
    return found
