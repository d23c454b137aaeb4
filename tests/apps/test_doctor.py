"""The doctor tells what is there, names what is missing, and never fails over a part that cannot be looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import kgrel
from kgrel.apps import doctor
from kgrel.data.errors import KgrelError


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed kgrel that needs a package which is there, one that is too old, and one that nobody has."""
    extras = {"web": [Requirement("no-such-package>=1")], "plot": [Requirement("numpy>=1")]}
    monkeypatch.setattr(doctor, "requirements", lambda: ([Requirement("numpy>=1"), Requirement("click>=999")], extras))


def test_the_answer_has_every_part_and_is_json(tmp_path: Path) -> None:
    found = doctor.examine(tmp_path)
    assert list(found) == ["versions", "extras", "device", "faiss", "threads", "memory", "disk", "problems"]
    assert found["versions"]["kgrel"] == kgrel.__version__
    assert found["threads"]["torch"] >= 1
    assert found["disk"]["here"] > 0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_is_missing_is_named_with_its_cure(required: None, tmp_path: Path) -> None:
    found = doctor.examine(tmp_path)
    assert found["extras"] == {"plot": "installed", "web": "absent (no-such-package): pip install 'kgrel[web]'"}
    (problem,) = [one for one in found["problems"] if "click" in one]
    assert "click>=999 is needed, but " in problem
    assert problem.endswith("is installed; install kgrel again")


def test_the_requirements_are_those_of_the_package() -> None:
    needed, extras = doctor.requirements()
    assert {"torch", "click", "pyarrow"} <= {one.name for one in needed}
    assert "faiss-cpu" in {one.name for one in extras["cpu"]}
    assert not {"faiss-cpu", "pytest"} & {one.name for one in needed}


def test_a_part_that_cannot_be_loaded_is_a_problem_and_not_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> Any:
        raise ImportError("libcudart.so.12: cannot open\nshared object file")

    monkeypatch.setattr(doctor, "device_facts", broken)
    found = doctor.examine(tmp_path)
    assert found["device"] is None
    assert "device: libcudart.so.12: cannot open shared object file" in found["problems"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"memory": {"total": 64.0, "available": 50.0, "limit": 2.0}}, "only 2.0 GiB of memory"),
        ({"disk": {"here": 0.5}}, "only 0.5 GiB are free"),
        ({"threads": {"torch": 64, "usable": 2}}, "set OMP_NUM_THREADS=2"),
        ({}, None),
    ],
)
def test_too_little_of_anything_is_said(changed: dict[str, Any], problem: str | None) -> None:
    roomy = {
        "memory": {"total": None, "available": 32.0, "limit": None},
        "disk": {"here": 99.0},
        "threads": {"torch": 2, "usable": 2},
    }
    found = doctor.shortages(roomy | changed)
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]


def test_a_limit_of_the_container_counts_and_none_at_all_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    total = doctor.memory_facts()["total"]
    if total is None:
        pytest.skip("this system does not tell its memory")
    for text, expected in ((str(2**30), 1.0), ("max", None), (str(2**62), None), ("", None)):
        (tmp_path / "limit").write_text(text)
        monkeypatch.setattr(doctor, "CGROUP_LIMITS", (str(tmp_path / "limit"), str(tmp_path / "absent")))
        assert doctor.memory_facts()["limit"] == expected


def test_a_place_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="is no directory; name one"):
        doctor.examine(tmp_path / "absent")
