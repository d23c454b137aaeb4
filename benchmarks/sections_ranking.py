"""The section of link_prediction.py in RESULTS.md."""

from __future__ import annotations

from typing import Any

from common import load

TEXT = """## Link prediction on public benchmarks (`link_prediction.py`)

Credentials of the evaluator and of the graph embeddings: torch-geometric's models, trained 1-vs-all, against the
filtered MRR that LibKGE publishes for FB15k-237. Filtered ranks among all entities, both ends asked for. Training stops
by the MRR of 2,000 validation edges; the test edges are ranked once. Where optimistic, realistic and pessimistic MRR
agree, no score ties. Times were taken on a machine that was busy with other work, on one thread: they are upper bounds.
"""
PUBLISHED = {("fb15k-237", "ComplEx"): 0.348, ("fb15k-237", "DistMult"): 0.343, ("fb15k-237", "TransE"): 0.313}
"""Filtered MRR of LibKGE's models."""
HEADS = (
    "data set", "model", "MRR (optimistic / realistic / pessimistic)", "published", "Hits@1", "Hits@3", "Hits@10",
    "adjusted mean rank", "macro MRR", "epochs", "s an epoch", "ranking, s",
)  # fmt: skip


def section() -> list[str]:
    """One row a configuration; empty if the benchmark was not run."""
    runs = load("link_prediction")
    if not runs:
        return []
    lines = ["| " + " | ".join(HEADS) + " |", "|---" * len(HEADS) + "|"]
    lines += ["| " + " | ".join(row(run)) + " |" for run in runs.values()]
    return [TEXT, "\n".join(lines), *(settings(name, run) for name, run in runs.items())]


def row(run: dict[str, Any]) -> list[str]:
    """The cells of one configuration."""
    report, training = run["report"], run["training"]
    mrr = " / ".join(f"{report[kind]['mrr']:.3f}" for kind in ("optimistic", "realistic", "pessimistic"))
    published = PUBLISHED.get((run["dataset"], run["model"]))
    realistic = report["realistic"]
    hits = [f"{realistic[f'hits@{k}']:.3f}" for k in (1, 3, 10)]
    seconds = "–" if training["seconds_an_epoch"] is None else f"{training['seconds_an_epoch']:,}"
    return [
        run["dataset"], run["model"], mrr, "–" if published is None else f"{published:.3f}", *hits,
        f"{realistic['adjusted_mean_rank']:.4f}", f"{report['macro']['realistic']['mrr']:.3f}",
        f"{training['epochs']:.0f}", seconds, f"{run['seconds']['test']:,}",
    ]  # fmt: skip


def settings(name: str, run: dict[str, Any]) -> str:
    """What a configuration was run with."""
    recipe = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in run["recipe"].items())
    hardware = ", ".join(f"{key} {value}" for key, value in run["hardware"].items() if value is not None)
    return f"*{name}*, {run['date']}: {recipe}. {hardware}."
