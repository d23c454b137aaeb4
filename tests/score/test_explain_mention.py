from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgrel.data.errors import KgrelError
from kgrel.score.explain_mention import Explanation, explain_mention, html_page
from kgrel.text.mentions import Statement, mark_finder, statement_of
from kgrel.train.mention_model import MentionModel


def read(text: str) -> Statement | str:
    return statement_of(text, mark_finder(())(text))


def test_the_verb_carries_the_decision(mentions_path: Path) -> None:
    model = MentionModel.open(mentions_path)
    found = explain_mention(model, read("in study1 the @GENE$ always treats severe @DISEASE$ ."))
    assert (found.relation, found.about) == ("treats", "treats")
    assert found.words[int(np.abs(found.weights).argmax())] == "treats"
    assert found.weights[found.words.index("treats")] > 0
    assert found.weights[found.words.index("[GENE]")] == 0


def test_what_cannot_be_explained_is_said(mentions_path: Path) -> None:
    model = MentionModel.open(mentions_path)
    with pytest.raises(KgrelError, match="only one entity"):
        explain_mention(model, read("the @GENE$ ."))
    with pytest.raises(KgrelError, match="GENE and PLANET"):
        explain_mention(model, read("the @GENE$ and @PLANET$ ."))
    with pytest.raises(KgrelError, match="no relation 'cures'"):
        explain_mention(model, read("the @GENE$ and @DISEASE$ ."), about="cures")


def test_a_page_escapes_what_it_shows() -> None:
    page = html_page(Explanation("a&b", "a&b", 0.5, ["<b>", "x"], np.array([1.0, -0.5])))
    assert "&lt;b&gt;" in page
    assert "a&amp;b" in page
    assert "<b>" not in page
