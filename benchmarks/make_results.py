"""Make RESULTS.md, and the tables of README.md and docs/limits.md, from results/:  python benchmarks/make_results.py"""

from __future__ import annotations

from typing import Any

import sections_export
import sections_graph
import sections_limits
import sections_mentions
import sections_pairs
import sections_pretraining
import sections_ranking
import sections_readme
import sections_scoring
import sections_search
import sections_tagging
from common import BENCHMARKS, load, put_results

from kgrel.evaluate.pairs import ALL, COVERED
from kgrel.evaluate.tables import figure, markdown_table, with_interval

HEAD = """# Results

Made from the JSON files in `results/` by `python benchmarks/make_results.py`; nothing here is written by hand.
Figures are per cent; brackets are 95 % intervals of the entity-clustered bootstrap. Thresholds are tuned on validation
pairs; the test split is evaluated once for each configuration.
"""

PAIRS_TEXT = """## Pairs of the real corpus (`real_pairs.py`)

Does a pair of genes, diseases or drugs stand in the relations table? Pairs that occur together in a sentence, split
80/10/10 by unordered pair. *Covered*: both entities have a training label of that class; the table labels few entities,
so most other pairs cannot be positive. *All*: every co-mentioned pair, the protocol of the paper's Table 6, whose
figures (co-occurrence F1 6.02, attention 15.69, LARGE 16.90) come from another, far larger corpus and other tables and
are not comparable. Part of the table's disease-gene edges come from text mining and curated literature, so text and
labels are not independent.
"""


def real_pairs() -> list[str]:
    """The section of real_pairs.py."""
    runs = load("real_pairs")
    if not runs:
        return []
    lines = [PAIRS_TEXT, *comparison(runs)]
    for name, run in runs.items():
        lines += [f"### {name}", run_facts(run)]
        for setting, title in ((COVERED, "Covered pairs"), (ALL, "All co-mentioned pairs")):
            part = run["report"][setting]
            rate = f"{part['listed']:,} of {part['pairs']:,} listed ({figure(part['base_rate'])} %)"
            lines += [f"**{title}**: {rate}.", markdown_table(part["methods"])]
            lines += ["Model minus baseline (F1; AP):", differences(part["methods"], model_of(run["report"]))]
        lines += ["By class, all pairs:", by_class(run["report"][ALL]["methods"][model_of(run["report"])])]
        lines += ["During pretraining, on validation:", curve(run["curve"])]
    return lines


def comparison(runs: dict[str, Any]) -> list[str]:
    """One line a configuration."""
    heads = "configuration | steps | contexts seen | pretraining | covered F1 | covered AP | all F1 | all AP"
    lines = [f"| {heads} |", "|---" * 8 + "|"]
    for name, run in runs.items():
        settings = run["pretrain"]["settings"]
        seen = f"{settings['steps'] * settings['batch_size']:,}"
        figures = [
            with_interval(run["report"][setting]["methods"][model_of(run["report"])], key)
            for setting in (COVERED, ALL)
            for key in ("f1", "average_precision")
        ]
        minutes = f"{run['seconds']['pretrain'] / 60:.0f} min"
        lines.append("| " + " | ".join([name, f"{settings['steps']:,}", seen, minutes, *figures]) + " |")
    return ["\n".join(lines)]


def run_facts(run: dict[str, Any]) -> str:
    """Settings, hardware and durations in a few lines."""
    settings, pairs, seconds = run["pretrain"]["settings"], run["train_pairs"]["settings"], run["seconds"]
    settings = {"latent": "mixture"} | settings  # what every model was before there was a choice
    keys = ("size", "steps", "batch_size", "learning_rate", "schedule", "posterior", "latent", "decoder_weight")
    chosen = ", ".join(f"{key} {settings[key]}" for key in (*keys, "bag_weight", "precision", "seed"))
    classifier = f"at most {pairs['steps']:,} steps of {pairs['batch_size']}, learning rate {pairs['learning_rate']}"
    corpus = ", ".join(f"{value:,} {key.replace('_', ' ')}" for key, value in run["corpus"].items())
    hardware = ", ".join(f"{key} {value}" for key, value in run["hardware"].items() if value is not None)
    times = ", ".join(f"{key.replace('_', '-')} {value:,.0f} s" for key, value in seconds.items())
    return (
        f"{run['date']}. Corpus: {corpus}. Pretraining: {chosen}. Classifier: {classifier}.\n"
        f"Hardware: {hardware}. Durations: {times}."
    )


def model_of(report: dict[str, Any]) -> str:
    """What the model is called in a report."""
    name: str = report.get("model", "kgrel")  # the oldest reports do not tell
    return name


def differences(methods: dict[str, Any], model: str) -> str:
    """The paired differences of the model to each baseline."""
    lines = ["| baseline | F1 | AP |", "|---|---|---|"]
    for name, method in methods.items():
        if name != model:
            cells = [difference(method[f"model_minus_this_{key}"]) for key in ("f1", "average_precision")]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def difference(found: dict[str, Any]) -> str:
    """A difference with its interval; a star where the interval excludes zero."""
    low, high = found["interval"]
    star = " *" if found["excludes_zero"] else ""
    return f"{100 * found['difference']:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]{star}"


def by_class(method: dict[str, Any]) -> str:
    """Precision, recall and F1 of each class."""
    lines = ["| class | P | R | F1 | listed | predicted |", "|---|---|---|---|---|---|"]
    for name, row in method["by_class"].items():
        cells = [figure(row[key]) for key in ("precision", "recall", "f1")]
        lines.append(f"| {name} | {' | '.join(cells)} | {row['support']:,} | {row['predicted']:,} |")
    return "\n".join(lines)


def curve(log: list[dict[str, float]]) -> str:
    """The validations of a pretraining run."""
    keys = [key for key in ("validation_elbo", "validation_kl", "validation_bag") if key in log[-1]]
    heads = ["step", *(key.removeprefix("validation_") + " (nats/token)" for key in keys), "probe AP"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in log:
        probe = row.get("probe_average_precision")
        cells = [f"{row['step']:,}", *(f"{row[key]:.3f}" for key in keys), figure(probe)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write RESULTS.md, and the tables of README.md and docs/limits.md."""
    sections = [
        *real_pairs(),
        *sections_pairs.section(),
        *sections_ranking.section(),
        *sections_pretraining.section(),
        *sections_scoring.sections(),
        *sections_search.section(),
        *sections_tagging.section(),
        *sections_graph.section(),
        *sections_mentions.section(),
        *sections_export.section(),
        *sections_limits.section(),
    ]
    text = "\n\n".join([HEAD.strip(), *(part.strip() for part in sections)])
    (BENCHMARKS / "RESULTS.md").write_text(text + "\n", encoding="utf-8")
    put_results("README.md", sections_readme.table())
    put_results("docs/limits.md", sections_limits.table())


if __name__ == "__main__":
    main()
