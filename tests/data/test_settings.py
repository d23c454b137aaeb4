"""Settings survive JSON; what does not fit is refused by key; their docstrings are the help."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from kgrel.data.errors import KgrelError
from kgrel.data.settings import descriptions, from_json, to_json


@dataclass(frozen=True)
class Example:
    """Settings of a stage."""

    steps: int
    """Number of steps."""
    rate: float = 0.1
    """Learning rate,
    per step."""
    size: Literal["small", "large"] = "small"
    """Which size."""
    limit: int | None = None
    """Longest sentence, in tokens."""
    point: int | str = 0
    """Where to stop."""
    seeds: tuple[int, ...] = (1, 2)
    """Seeds."""
    span: tuple[int, str] = (0, "a")
    """A pair."""
    quiet: bool = False


def test_settings_survive_json() -> None:
    settings = Example(5, limit=3, point="end", seeds=(7,), size="large")
    assert from_json(Example, json.loads(json.dumps(to_json(settings)))) == settings


def test_whole_numbers_pass_where_floats_are_wanted() -> None:
    rate = from_json(Example, {"steps": 1, "rate": 2}).rate
    assert isinstance(rate, float)
    assert rate == 2.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"step": 1}, r"Example: unknown setting 'step' \(did you mean 'steps'\?\)"),
        ({}, "Example: the setting 'steps' is missing"),
        ({"steps": "1"}, "Example: steps must be int, not '1'"),
        ({"steps": True}, "steps must be int, not True"),
        ({"steps": 1.5}, "steps must be int"),
        ({"steps": None}, "steps must be int"),
        ({"steps": 1, "rate": True}, "rate must be float"),
        ({"steps": 1, "size": "huge"}, r"size must be one of \('small', 'large'\), not 'huge'"),
        ({"steps": 1, "limit": "x"}, "limit must be int"),
        ({"steps": 1, "point": 0.5}, "point must be str"),
        ({"steps": 1, "seeds": 1}, "seeds must be tuple"),
        ({"steps": 1, "seeds": [1, "x"]}, "seeds must be int, not 'x'"),
        ({"steps": 1, "span": [1]}, "span must have 2 values, not 1"),
        ({"steps": 1, "quiet": 1}, "quiet must be bool"),
    ],
)
def test_what_does_not_fit_is_refused_by_key(values: dict[str, Any], message: str) -> None:
    with pytest.raises(KgrelError, match=message):
        from_json(Example, values)


def test_docstrings_after_attributes_are_their_descriptions() -> None:
    texts = descriptions(Example)
    assert texts["rate"] == "Learning rate, per step."
    assert "quiet" not in texts


def test_attributes_of_a_base_are_described_too() -> None:
    @dataclass(frozen=True)
    class Longer(Example):
        extra: int = 0
        """One more."""

    assert descriptions(Longer) == descriptions(Example) | {"extra": "One more."}
