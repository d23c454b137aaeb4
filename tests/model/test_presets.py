"""The sizes of the paper, told without torch."""

from __future__ import annotations

import subprocess
import sys
import typing

import pytest

from kgrel.model.presets import SIZES, Dimensions, Size, parameter_count
from kgrel.model.relvm import RELVM


def test_every_size_has_a_name_and_every_name_a_size() -> None:
    assert tuple(SIZES) == typing.get_args(Size)


def test_the_paper_s_sizes_differ_in_the_hidden_units_alone() -> None:
    paper = {name: size for name, size in SIZES.items() if name not in ("tiny", "x-large")}
    assert paper == {
        name: Dimensions(hidden, 300, 300, 300)
        for name, hidden in (("x-small", 128), ("small", 256), ("medium", 512), ("large", 1024))
    }


@pytest.mark.parametrize(
    "dimensions", [SIZES["tiny"], Dimensions(7, 5, 6, 4), Dimensions(1, 1, 1, 1), Dimensions(3, 9, 2, 11)]
)
def test_the_count_is_that_of_the_model(dimensions: Dimensions) -> None:
    model = RELVM(dimensions, entities=3, words=5)
    trained = sum(p.numel() for name, p in model.named_parameters() if p.requires_grad and "embedding" not in name)
    assert parameter_count(dimensions) == trained


def test_sizes_load_no_torch() -> None:
    code = "import sys, kgrel.model.presets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
