from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from kgrel.data.errors import ArtifactError
from kgrel.text.tokens import tokenize
from kgrel.text.windows import NUMBER, PAD, SPECIAL_WORDS, SYMBOL, UNKNOWN, WindowWords, window

TEXT = "We saw that (ABC1) binds WASP."


def around(text: str, name: str, width: int) -> list[str]:
    start = text.index(name)
    return window(text, tokenize(text), (start, start + len(name)), width)


def test_both_halves_are_read_towards_the_mention_which_is_hidden() -> None:
    assert around(TEXT, "ABC1", 3) == ["saw", "that", "(", "WASP", "binds", ")"]


def test_short_sides_are_filled_up_in_front() -> None:
    assert around(TEXT, "We", 2) == ["", "", "that", "saw"]
    assert around(TEXT, "WASP.", 2) == [")", "binds", "", ""]
    assert around("WASP", "WASP", 2) == [""] * 4


def test_a_mention_that_ends_within_a_token_hides_no_more_than_itself() -> None:
    assert around("of IL-2±TNF", "2", 2) == ["IL", "-", "", "±TNF"]


def test_a_rare_word_is_told_by_its_shape() -> None:
    words = WindowWords.of_counts(Counter({"binds": 3, "the": 2, "rare": 1}), len(SPECIAL_WORDS) + 2)
    spelled = ["binds", "THE", "rare", "Rare", "ABC1", "mRNA", "42", ""]
    rows = [words.row(word) for word in spelled]
    assert rows == [4, 5, UNKNOWN, UNKNOWN, SYMBOL, SYMBOL, NUMBER, PAD]


def test_the_table_comes_back_as_written(tmp_path: Path) -> None:
    words = WindowWords.of_counts(Counter({"binds": 3, "π": 2}), 10)
    words.write(tmp_path / "words.json")
    assert WindowWords.read(tmp_path / "words.json") == words


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"words": ["a", "b"]})])
def test_what_is_no_table_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "words.json").write_text(content)
    with pytest.raises(ArtifactError, match="is no word table"):
        WindowWords.read(tmp_path / "words.json")
