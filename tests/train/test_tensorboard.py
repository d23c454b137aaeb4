"""Each figure of the log becomes a TensorBoard scalar; without the package it says what to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kgrel.data.errors import KgrelError
from kgrel.train.tensorboard import tensorboard_listener


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(KgrelError, match=r"needs the package tensorboard: pip install 'kgrel\[tensorboard\]'"):
        tensorboard_listener(tmp_path)


def test_each_figure_becomes_a_scalar(tmp_path: Path) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    listen = tensorboard_listener(tmp_path)
    listen(5, {"loss": 1.5, "kl": 0.25})
    listen(10, {"loss": 1.0})
    events = reading.EventAccumulator(str(tmp_path)).Reload()
    assert {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]} == {
        "loss": [(5, 1.5), (10, 1.0)],
        "kl": [(5, 0.25)],
    }
