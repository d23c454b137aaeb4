"""Every value stands in one bar, and the bars say what they hold."""

from __future__ import annotations

import numpy as np

from kgrel.metrics.histograms import bars, figure_of, powers, quantiles, text_histogram


def test_every_value_stands_in_one_bar() -> None:
    values = np.array([0, 1, 1, 2, 3, 4, 9])
    assert bars(values, [0, *powers(values)]) == [(0, 0, 1), (1, 1, 2), (2, 3, 2), (4, 7, 1), (8, 9, 1)]
    assert quantiles(values)["most"] == 9


def test_a_histogram_as_text_has_one_line_a_bar() -> None:
    lines = text_histogram(("title", [(1, 1, 2), (2, 3, 4000)])).splitlines()
    assert lines[0] == "title"
    assert [line.split() for line in lines[1:]] == [["1", "2"], ["2-3", "4,000", "#" * 40]]


def test_every_histogram_is_drawn() -> None:
    axes = figure_of([("a", [(1, 1, 2)]), ("b", [(1, 2, 3)]), ("c", [(1, 1, 1)])], linear=1).axes
    assert [(one.get_title(), one.get_yscale()) for one in axes] == [("a", "linear"), ("b", "log"), ("c", "log")]
