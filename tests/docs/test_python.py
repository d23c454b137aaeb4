"""The names of a notebook: documented, lazy, and what the type checker is told."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import kgrel

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)(?:\.\w+)?(\([^`]*\))?` \|", PAGE, re.MULTILINE))


def test_the_page_has_a_row_for_each_name() -> None:
    assert list(ROWS) == list(kgrel.NAMES)
    assert len(ROWS) == 10


@pytest.mark.parametrize("name", kgrel.NAMES)
def test_each_name_is_what_its_module_defines(name: str) -> None:
    found = getattr(kgrel, name)
    assert found.__module__ == kgrel.NAMES[name]
    assert found.__doc__
    assert name in dir(kgrel)


@pytest.mark.parametrize("name", [name for name in ROWS if name.islower()])
def test_the_arguments_that_the_page_shows_are_there(name: str) -> None:
    shown = [argument.strip() for argument in ROWS[name].strip("()").split(",")]
    assert set(shown) <= set(inspect.signature(getattr(kgrel, name)).parameters)


def test_the_stub_names_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Path(kgrel.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    imported = {name: module for module, name in re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.MULTILINE)}
    assert imported == kgrel.NAMES


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'corpus_of_everything'"):
        _ = kgrel.corpus_of_everything  # type: ignore[attr-defined]
