"""A checkpoint that is damaged, or of another model, is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from kgrel.data.errors import ArtifactError
from kgrel.train import run as runs
from tests.train.regression import PATIENT, Crash, Regression, crash_at, fit, peak_at_six


def cut_short(checkpoint: Path) -> None:
    (checkpoint / "tensors").write_bytes((checkpoint / "tensors").read_bytes()[:-9])


def flip_a_bit(checkpoint: Path) -> None:
    content = bytearray((checkpoint / "tensors").read_bytes())
    content[-5] ^= 1
    (checkpoint / "tensors").write_bytes(content)


def lose_the_tensors(checkpoint: Path) -> None:
    (checkpoint / "tensors").unlink()


def spoil_the_state(checkpoint: Path) -> None:
    (checkpoint / "state.json").write_text("{}")


@pytest.mark.parametrize("damage", [cut_short, flip_a_bit, lose_the_tensors, spoil_the_state])
def test_a_damaged_checkpoint_is_refused_by_name(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(5)))
    damage(tmp_path / "run" / "checkpoint-000000003")
    with pytest.raises(ArtifactError, match=r"checkpoint-000000003: the checkpoint is damaged .*--overwrite"):
        fit(tmp_path / "run")


def missing(tensors: dict[str, Tensor], name: str) -> str:
    del tensors[name]
    return f"{name} is missing"


def left_over(tensors: dict[str, Tensor], name: str) -> str:
    tensors[f"{name}.old"] = tensors[name].clone()
    return f"{name}.old is none of the model's"


def misshapen(tensors: dict[str, Tensor], name: str) -> str:
    tensors[name] = tensors[name].flatten()[:2].clone()
    return f"{name} has the shape \\[2\\], not"


@pytest.mark.parametrize("change", [missing, left_over, misshapen])
@pytest.mark.parametrize("part", ["weights", "best", "adam/exp_avg"])
def test_a_tensor_that_does_not_fit_is_refused_by_name(
    tmp_path: Path, part: str, change: Callable[[dict[str, Tensor], str], str]
) -> None:
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(5), peak_at_six), PATIENT)
    checkpoint = tmp_path / "run" / "checkpoint-000000003"
    tensors = runs.load_file(checkpoint / "tensors")
    complaint = change(tensors, f"{part}/used.weight")
    runs.save_file(tensors, checkpoint / "tensors")
    record = json.loads((checkpoint / "state.json").read_text())
    record["sha256"] = runs.sha256_of(checkpoint / "tensors")
    (checkpoint / "state.json").write_text(json.dumps(record))
    with pytest.raises(ArtifactError, match=f"checkpoint-000000003: the tensor {complaint}"):
        fit(tmp_path / "run", Regression(curve=peak_at_six), PATIENT)


def test_a_checkpoint_of_a_wider_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        fit(tmp_path / "run", Regression(crash_at(5), width=9))
    with pytest.raises(ArtifactError, match=r"the tensor adam/exp_avg/used\.bias has the shape \[9\], not \[6\]"):
        fit(tmp_path / "run")
