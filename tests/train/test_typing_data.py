from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgrel.data.errors import InputError
from kgrel.data.progress import Silent
from kgrel.text.badlines import BadLines
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.lexicon import build_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.terms import Term
from kgrel.text.typing_examples import NONE, Example
from kgrel.train.typing_data import Collector, Sampled, collect
from kgrel.train.typing_settings import TypingSettings

CLASSES = [NONE, "DISEASE", "GENE"]
TERMS = [Term("GENE", "1", symbols=("ABC1", "TIS")), Term("DISEASE", "2", names=("fever",), synonyms=("TIS",))]
GOLD = "".join(
    f"{n}|t|TIS raises fever.\n{n}\t0\t3\tTIS\tGene\t1\n{n}\t11\t16\tfever\tDisease\t2\n\n" for n in range(20)
)


def test_every_item_of_a_stream_is_kept_with_the_same_probability() -> None:
    rng, kept = np.random.default_rng(0), np.zeros(20)
    for _ in range(4000):
        sampled, items = Sampled(5), [0] * 5
        for item in range(20):
            place = sampled.place(rng.random())
            if place is not None:
                items[place] = item
        kept[items] += 1
    assert kept / 4000 == pytest.approx(np.full(20, 0.25), abs=0.03)


def test_at_most_so_many_of_a_class_are_kept_and_a_sentence_is_on_one_side() -> None:
    collector = Collector(CLASSES, TypingSettings(examples=7, width=2, validation_share=0.5))
    texts = [f"we saw ABC{n} and fever" for n in range(40)]
    for text in texts:
        end = text.index(" and")
        collector.add([Example(text, 7, end, "GENE"), Example(text, end + 5, len(text), "DISEASE")])
    words, labelled = collector.finish()
    assert np.bincount(labelled.labels, minlength=3).tolist() == [0, 7, 7]
    assert labelled.windows.shape == (14, 4)
    assert {words.words[row] for row in labelled.windows[labelled.labels == 2].ravel()} == {"we", "saw", "fever", "and"}
    other = Collector(CLASSES, TypingSettings(width=2, validation_share=0.5))
    other.add(example for text in texts for example in (Example(text, 0, 2, "GENE"), Example(text, 3, 6, NONE)))
    _, labelled = other.finish()
    sides = labelled.held_out.reshape(2, 40)
    assert (sides[0] == sides[1]).all()
    assert 0 < sides[0].sum() < 40


def collected(sentences: str, tmp_path: Path):
    (tmp_path / "s.tsv").write_text("doc_id\tsentence\n" + sentences)
    (tmp_path / "gold.pubtator").write_text(GOLD)
    tagging, settings = BuildCorpusSettings(), TypingSettings(width=2, validation_share=0.3)
    tagger = DocumentTagger(build_lexicon(TERMS, tagging), tagging)
    return collect([tmp_path / "s.tsv"], [tmp_path / "gold.pubtator"], tagger, settings, BadLines(), Silent())


def test_gold_mentions_bring_the_types_that_their_name_may_have(tmp_path: Path) -> None:
    data = collected("".join(f"{n}\tABC1 in {n} raises fever\n" for n in range(300)), tmp_path)
    assert data.classes == CLASSES
    assert data.gold.types == (("DISEASE", "GENE"),) * 20
    assert (data.gold.labels == 2).all()
    assert 0 < data.gold.held_out.sum() < 20


def test_documents_without_examples_of_a_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few mentions of DISEASE"):
        collected("".join(f"{n}\tABC1 in {n} raises this\n" for n in range(300)), tmp_path)
