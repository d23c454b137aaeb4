"""The section of pair_classification.py in RESULTS.md."""

from __future__ import annotations

from statistics import mean, stdev
from typing import Any

from common import load, slug
from sections_pretraining import hardware

from kgrel.evaluate.tables import figure, with_interval

TEXT = """## Every method on the same pairs (`pair_classification.py`)

The counterpart of the paper's Table 6 on open data: all pairs of the test part, one threshold for all classes, tuned on
validation pairs; then the *covered* ones, both entities of which have a training label of the class: a list that names
few entities judges these more fairly. Part of the listed pairs come from text mining and curated literature, so text
may tell of them what it was itself the source of.
*kgrel, fine-tuned* is `train-pairs --recipe fine-tuned`, *kgrel* `--recipe frozen`. The default recipe trains in both
ways and keeps the better by average precision on validation pairs: which one that is, is told below each table.
*kgrel combined* is `combine-pairs` of *kgrel, fine-tuned*, ComplEx, label-only embeddings, co-mention count,
Adamic-Adar and degree product, weighed on the validation pairs; *baselines combined* is the same without kgrel.
*First − this* is the first row less the row, paired by pair, entities resampled; a star where the interval excludes
zero. *In all* is the time of the training with that of all it rests on, pretraining and members among it.
"""
SPLITS = {
    "warm": "Co-mentioned pairs at random.",
    "degree-matched": "As warm, at most 20 unlisted pairs for each listed one, with as many training labels.",
    "entity-cold": "One of the two entities has no training pair.",
    "unseen": "Listed pairs that no sentence names together, against at most 100 unlisted ones like them for each, "
    "none of them co-mentioned either: what the tool is for. *Attention* reads sentences, of which these pairs have "
    "none, so that all of them get one score, however it is trained.",
    "unseen, all listed": "As unseen, but listed pairs that are never mentioned together train as well (`--pairs "
    "both`), and the unlisted ones have as many training labels among all of these.",
    "removed": "Co-mentioned pairs whose contexts `hold-out-pairs` deleted before pretraining: listed ones, and as "
    "many unlisted ones like them. *Co-occurrence* calls all of them listed, and *attention*, with no sentence to "
    "read, gives all one score. The pairs are those of the corpus, the same with every seed.",
}
"""What each split is."""
CHOICES_TEXT = """## Options of the fine-tuned classifier (`pair_choices.py`)

Each option alone, beside the others of the default recipe; one seed. Average precision and F1 on the *validation*
pairs of each split, which also stop the training and tune the threshold; test pairs were not looked at. In brackets the
steps after which the training ended.
"""
SEED_HEADS = ("method", "F1", "AP", "AUROC", "first − this, F1", "first − this, AP")
FIGURES = ("precision", "recall", "f1", "macro_f1", "average_precision", "auroc")
HEADS = ("method", "P", "R", "F1", "macro F1", "AP", "AUROC", "first − this, F1", "first − this, AP")
COSTS = ("training, s", "in all, s", "µs a pair")


def section() -> list[str]:
    """A table a split; empty if the benchmark was not run."""
    found = runs_by_split()
    return (
        [TEXT, *(part for split, runs in found.items() for part in of_split(split, runs)), *choices()] if found else []
    )


def runs_by_split() -> dict[str, list[dict[str, Any]]]:
    """The runs of each seed from 0, of the splits that were measured."""
    kept = {split: load(slug("pair_classification", split)) for split in SPLITS}
    return {
        split: [runs[key] for key in sorted(runs, key=lambda key: int(key.removeprefix("seed ")))]
        for split, runs in kept.items()
        if runs
    }


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
    """Head, tables of the first seed and its facts, and what the seeds have in common."""
    first = runs[0]
    hardware = ", ".join(f"{key} {value}" for key, value in first["hardware"].items() if value is not None)
    said = f"{first['date']}, {pretraining(first)}, {hardware}."
    facts = kept(runs[:1]) + searched(first) + unsearched(runs[:1]) + counted(first["report"]["all"], "test") + said
    parts = [f"### {split}", SPLITS[split], leaks(first["leakage"]["test"]), of_pairs(first, "all"), facts]
    if "covered" in first["report"]:
        parts += [counted(first["report"]["covered"], "covered test").strip(), of_pairs(first, "covered")]
    return [*parts, *edge_types(first.get("by_metaedge", {})), *over_seeds(runs)]


def leaks(found: dict[str, Any]) -> str:
    """What test pairs share with training pairs."""
    ends = found["entities_with_training_label"]
    return (
        f"Leakage: {found['pairs_in_training']:,} of {found['pairs']:,} test pairs, in either order, train as well. Of "
        f"their {found['contexts']:,} contexts {found['contexts_in_sentences_of_training_pairs']:,} stand in sentences "
        f"that mention a training pair too, and {found['contexts_word_for_word_in_training']:,} are word for word "
        f"those of a training pair. Both entities have a training label in {ends['both']:,} pairs, one in "
        f"{ends['one']:,}, none in {ends['none']:,}."
    )


