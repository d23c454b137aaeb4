"""The picture is a PNG, the same one for the same report, with a panel for each question that was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kgrel.data.errors import KgrelError
from kgrel.evaluate.plots import draw_report


def report() -> dict[str, Any]:
    bins = [{"pairs": 5, "predicted": 0.1, "observed": 0.2}, {"pairs": 5, "predicted": 0.7, "observed": 0.4}]
    return {"calibration": {"before": {"ece": 0.2, "reliability": bins}, "after": None}}


def with_frequency() -> dict[str, Any]:
    values = {"score_std": [0.1, 0.05, 0.2], "entropy": [0.4, 0.3, 0.5], "disagreement": None}
    points = [{"listed": listed, "contexts": n, **values} for listed in (True, False) for n in (1.0, 9.0)]
    return report() | {"by_frequency": {"curves": points}}


def test_the_same_report_gives_the_same_picture_and_more_questions_a_wider_one(tmp_path: Path) -> None:
    for name, content in {"a": report(), "b": report(), "wide": with_frequency()}.items():
        draw_report(content, tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as one, Image.open(tmp_path / "wide.png") as wide:
        assert wide.width == pytest.approx(4 * one.width, abs=8)
        assert wide.height == one.height


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="none is no directory; make it first"):
        draw_report(report(), tmp_path / "none" / "a.png")
