"""The sections of pretraining and of its cost in RESULTS.md."""

from __future__ import annotations

from typing import Any

from common import RESULTS, load
from matplotlib.figure import Figure

STEP_TEXT = """## The time of a pretraining step (`pretrain_step.py`)

The paper's objective on batches of 192 contexts, 20,000 words, forward, backward and Adam. *Textbook* pads every
sentence to 140 tokens and makes one fp32 tensor of all logits; *packed* leaves padding out of the softmax. *Exact* is
what `pretrain` does, in bf16 and fp32; *sampled* estimates the softmax from 2,048 words. Variants took turns in one
run; medians. Hours for the paper's 400,000 steps are extrapolated, not run.
"""
TABLES_TEXT = """## Large entity tables (`entity_tables.py`)

A step of the default recipe (x-small, bag of words, 768 contexts, bf16) on entities drawn at random, with dense
gradients of the entity table and AdamW, and with sparse ones and SparseAdam. *Least for dense*: the memory that Adam
moves for the whole table, at the measured bandwidth of copying.
"""
RECIPES_TEXT = """## What makes z informative soonest (`recipes.py`)

Average precision of the probe on validation pairs against the processor time of pretraining with one thread (x-small,
bf16). Test pairs were never looked at. The seed is one, so differences of a point or two mean nothing. ELBO (nats a
token), active units and information of u (nats) are those of held-out sentences, where an LSTM decoder or a recogniser
was trained; ELBO after each third, the others after the last step. Recipes with an LSTM hold out fewer sentences.
The mixture's probe after 800, 1,600 and 2,400 steps stands under *default-seed0* above.
"""
RUN_TEXT = """## Two epochs of the whole corpus (`pretrain_run.py`)

An x-small model with recogniser, LSTM decoder and bag-of-words term, the softmax sampled in training; figures on
held-out sentences are exact.
"""
CURVES = (
    ("validation_elbo", "ELBO, nats/token"),
    ("validation_kl", "KL, nats/token"),
    ("validation_u_active_units", "active units of u"),
    ("validation_u_information", "information of u, nats"),
    ("validation_z_active_units", "active units of z"),
    ("validation_z_gain", "gain of z, nats/token"),
    ("probe_average_precision", "probe AP"),
)


def section() -> list[str]:
    """What was run."""
    return [*steps(), *tables(), *recipes(), *run()]


def steps() -> list[str]:
    """A table for each device and size."""
    results = load("pretrain_step")
    if not results:
        return []
    lines = [STEP_TEXT]
    for name, result in results.items():
        heads = (
            "variant | s/step | times textbook | times packed | tokens/s | hours for 400,000 (extrapolated) | peak MB"
        )
        rows = [f"| {heads} |", "|---" * 7 + "|"]
        seconds = result["seconds"]
        for variant, value in seconds.items():
            ratios = [f"{seconds[base] / value:.1f}" for base in ("textbook", "packed")]
            rate, hours = result["tokens_per_second"][variant], result["hours_for_400000_steps_extrapolated"][variant]
            peak = result["peak_mb"].get(variant)
            cells = [variant, f"{value:.3f}", *ratios, f"{rate:,.0f}", f"{hours:,.0f}", f"{peak:,.0f}" if peak else "–"]
            rows.append("| " + " | ".join(cells) + " |")
        rates = ", ".join(f"{rate:,.0f} ({kind})" for kind, rate in result["matrix_gflops"].items())
        facts = (
            f"{result['date']}, {hardware(result)}. Measured matrix rates in GFLOP/s: {rates}. The exact step needs "
            f"{result['gflop']:.0f} GFLOP, that is {result['floor_seconds']:.2f} s at the bf16 rate: it reaches "
            f"{100 * result['share_of_matrix_rate']:.0f} % of it. Mean length {result['mean_tokens']} tokens."
        )
        lines += [f"**{name}**", "\n".join(rows), facts]
    return lines


