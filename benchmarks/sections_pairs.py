"""The section of pair_classification.py in RESULTS.md."""

from __future__ import annotations

from statistics import mean, stdev
from typing import Any

from common import load
from sections_pretraining import hardware

from kgrel.evaluate.tables import figure, with_interval

TEXT = """## Every method on the same pairs (`pair_classification.py`)

The counterpart of the paper's Table 6 on open data: all pairs of the test part, thresholds tuned on validation pairs.
*kgrel, fine-tuned* is `train-pairs --recipe fine-tuned`, *kgrel* `--recipe frozen`. The default recipe trains in both
ways and keeps the better by average precision on validation pairs: which one that is, is told below each table.
*kgrel combined* is `combine-pairs` of *kgrel, fine-tuned*, ComplEx, label-only embeddings, co-mention count,
Adamic-Adar and degree product, weighed on the validation pairs; *baselines combined* is the same without kgrel; their
training time is without that of their members. The last two columns are the first row less the row, paired by pair,
entities resampled; a star where the interval excludes zero.
"""
SPLITS = {
    "warm": "Co-mentioned pairs at random.",
    "degree-matched": "As warm, 20 unlisted pairs for each listed one, with as many training labels.",
    "entity-cold": "One of the two entities has no training pair.",
    "unseen": "Listed pairs that no sentence names together, against 100 unlisted ones like them for each, none of "
    "them co-mentioned either: what the tool is for.",
    "unseen, all listed": "As unseen, but listed pairs that are never mentioned together train as well (`--pairs "
    "both`), and the unlisted ones have as many training labels among all of these.",
    "removed": "Co-mentioned pairs whose contexts `hold-out-pairs` deleted before pretraining: listed ones, and as "
    "many unlisted ones like them. *Co-occurrence* calls all of them listed.",
}
"""What each split is."""
CHOICES_TEXT = """## Options of the fine-tuned classifier (`pair_choices.py`)

Each option alone, beside the others of the default recipe; one seed. Average precision and F1 on the *validation*
pairs of each split, which also stop the training and tune the threshold; test pairs were not looked at. In brackets the
steps after which the training ended.
"""
SEED_HEADS = ("method", "F1", "AP", "AUROC", "first − this, F1", "first − this, AP")
HEADS = (
    "method", "P", "R", "F1", "macro F1", "AP", "AUROC", "training, s", "µs a pair", "first − this, F1",
    "first − this, AP",
)  # fmt: skip


def section() -> list[str]:
    """A table a split; empty if the benchmark was not run."""
    runs = load("pair_classification")
    if not runs:
        return []
    by_split: dict[str, list[dict[str, Any]]] = {}
    for name, run in runs.items():
        by_split.setdefault(name.split(" seed ")[0], []).append(run)
    return [TEXT, *(part for split, some in by_split.items() for part in of_split(split, some)), *choices()]


def choices() -> list[str]:
    """A row an option, two columns a split."""
    result = load("pair_choices")
    if not result:
        return []
    found = result["found"]
    lines = ["| option | " + " | ".join(f"{split}: AP | F1" for split in found) + " |"]
    lines.append("|---" * (1 + 2 * len(found)) + "|")
    for name in dict.fromkeys(name for by_name in found.values() for name in by_name):
        cells = []
        for by_name in found.values():
            one = by_name.get(name)
            figures = ("validation_average_precision", "validation_f1_global")
            shown = [f"{100 * one[key]:.2f}" for key in figures] if one else ["–", "–"]
            cells += [f"{shown[0]} [{one['steps']:,}]" if one else "–", shown[1]]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return [CHOICES_TEXT, "\n".join(lines), f"{result['representation']}, {hardware(result)}."]


