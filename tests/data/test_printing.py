"""Nothing of a file steers the terminal."""

from __future__ import annotations

from kgrel.data.printing import printable


def test_control_characters_are_replaced() -> None:
    assert printable("a\x1b[31m\tb\x07\u202e") == "a\ufffd[31m b\ufffd\ufffd"
