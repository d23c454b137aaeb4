from __future__ import annotations

import numpy as np

from kgrel.baselines.tfidf import TfidfClassifier, Worded

CONTEXTS = [["<ENT>", verb, "<ENT>", "<END>"] for verb in ("causes", "ignores") for _ in range(8)]
TYPES = [("GENE", "DISEASE")] * 16
LABELS = np.repeat([2, 0], 8)


def test_it_tells_verbs_apart_and_gives_absent_classes_nothing() -> None:
    sentences = Worded(CONTEXTS, TYPES)
    model = TfidfClassifier(sentences, LABELS, sentences, LABELS, classes=3)
    p = model.predict(sentences)
    assert (p.argmax(axis=1) == LABELS).all()
    assert (p[:, 1] == 0).all()
    assert np.allclose(p.sum(axis=1), 1)


def test_a_mention_is_its_type_in_order() -> None:
    (terms,) = Worded([["<ENT>", "and", "<ENT>"]], [("GENE", "DISEASE")]).terms()
    assert terms == ["<GENE>", "and", "<DISEASE>", "<GENE> and", "and <DISEASE>"]
