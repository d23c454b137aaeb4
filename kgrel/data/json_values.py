"""JSON that somebody else may have written: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def parse_json(text: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: no JSON, not UTF-8, NaN or infinity, which JSON has not, or nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def refuse_constant(name: str) -> NoReturn:
    """For ``parse_constant``: NaN, Infinity and -Infinity are no JSON."""
    raise ValueError(f"holds {name}, which is no JSON number")
