"""Histograms and quantiles of counts, as text and as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Histogram = tuple[str, list[tuple[int, int, int]]]
"""Title, and bars (least, most, number)."""
_BAR = 40
_COLUMNS = 2


def quantiles(values: npt.NDArray[Any]) -> dict[str, float]:
    """Least, quartiles, 95 % and most of some values."""
    found = np.quantile(values, [0, 0.25, 0.5, 0.75, 0.95, 1])
    return dict(zip(("least", "quarter", "half", "three_quarters", "95_percent", "most"), found.tolist(), strict=True))


def powers(values: npt.NDArray[Any]) -> list[int]:
    """Powers of two up to beyond the largest value, as edges of :func:`bars`."""
    return [1 << power for power in range(int(values.max(initial=1)).bit_length() + 1)]


def bars(values: npt.NDArray[Any], edges: list[int]) -> list[tuple[int, int, int]]:
    """How many values lie in each stretch [edge, next edge), without empty ones at the end."""
    counts = np.histogram(values, edges)[0].tolist()
    last = max((place for place, count in enumerate(counts) if count), default=-1)
    ends = [min(edge - 1, int(values.max(initial=0))) for edge in edges[1:]]
    return list(zip(edges[: last + 1], ends[: last + 1], counts[: last + 1], strict=True))


def text_histogram(histogram: Histogram) -> str:
    """A histogram as lines of text."""
    title, found = histogram
    most = max((count for _, _, count in found), default=1)
    lines = [title]
    for low, high, count in found:
        label = f"{low:,}" if low == high else f"{low:,}-{high:,}"
        lines.append(f"  {label:>17} {count:>11,}  {'#' * round(_BAR * count / most)}")
    return "\n".join(lines)


def figure_of(histograms: Sequence[Histogram], linear: int = 0) -> Any:
    """The histograms as a matplotlib figure, two a row.

    Args:
        linear: so many of the first have a linear axis of numbers; the others a logarithmic one.
    """
    from matplotlib.figure import Figure

    rows = -(-len(histograms) // _COLUMNS)
    figure = Figure(figsize=(11, 4 * rows), layout="constrained")
    for place, (title, found) in enumerate(histograms):
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        axes.bar(range(len(found)), [count for _, _, count in found], color="#4477aa")
        axes.set_xticks(range(len(found)), [f"{low:,}" for low, _, _ in found], rotation=60, fontsize=8)
        axes.set(title=title, yscale="linear" if place < linear else "log", xlabel="from", ylabel="number")
    return figure
