"""Texts of files on a terminal, and in messages."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text in which no character can steer a terminal: control characters become ``\\N{REPLACEMENT CHARACTER}``."""
    return "".join(character if character.isprintable() else " " if character in "\t\n" else "�" for character in text)


def shortened(text: str, most: int = 1500) -> str:
    """A text of at most ``most`` characters: its beginning and its end, and between them how many are left out."""
    if len(text) <= most:
        return text
    begin, end = 2 * most // 3, most // 3
    return f"{text[:begin]} … ({len(text) - begin - end:,} characters left out) … {text[-end:]}"


def aligned(rows: list[list[str]]) -> list[str]:
    """Rows of cells, all of the same number, as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def four_digits(value: float) -> str:
    """A measured number for a person: four digits, from a thousand on whole with separators."""
    return f"{value:.4g}" if abs(value) < 999.5 else f"{value:,.0f}"
