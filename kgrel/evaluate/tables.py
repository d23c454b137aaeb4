"""The report of an evaluation as a table, for the terminal and for Markdown."""

from __future__ import annotations

from typing import Any

from kgrel.data.printing import aligned
from kgrel.metrics.ranks import KINDS

TITLES = {
    "covered": "covered {pairs}",
    "all": "all {pairs}",
    "seen_in_text": "{pairs} seen in text",
    "not_seen_in_text": "{pairs} not seen in text",
}
"""What the settings of an evaluation are called, in the order of their tables."""
HEADS = {
    "precision": "P",
    "recall": "R",
    "f1": "F1",
    "macro_precision": "macro P",
    "macro_recall": "macro R",
    "macro_f1": "macro F1",
    "average_precision": "AP",
    "auroc": "AUROC",
}
"""Figure → head of its column."""


def figure(value: float | None) -> str:
    """A ratio in per cent."""
    return "–" if value is None else f"{100 * value:.2f}"


def with_interval(method: dict[str, Any], key: str) -> str:
    """A figure in per cent with its 95 % interval, where one was computed."""
    bounds = method.get(f"{key}_interval")
    shown = figure(method[key])
    return shown if bounds is None else f"{shown} [{figure(bounds[0])}, {figure(bounds[1])}]"


def columns_of(methods: dict[str, Any]) -> list[str]:
    """The figures that there are; reports that were kept may be older than some."""
    return [key for key in HEADS if any(key in method for method in methods.values())]


def table_rows(methods: dict[str, Any]) -> list[list[str]]:
    """The line of heads, the first of them empty, and one row a method."""
    columns = columns_of(methods)
    heads = ["", *(HEADS[key] for key in columns)]
    return [heads, *([name, *(with_interval(method, key) for key in columns)] for name, method in methods.items())]


def markdown_table(methods: dict[str, Any]) -> str:
    """The methods of one setting as a Markdown table, figures in per cent with 95 % intervals."""
    (_, *heads), *rows = table_rows(methods)
    lines = ["| " + " | ".join(row) + " |" for row in (["method", *heads], *rows)]
    return "\n".join([lines[0], "|---" * (1 + len(heads)) + "|", *lines[1:]])


def text_table(report: dict[str, Any]) -> str:
    """The whole report for a terminal."""
    blocks = []
    for name, title in TITLES.items():
        shown = title.format(pairs="pairs")
        if name in report:
            part = report[name]
            head = f"{shown}: {part['pairs']:,}, listed {part['listed']:,} ({100 * part['base_rate']:.2f} %)"
            (_, *heads), *rows = table_rows(part["methods"])
            blocks.append("\n".join([head, *aligned([["per cent", *heads], *rows])]))
        elif name in report.get("left_out", ()):
            blocks.append(f"{shown}: left out, {report['left_out'][name]}")
    if "calibration" in report:
        blocks.append(calibration_text(report["calibration"]))
    if "by_frequency" in report:
        blocks.append(frequency_text(report["by_frequency"]))
    return "\n\n".join(blocks)


def calibration_text(found: dict[str, Any]) -> str:
    """ECE and Brier score before and after calibration, in per cent."""
    kinds = {"before": "score", "after": "probability"}
    lines = [f"calibration on {found['pairs']:,} {found['which']} pairs, in per cent"]
    for name, shown in kinds.items():
        if found[name] is not None:
            lines.append(f"{shown:<12}  ECE {figure(found[name]['ece'])}  Brier {figure(found[name]['brier'])}")
    reasons = [f"{reason} {count:,}" for reason, count in found["probability"].items()]
    return "\n".join([*lines, "probability   " + ", ".join(reasons)])


def frequency_text(found: dict[str, Any]) -> str:
    """Rank correlations of uncertainty with the number of contexts."""
    lines = [f"rank correlation with the number of contexts, {found['pairs']:,} co-mentioned pairs"]
    for held, by_measure in found["correlations"].items():
        lines.append(f"held constant: {held.replace('_', ' ')}")
        for name, value in by_measure.items():
            shown = "–"
            if value is not None:
                shown = f"{value['estimate']:+.3f} [{value['interval'][0]:+.3f}, {value['interval'][1]:+.3f}]"
            lines.append(f"  {name:<13}  {shown}")
    return "\n".join(lines)


def ranking_text(report: dict[str, Any]) -> str:
    """Link prediction for a terminal: realistic figures by group, and the three kinds of rank over all."""
    names = [name for name in report["realistic"] if name != "mean_rank"]
    rows = [["", "questions", *names, "mrr, 95 %"]]
    for kind in KINDS:
        bounds = mrr_bounds(report) if kind == "realistic" else ""
        rows.append([kind, f"{report['questions']:,}", *ranking_cells(report[kind], names), bounds])
    groups = {"macro over classes": report["macro"], **{f"asked for {k}s": v for k, v in report["by_side"].items()}}
    for name, group in (groups | report["by_relation"]).items():
        count = f"{group['questions']:,}" if "questions" in group else ""
        rows.append([name, count, *ranking_cells(group["realistic"], names), mrr_bounds(group)])
    lines = aligned(rows)
    head = f"{report['model']}: {report['mean_candidates']:,.0f} candidates of the right type on average, filtered"
    return "\n".join([head, *lines[: 1 + len(KINDS)], "realistic ranks", *lines[1 + len(KINDS) :]])


def mrr_bounds(group: dict[str, Any]) -> str:
    """The interval of the MRR, where one was made."""
    bounds = group.get("mrr_interval")
    return "" if bounds is None else "[{:.4f}, {:.4f}]".format(*bounds)


def ranking_cells(figures: dict[str, float], names: list[str]) -> list[str]:
    """Figures with four digits behind the point."""
    return [f"{figures[name]:.4f}" for name in names]
