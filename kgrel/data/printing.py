"""Texts of files on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text in which no character can steer a terminal: control characters become ``\\N{REPLACEMENT CHARACTER}``."""
    return "".join(character if character.isprintable() else " " if character in "\t\n" else "�" for character in text)