def edge_types(found: dict[str, dict[str, Any]]) -> list[str]:
    """Average precision of each method by edge type of the graph, of the classes that hold several."""
    counts = {kind: one["listed"] for methods in found.values() for kind, one in methods.items()}
    if not counts:
        return []
    heads = ["average precision", *(f"{kind} ({count:,} listed)" for kind, count in counts.items())]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, methods in found.items():
        cells = [figure(methods[kind]["average_precision"]) if kind in methods else "–" for kind in counts]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return ["By edge type, against the pairs of the class that are not listed:", "\n".join(lines)]


def of_pairs(run: dict[str, Any], which: str) -> str:
    """The table of all or of covered pairs; the former with what each method costs."""
    methods, heads = run["report"][which]["methods"], HEADS + (COSTS if which == "all" else ())
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, method in methods.items():
        cells = [name, *(with_interval(method, key) for key in FIGURES)]
        cells += [difference(method, key) for key in ("f1", "average_precision")]
        if which == "all":
            cost = run["costs"][name]
            cells += [f"{cost[key]:,.0f}" if key in cost else "–" for key in ("training_seconds", "seconds_in_all")]
            cells.append(f"{cost['microseconds_a_pair']:,.1f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def counted(report: dict[str, Any], kind: str) -> str:
    """How many pairs there are, and how many of them are listed."""
    rate = report["base_rate"]
    shown = f"{figure(rate)} %; {(1 - rate) / rate:.1f} unlisted for each"
    return f"{report['listed']:,} of {report['pairs']:,} {kind} pairs listed ({shown}). "


def over_seeds(runs: list[dict[str, Any]]) -> list[str]:
    """Each method that was trained with several seeds; empty where there is but one."""
    if len(runs) == 1:
        return []
    reports = [run["report"]["all"]["methods"] for run in runs]
    lines = ["| " + " | ".join(SEED_HEADS) + " |", "|---" * len(SEED_HEADS) + "|"]
    for name in dict.fromkeys(name for report in reports for name in report):
        methods = [report[name] for report in reports if name in report]
        if len(methods) > 1:
            shown = name if len(methods) == len(runs) else f"{name} ({len(methods)} seeds)"
            cells = [spread([method[key] for method in methods]) for key in ("f1", "average_precision", "auroc")]
            against = [differences(methods, key) for key in ("f1", "average_precision")]
            lines.append("| " + " | ".join([shown, *cells, *against]) + " |")
    text = (
        f"Mean ± standard deviation over {len(runs)} seeds of split, batches and weights; after a difference, in how "
        "many of them its interval excludes zero. "
    )
    return [text + complex_by_seed(runs) + unsearched(runs[1:]), "\n".join(lines)]


def complex_by_seed(runs: list[dict[str, Any]]) -> str:
    """What ComplEx was trained with, chosen by a search on the seed's validation pairs or on those of seed 0."""
    costs = [run["costs"].get("ComplEx", {}) for run in runs]
    if not all("chosen" in cost for cost in costs):
        return ""
    shown = [
        f"{cost['chosen']['dimensions']}, {cost['chosen']['regularisation']:g}{' (searched)' if several(cost) else ''}"
        for cost in costs
    ]
    return f"ComplEx by seed, dimensions and penalty, those not searched being of seed 0: {'; '.join(shown)}. "


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


def searched(run: dict[str, Any]) -> str:
    """What the searches of settings tried, by average precision on validation pairs."""
    return "".join(f"{name} tried {tries(cost['tried'])}. " for name, cost in run["costs"].items() if several(cost))


def several(cost: dict[str, Any]) -> bool:
    """Whether more than one setting was tried."""
    return len(cost.get("tried", ())) > 1


def tries(found: list[dict[str, Any]]) -> str:
    """Each try, the best first, by what differs between them."""
    kept = "validation_average_precision"
    differing = [key for key in found[0] if key != kept and len({one[key] for one in found}) > 1]
    shown = [
        f"{', '.join(f'{one[key]:g}' for key in differing)} ({figure(one[kept])})"
        for one in sorted(found, key=lambda one: -one[kept])
    ]
    return f"{', '.join(differing).replace('_', ' ')} (average precision on validation): {'; '.join(shown)}"


def unsearched(runs: list[dict[str, Any]]) -> str:
    """Which methods that search their settings were trained with the given ones only."""
    names = {
        name
        for run in runs
        for name, cost in run["costs"].items()
        if (cost["settings"].get("search") is False and not several(cost))
        or len(cost["settings"].get("learning_rates", (0, 0))) == 1
    }
    return f"Without a search of settings: {', '.join(sorted(names))}. " if names else ""


def pretraining(run: dict[str, Any]) -> str:
    """What the representation is."""
    settings = run.get("pretraining", {"latent": "mixture", "steps": 2400})
    return f"{run['representation']} (--latent {settings['latent']}, {settings['steps']:,} steps)"


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
