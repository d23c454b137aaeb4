from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.data.errors import ArtifactError
from kgrel.text.tokens import (
    END,
    ENT,
    SPECIAL_TOKENS,
    UNK,
    Vocabulary,
    align,
    replace_mentions,
    token_span,
    tokenize,
)


def test_words_and_punctuation_are_split_and_lower_cased() -> None:
    assert tokenize("IL-2 (Interleukin) 3.5%").words == [
        "il",
        "-",
        "2",
        "(",
        "interleukin",
        ")",
        "3",
        ".",
        "5",
        "%",
    ]


@given(st.text())
def test_offsets_point_at_the_words(text: str) -> None:
    tokens = tokenize(text)
    spelled = [text[start:end].lower() for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert tokens.words == spelled


@given(st.text("ab ±-™é", min_size=2), st.data())
def test_every_span_is_a_whole_run_of_tokens(text: str, data: st.DataObject) -> None:
    start, end = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True)))
    tokens = align(text, tokenize(text), [(start, end)])
    first, beyond = token_span(tokens, (start, end))
    assert "".join(tokens.words[first:beyond]) == "".join(text[start:end].split())
    assert "".join(tokens.words) == "".join(text.split())


def naive_context(n: int, first: tuple[int, int], second: tuple[int, int]) -> list[int]:
    return [*range(first[0]), -1, *range(first[1], second[0]), -1, *range(second[1], n), -2]


@given(st.data())
def test_a_context_is_a_window_that_keeps_both_mentions(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 40))
    a, b, c, d = sorted(data.draw(st.lists(st.integers(0, n), min_size=4, max_size=4)))
    longest = data.draw(st.integers(3, 45))
    whole = naive_context(n, (a, b), (c, d))
    made = replace_mentions(range(n), (a, b), (c, d), -1, -2, longest)
    if c - b + 3 > longest:
        assert made is None
        return
    assert made is not None
    context, cut = made
    assert cut == (len(whole) > longest)
    assert len(context) == min(longest, len(whole))
    assert context.count(-1) == 2
    assert context[-1] == -2
    body = context[:-1]
    assert any(whole[i : i + len(body)] == body for i in range(len(whole)))


def test_the_window_is_centred_as_far_as_the_sentence_allows() -> None:
    context, _ = replace_mentions("abcdefghij", (4, 5), (6, 7), "X", "$", 8) or ([], False)
    assert "".join(context) == "cdXfXhi$"
    context, _ = replace_mentions("abcdefghij", (0, 1), (2, 3), "X", "$", 8) or ([], False)
    assert "".join(context) == "XbXdefg$"
    context, _ = replace_mentions("abcdefghij", (7, 8), (9, 10), "X", "$", 8) or ([], False)
    assert "".join(context) == "defgXiX$"


def test_the_vocabulary_holds_the_most_frequent_words() -> None:
    vocabulary = Vocabulary.of_counts({"rare": 1, "b": 3, "a": 3, "most": 9}, 7, 1, contexts=5)
    assert vocabulary.words == [*SPECIAL_TOKENS, "most", "a", "b"]
    assert vocabulary.counts.tolist() == [0, 1, 10, 5, 9, 3, 3]
    assert vocabulary.row("rare") == UNK


def test_words_below_the_least_count_are_unknown() -> None:
    assert Vocabulary.of_counts({"rare": 1, "often": 2}, 100, 2, contexts=1).words == [
        *SPECIAL_TOKENS,
        "often",
    ]


def test_a_sentence_is_encoded_with_both_mentions_replaced() -> None:
    vocabulary = Vocabulary.of_counts({"binds": 2, ".": 1}, 100, 1, contexts=1)
    binds, stop = vocabulary.row("binds"), vocabulary.row(".")
    assert vocabulary.encode_context("BRCA1 binds p53 now.", (0, 5), (12, 15)) == [
        ENT,
        binds,
        ENT,
        UNK,
        stop,
        END,
    ]
    assert vocabulary.encode_context("BRCA1 binds p53 now.", (0, 5), (12, 15), max_tokens=3) is None


def test_the_vocabulary_comes_back_as_written(tmp_path: Path) -> None:
    vocabulary = Vocabulary.of_counts({"naïve": 2, '"': 1}, 100, 1, contexts=1)
    vocabulary.write(tmp_path / "vocabulary.json")
    back = Vocabulary.read(tmp_path / "vocabulary.json")
    assert back.words == vocabulary.words
    np.testing.assert_array_equal(back.counts, vocabulary.counts)


@pytest.mark.parametrize("content", ["", "{}", '{"words": ["a"], "counts": [1]}', '{"words": [], "counts": [1]}'])
def test_what_is_no_vocabulary_is_refused(write, content: str) -> None:
    with pytest.raises(ArtifactError, match="is no vocabulary"):
        Vocabulary.read(write("vocabulary.json", content))
