"""Nothing of a file steers the terminal."""

from __future__ import annotations

from kgrel.data.printing import aligned, four_digits, printable, shortened


def test_control_characters_are_replaced() -> None:
    assert printable("a\x1b[31m\tb\x07\u202e") == "a\ufffd[31m b\ufffd\ufffd"


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    assert shortened("short") == "short"
    found = shortened("a" * 1000 + "b" * 1000, 300)
    assert found.startswith("a" * 200 + " … (1,700 characters left out) … b")
    assert found.endswith("b" * 100)


def test_columns_stand_below_each_other_and_lines_end_with_their_last_letter() -> None:
    assert aligned([["name", "n"], ["tumour necrosis factor", "205"], ["", ""]]) == [
        "name                    n",
        "tumour necrosis factor  205",
        "",
    ]


def test_numbers_have_four_digits_and_no_exponent_when_they_are_large() -> None:
    numbers = (0.123456, 6.363e-05, 0.0, -999.4, 999.96, -1234.5, 437_700.4)
    assert [four_digits(n) for n in numbers] == [
        "0.1235", "6.363e-05", "0", "-999.4", "1,000", "-1,234", "437,700",
    ]  # fmt: skip
