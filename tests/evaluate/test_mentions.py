from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.errors import KgrelError
from kgrel.evaluate.mentions import evaluate_mentions
from kgrel.text.mention_readers import MentionReader
from kgrel.train.mention_model import MentionModel


def test_what_was_learned_is_found_again(mentions_path: Path, mention_sentences: Path) -> None:
    report = evaluate_mentions(MentionModel.open(mentions_path), MentionReader(mention_sentences))
    assert report["sentences"] == 120
    assert report["f1"] > 0.9
    assert report["by_class"]["causes"]["support"] == 40


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("sentence\na @GENE$ in @DISEASE$\n", "no column of labels"),
        ("sentence\tlabel\na @GENE$ in @DISEASE$\ttreat\n", "line 2: the label 'treat' was not there.*did you mean"),
        ("sentence\tlabel\na @GENE$\t0\n", "line 2: only one entity"),
        ("sentence\tlabel\na @GENE$ in @PLANET$\t0\n", "line 2: no relation between entities of these two types"),
    ],
)
def test_bad_sentences_are_named(mentions_path: Path, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "s.tsv").write_text(content)
    with pytest.raises(KgrelError, match=message):
        evaluate_mentions(MentionModel.open(mentions_path), MentionReader(tmp_path / "s.tsv"))
