from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kgrel.text.folding import fold


@given(st.text())
def test_every_character_keeps_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert "".join(fold(character) for character in text) == fold(text)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_characters_whose_lower_case_is_longer_shift_nothing() -> None:
    assert fold("İL-2 AND ẞ") == "İl-2 and ß"


def test_the_final_sigma_is_a_sigma() -> None:
    assert fold("ΑΣ") == fold("ΑΣΒ")[:2] == fold("ας")