def of_split(split: str, runs: list[dict[str, Any]]) -> list[str]:
    """Head, table of the first seed and its facts, and what the seeds have in common."""
    first, report = runs[0], runs[0]["report"]["all"]
    rows = [row(name, first) for name in report["methods"]]
    lines = ["| " + " | ".join(HEADS) + " |", "|---" * len(HEADS) + "|", *("| " + " | ".join(r) + " |" for r in rows)]
    hardware = ", ".join(f"{key} {value}" for key, value in first["hardware"].items() if value is not None)
    facts = (
        kept(runs[:1])
        + unsearched(runs[:1])
        + f"{report['listed']:,} of {report['pairs']:,} test pairs listed ({figure(report['base_rate'])} %). "
        f"{first['date']}, {pretraining(first)}, {hardware}."
    )
    return [f"### {split}", SPLITS[split], "\n".join(lines), facts, *over_seeds(runs)]


def over_seeds(runs: list[dict[str, Any]]) -> list[str]:
    """Each method that was trained with every seed; empty where there is but one."""
    if len(runs) == 1:
        return []
    reports = [run["report"]["all"]["methods"] for run in runs]
    lines = ["| " + " | ".join(SEED_HEADS) + " |", "|---" * len(SEED_HEADS) + "|"]
    for name in reports[0]:
        methods = [report[name] for report in reports if name in report]
        if len(methods) == len(runs):
            cells = [spread([method[key] for method in methods]) for key in ("f1", "average_precision", "auroc")]
            against = [differences(methods, key) for key in ("f1", "average_precision")]
            lines.append("| " + " | ".join([name, *cells, *against]) + " |")
    text = (
        f"Mean ± standard deviation over {len(runs)} seeds of split, batches and weights; after a difference, in how "
        "many of them its interval excludes zero. "
    )
    return [text + unsearched(runs[1:]), "\n".join(lines)]


def kept(runs: list[dict[str, Any]]) -> str:
    """Which of the two ways the default recipe keeps, by seed."""
    chosen = []
    for run in runs:
        found = {
            name: cost["validation_average_precision"]
            for name, cost in run["costs"].items()
            if name in ("kgrel", "kgrel, fine-tuned") and "validation_average_precision" in cost
        }
        if len(found) == 2:
            chosen.append(max(found, key=found.__getitem__))
    return f"Better on validation pairs: {', '.join(f'*{name}*' for name in chosen)}. " if chosen else ""


def unsearched(runs: list[dict[str, Any]]) -> str:
    """Which graph embeddings were trained with their given settings only."""
    names = {name for run in runs for name, cost in run["costs"].items() if cost["settings"].get("search") is False}
    return f"Without a search of settings: {', '.join(sorted(names))}. " if names else ""


def pretraining(run: dict[str, Any]) -> str:
    """What the representation is."""
    settings = run.get("pretraining", {"latent": "mixture", "steps": 2400})
    return f"{run['representation']} (--latent {settings['latent']}, {settings['steps']:,} steps)"


def row(name: str, run: dict[str, Any]) -> list[str]:
    """A method: figures of one seed with their intervals."""
    method, cost = run["report"]["all"]["methods"][name], run["costs"][name]
    cells = [
        with_interval(method, key) for key in ("precision", "recall", "f1", "macro_f1", "average_precision", "auroc")
    ]
    against = [difference(method, key) for key in ("f1", "average_precision")]
    return [name, *cells, f"{cost['training_seconds']:,.0f}", f"{cost['microseconds_a_pair']:,.1f}", *against]


def spread(values: list[float | None]) -> str:
    """Mean ± standard deviation in per cent."""
    known = [100 * value for value in values if value is not None]
    return f"{mean(known):.2f} ± {stdev(known):.2f}" if len(known) > 1 else "–"


def difference(method: dict[str, Any], key: str) -> str:
    """The first method less this one, with its interval."""
    found = method.get(f"model_minus_this_{key}")
    if found is None:
        return ""
    low, high = found["interval"]
    star = " *" if found["excludes_zero"] else ""
    return f"{100 * found['difference']:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]{star}"


def differences(methods: list[dict[str, Any]], key: str) -> str:
    """The first method less this one over seeds, and how often that excludes zero."""
    found = [method[f"model_minus_this_{key}"] for method in methods if f"model_minus_this_{key}" in method]
    if not found:
        return ""
    return f"{spread([one['difference'] for one in found])} ({sum(one['excludes_zero'] for one in found)})"
