"""The figures of an evaluation as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from kgrel.data.files import atomic_file
from kgrel.evaluate.frequency import MEASURES

UNITS = {"score_std": "spread of the score", "entropy": "entropy, nats", "disagreement": "disagreement, nats"}


def draw_report(report: dict[str, Any], path: str | Path) -> None:
    """Draw the reliability diagram and, where it was asked for, uncertainty by frequency, as PNG.

    Raises:
        KgrelError: no file can be written at ``path``.
    """
    panels = 1 + (len(MEASURES) if "by_frequency" in report else 0)
    figure = Figure(figsize=(3.6 * panels, 3.4), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    draw_reliability(axes[0], report["calibration"])
    for place, name in zip(axes[1:], MEASURES, strict=False):
        draw_curve(place, name, report["by_frequency"]["curves"])
    with atomic_file(path) as partial:
        # Without the version of matplotlib in it, the same report gives the same bytes for longer.
        figure.savefig(partial, dpi=150, format="png", metadata={"Software": None})


def draw_reliability(axes: Axes, found: dict[str, Any]) -> None:
    """Share listed against what was predicted, one point a bin."""
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, label in (("before", "score"), ("after", "probability")):
        if found[name] is None:
            continue
        bins = found[name]["reliability"]
        shown = f"{label}: ECE {100 * found[name]['ece']:.1f} %"
        axes.plot([b["predicted"] for b in bins], [b["observed"] for b in bins], marker="o", label=shown)
    axes.set(xlabel="predicted", ylabel="share listed", xlim=(0, 1), ylim=(0, 1))
    axes.legend()


def draw_curve(axes: Axes, name: str, points: list[dict[str, Any]]) -> None:
    """Mean of a measure by number of contexts with 95 % intervals, for listed and unlisted pairs."""
    axes.set(xlabel="contexts of the pair", ylabel=UNITS[name])
    defined = [point for point in points if point[name] is not None]
    if not defined:
        return  # a logarithmic axis cannot be empty
    for listed, label in ((True, "listed"), (False, "not listed")):
        chosen = [point for point in defined if point["listed"] == listed]
        contexts = [point["contexts"] for point in chosen]
        middle, low, high = ([point[name][place] for point in chosen] for place in range(3))
        axes.plot(contexts, middle, marker="o", label=label)
        axes.fill_between(contexts, low, high, alpha=0.2)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(bottom=0)
    axes.legend()