def tables() -> list[str]:
    """Dense and sparse gradients of entity tables."""
    result = load("entity_tables")
    if not result:
        return []
    lines = ["| entities | dense, s | sparse, s | dense / sparse | dense, MB | sparse, MB | least for dense, s |"]
    lines.append("|---" * 7 + "|")
    by_size: dict[int, dict[str, Any]] = {}
    for row in result["rows"]:
        by_size.setdefault(row["entities"], {})[row["gradients"]] = row
    for entities, kinds in by_size.items():
        seconds, peaks = ([kinds[kind][key] for kind in ("dense", "sparse")] for key in ("seconds", "peak_mb"))
        cells = [f"{entities:,}", *(f"{value:.3f}" for value in seconds), f"{seconds[0] / seconds[1]:.1f}"]
        cells += [f"{value:,.0f}" for value in peaks] + [f"{result['dense_floor_seconds'][str(entities)]:.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    facts = f"{result['date']}, {hardware(result)}. Copying moves {result['bytes_a_second'] / 1e9:.1f} GB/s."
    return [TABLES_TEXT, "\n".join(lines), facts]


def recipes() -> list[str]:
    """A row a recipe, and the curves as a picture."""
    results = load("recipes")
    if not results:
        return []
    heads = "recipe | steps | AP after a third | two thirds | whole | ELBO | active u | information of u | processor s"
    rows = [f"| {heads} |", "|---" * 9 + "|"]
    for result in results.values():
        curve = result["curve"]
        found = [f"{100 * line['probe_average_precision']:.1f}" for line in curve]
        last = curve[-1]
        elbo = "; ".join(f"{line['validation_elbo']:.2f}" for line in curve if "validation_elbo" in line) or "–"
        kept = ("validation_u_active_units", "validation_u_information")
        of_u = [f"{last[key]:.3g}" if key in last else "–" for key in kept]
        seconds = "; ".join(f"{line['processor_seconds']:,.0f}" for line in curve)
        cells = [result["text"], f"{last['step']:,}", *found, elbo, *of_u, seconds]
        rows.append("| " + " | ".join(cells) + " |")
    draw_recipes(results)
    first = next(iter(results.values()))
    base = 100 * first["curve"][-1]["probe_base_rate"]
    facts = f"{first['date']}, {hardware(first)}. Share of listed pairs: {base:.1f} %."
    return [RECIPES_TEXT, "\n".join(rows), facts, "![Probe against processor time](results/recipes.png)"]


def draw_recipes(results: dict[str, Any]) -> None:
    """results/recipes.png: one line a recipe; one that goes on from another starts at the end of it."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for name, result in results.items():
        before = results[result["init_from"]]["curve"][-1]["processor_seconds"] if result["init_from"] else 0.0
        points = [
            (before + line["processor_seconds"], 100 * line["probe_average_precision"]) for line in result["curve"]
        ]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    axes.set(xlabel="processor seconds of pretraining", ylabel="probe average precision, %")
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(RESULTS / "recipes.png", dpi=110, metadata={"Software": None})


def run() -> list[str]:
    """The curves of the long run as a table."""
    result = load("pretrain_run")
    if not result:
        return []
    keys = [(key, title) for key, title in CURVES if any(key in line for line in result["curve"])]
    rows = ["| step | epochs | " + " | ".join(title for _, title in keys) + " |", "|---" * (len(keys) + 2) + "|"]
    for line in result["curve"]:
        epochs = line["step"] * result["settings"]["batch_size"] / result["contexts"]
        cells = [f"{line[key]:.4g}" if key in line else "–" for key, _ in keys]
        rows.append(f"| {line['step']:,} | {epochs:.2f} | " + " | ".join(cells) + " |")
    chosen = ("size", "batch_size", "learning_rate", "softmax", "kl_steps", "bag_weight", "precision", "seed")
    settings = ", ".join(f"{key} {result['settings'][key]}" for key in chosen)
    last = result["curve"][-1]
    facts = (
        f"{result['date']}, {hardware(result)}. {result['contexts']:,} contexts; {settings}. Steps and the last "
        f"validation took {last['processor_seconds'] / 60:.0f} minutes of one processor core."
    )
    return [RUN_TEXT, "\n".join(rows), facts]


def hardware(result: dict[str, Any]) -> str:
    """The machine in a few words."""
    found = result["hardware"]
    return ", ".join(str(found[key]) for key in ("cpu", "gpu") if found[key]) + f", torch {found['torch']}"
