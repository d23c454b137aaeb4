from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.text.abbreviations import find_definitions


def found(text: str) -> list[tuple[str, str]]:
    return [(d.short, text[d.long_start : d.long_end]) for d in find_definitions(text)]


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("in amyotrophic lateral sclerosis (ALS) patients", "ALS", "amyotrophic lateral sclerosis"),
        ("the Heat-shock transcription factor 1 (HSF1)", "HSF1", "Heat-shock transcription factor 1"),
        ("ALS (amyotrophic lateral sclerosis) is", "ALS", "amyotrophic lateral sclerosis"),
        ("type 2 diabetes mellitus (T2DM; 30 %)", "T2DM", "type 2 diabetes mellitus"),
        ("tumor necrosis factor-alpha (TNF-alpha)", "TNF-alpha", "tumor necrosis factor-alpha"),
        ("transcription factors (TFs)", "TFs", "transcription factors"),
    ],
)
def test_definitions_in_either_order_are_found(text: str, short: str, long: str) -> None:
    assert found(text) == [(short, long)]


@pytest.mark.parametrize(
    "text",
    [
        "patients (ALS) were",
        "seen before (see Fig. 2)",
        "a mouse (control) and",
        "weight (5 kg)",
        "amyotrophic sclerosis (ALS",
        "(ALS) amyotrophic lateral sclerosis",
        "an unrelated phrase (XYZ)",
    ],
)
def test_other_brackets_define_nothing(text: str) -> None:
    assert found(text) == []


@given(st.text("abAB (),;-", max_size=40))
def test_a_long_form_lies_in_the_text_and_holds_the_short_form_in_order(text: str) -> None:
    for short, start, end in find_definitions(text):
        rest = iter(text[start:end].lower())
        assert all(character in rest for character in short.lower() if character.isalnum())
        assert end - start > len(short)
