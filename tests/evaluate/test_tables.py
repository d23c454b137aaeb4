"""Tables show every method with its figures in per cent."""

from __future__ import annotations

from typing import Any

import pytest

from kgrel.evaluate.pairs import evaluate_pairs
from kgrel.evaluate.settings import LEAST_DRAWS, EvaluationSettings
from kgrel.evaluate.tables import (
    HEADS,
    calibration_text,
    figure,
    frequency_text,
    markdown_table,
    text_table,
    with_interval,
)


@pytest.fixture(scope="module")
def report(given: Any) -> dict[str, Any]:
    """A report with three methods; of the last one nothing is defined that may be undefined."""
    found = evaluate_pairs(given, EvaluationSettings(draws=LEAST_DRAWS, baselines=False))
    for setting in ("covered", "all"):
        ours = found[setting]["methods"]["kgrel"]
        found[setting]["methods"] |= {
            "another method": ours | {"f1": 0.12344, "f1_interval": [0.1, 0.2]},
            "undefined": {**dict.fromkeys(HEADS, 0.5), "average_precision": None, "auroc": None},
        }
    return found


@pytest.mark.parametrize(("value", "shown"), [(None, "–"), (0.0, "0.00"), (1.0, "100.00"), (0.123456, "12.35")])
def test_a_figure_is_shown_in_per_cent(value: float | None, shown: str) -> None:
    assert figure(value) == shown


def test_an_interval_stands_beside_the_figure_where_there_is_one() -> None:
    method = {"f1": 0.5, "f1_interval": [0.25, 0.75], "auroc": 0.5}
    assert with_interval(method, "f1") == "50.00 [25.00, 75.00]"
    assert with_interval(method, "auroc") == "50.00"


def test_the_text_shows_every_method_of_both_settings_in_aligned_columns(report: dict[str, Any]) -> None:
    *blocks, calibration = text_table(report).split("\n\n")
    assert calibration == calibration_text(report["calibration"])
    for block, setting in zip(blocks, ("covered", "all"), strict=True):
        head, columns, *rows = block.splitlines()
        assert head.startswith(f"{setting} pairs: {report[setting]['pairs']:,}, listed {report[setting]['listed']:,} (")
        assert [row.split("  ")[0] for row in rows] == list(report[setting]["methods"])
        start = columns.index("P  ")
        for row, method in zip(rows, report[setting]["methods"].values(), strict=True):
            assert row[start:].startswith(with_interval(method, "precision"))
            assert all(with_interval(method, key) in row for key in HEADS)


def test_calibration_is_shown_before_and_after_where_there_is_a_probability(report: dict[str, Any]) -> None:
    found = report["calibration"]
    lines = calibration_text(found).splitlines()
    assert len(lines) == 3
    assert lines[1].split() == [
        "score",
        "ECE",
        figure(found["before"]["ece"]),
        "Brier",
        figure(found["before"]["brier"]),
    ]
    assert lines[2] == f"probability   not_calibrated {report['all']['pairs']:,}"
    lines = calibration_text(found | {"after": {"ece": 0.01, "brier": 0.02}}).splitlines()
    assert lines[2].split() == ["probability", "ECE", "1.00", "Brier", "2.00"]


def test_correlations_are_shown_with_sign_and_interval() -> None:
    value = {"estimate": -0.25, "interval": [-0.5, 0.125]}
    found = {"pairs": 9, "correlations": {"entity_counts_and_label": {"entropy": value, "score_std": None}}}
    lines = frequency_text(found).splitlines()
    assert lines[1] == "held constant: entity counts and label"
    assert lines[2].split(maxsplit=1) == ["entropy", "-0.250 [-0.500, +0.125]"]
    assert lines[3].split() == ["score_std", "–"]


def test_markdown_has_one_row_a_method_and_one_cell_a_figure(report: dict[str, Any]) -> None:
    methods = report["all"]["methods"]
    head, rule, *rows = markdown_table(methods).splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (head, rule, *rows)]
    assert {len(row) for row in cells} == {1 + len(HEADS)}
    assert set(cells[1]) == {"---"}
    assert [row[0] for row in cells[2:]] == list(methods)
    for row, method in zip(cells[2:], methods.values(), strict=True):
        assert row[1:] == [with_interval(method, key) for key in HEADS]


def test_a_report_that_is_older_than_a_figure_is_shown_without_its_column(report: dict[str, Any]) -> None:
    later = ("macro_precision", "macro_recall")
    methods = {
        name: {key: value for key, value in method.items() if key not in later}
        for name, method in report["all"]["methods"].items()
    }
    head, *_ = markdown_table(methods).splitlines()
    assert head == "| method | P | R | F1 | macro F1 | AP | AUROC |"
