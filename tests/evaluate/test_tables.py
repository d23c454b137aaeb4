"""Tables show every method with its figures in per cent."""

from __future__ import annotations

from typing import Any

import pytest

from kgrel.evaluate.pairs import evaluate_pairs
from kgrel.evaluate.settings import LEAST_DRAWS, EvaluationSettings
from kgrel.evaluate.tables import COLUMNS, figure, markdown_table, text_table, with_interval


@pytest.fixture(scope="module")
def report(given: Any) -> dict[str, Any]:
    """A report with three methods; of the last one nothing is defined that may be undefined."""
    found = evaluate_pairs(given, EvaluationSettings(draws=LEAST_DRAWS, baselines=False))
    for setting in ("covered", "all"):
        ours = found[setting]["methods"]["kgrel"]
        found[setting]["methods"] |= {
            "another method": ours | {"f1": 0.12344, "f1_interval": [0.1, 0.2]},
            "undefined": {**dict.fromkeys(COLUMNS, 0.5), "average_precision": None, "auroc": None},
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
    blocks = text_table(report).split("\n\n")
    assert len(blocks) == 2
    for block, setting in zip(blocks, ("covered", "all"), strict=True):
        head, columns, *rows = block.splitlines()
        assert head.startswith(f"{setting} pairs: {report[setting]['pairs']:,}, listed {report[setting]['listed']:,} (")
        assert [row.split("  ")[0] for row in rows] == list(report[setting]["methods"])
        start = columns.index("P  ")
        for row, method in zip(rows, report[setting]["methods"].values(), strict=True):
            assert row[start:].startswith(with_interval(method, "precision"))
            assert all(with_interval(method, key) in row for key in COLUMNS)


def test_markdown_has_one_row_a_method_and_one_cell_a_figure(report: dict[str, Any]) -> None:
    methods = report["all"]["methods"]
    head, rule, *rows = markdown_table(methods).splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (head, rule, *rows)]
    assert {len(row) for row in cells} == {1 + len(COLUMNS)}
    assert set(cells[1]) == {"---"}
    assert [row[0] for row in cells[2:]] == list(methods)
    for row, method in zip(cells[2:], methods.values(), strict=True):
        assert row[1:] == [with_interval(method, key) for key in COLUMNS]
