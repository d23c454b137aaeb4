from __future__ import annotations

import json
from collections import Counter
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
import torch

from kgrel.data.artifact import Kind, Manifest, create_artifact
from kgrel.data.errors import ArtifactError
from kgrel.model.type_classifier import MODEL, TILE, TypeClassifier, Typing, TypingShape, likeliest
from kgrel.text.disambiguation import Question
from kgrel.text.windows import PAD, WindowWords

CLASSES = ["NONE", "DISEASE", "GENE"]
SHAPE = TypingShape(width=3, embedding=5, hidden=4)


def typing_of(thresholds: tuple[float, float] = (0.0, 0.0)) -> Typing:
    torch.manual_seed(0)
    words = WindowWords.of_counts(Counter(["we", "saw", "that", "binds", "in"]), 20)
    return Typing(TypeClassifier(SHAPE, len(words), 3).eval(), words, CLASSES, np.array(thresholds))


def write(typing: Typing, path: Path) -> Path:
    with create_artifact(path, Manifest(Kind.TYPING, {})) as draft:
        typing.write(draft.path)
    return path


def windows(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 9, (count, 6)).astype(np.int32)


def test_probabilities_sum_to_one_and_do_not_depend_on_what_is_asked_together() -> None:
    typing, rows = typing_of(), windows(TILE + 7)
    together = typing.probabilities(rows)
    assert together.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-6)
    assert np.array_equal(together, np.concatenate([typing.probabilities(row[None]) for row in rows]))
    assert typing.probabilities(rows[:0]).shape == (0, 3)


def test_each_half_is_read_towards_the_mention() -> None:
    classifier = typing_of().classifier
    rows = torch.from_numpy(windows(1)).long()
    both = torch.nn.LSTM(5, 4, batch_first=True, bidirectional=True)
    for suffix, lstm in (("", classifier.before), ("_reverse", classifier.behind)):
        for name, weight in lstm.named_parameters():
            both.get_parameter(name + suffix).data.copy_(weight)
    before, behind = classifier.embedding(rows[:, :3]), classifier.embedding(rows[:, 3:]).flip(1)
    forward, backward = both(before)[0][0, -1, :4], both(behind)[0][0, 0, 4:]
    states = torch.cat([forward, backward])
    expected = classifier.output(classifier.hidden(states).relu()).log_softmax(0)
    torch.testing.assert_close(classifier(rows)[0], expected)


def test_the_name_itself_is_not_read() -> None:
    typing = typing_of()
    names = ("ABC1", "x", "We", "high fever")
    rows = typing.encode([(f"We saw that {name} binds", 12, 12 + len(name)) for name in names])
    assert (rows == rows[0]).all()
    assert (rows[0] == PAD).sum() == 2


def test_the_likeliest_possible_type_answers_if_it_exceeds_its_threshold() -> None:
    p = np.array([[0.1, 0.3, 0.6], [0.1, 0.3, 0.6], [0.1, 0.3, 0.6], [0.1, 0.3, 0.6]])
    best, score = likeliest([("DISEASE", "GENE"), ("DISEASE",), ("CHEMICAL",), ("CHEMICAL", "GENE")], p, CLASSES)
    assert best.tolist() == [1, 0, -1, 1]
    assert score.tolist() == [0.6, 0.3, 0.0, 0.6]
    question = Question("We saw that X binds", 12, 13, ("DISEASE", "GENE"), False)
    _, disease, gene = typing_of().probabilities(typing_of().encode([question[:3]]))[0]
    likely = "DISEASE" if disease > gene else "GENE"
    assert typing_of().decide([question]) == [likely]
    assert typing_of((max(disease, gene),) * 2).decide([question]) == [None]
    assert typing_of().decide([question._replace(types=("CHEMICAL",))]) == [None]
    assert typing_of().decide([]) == []


def test_a_contested_name_needs_the_likeliest_class_and_another_its_threshold() -> None:
    p = np.array([[0.5, 0.4, 0.1], [0.2, 0.5, 0.3], [0.5, 0.4, 0.1], [0.2, 0.5, 0.3], [1.0, 0.0, 0.0]])
    best, score = likeliest([("DISEASE",)] * 4 + [("CHEMICAL",)], p, CLASSES)
    contested = np.array([True, True, False, False, True])
    assert typing_of((0.3, 0)).accepts(best, score, p, contested).tolist() == [False, True, True, True, False]
    assert typing_of((0.6, 0)).accepts(best, score, p, contested).tolist() == [False, True, False, False, False]


def test_an_artifact_comes_back_as_written_and_travels_as_its_path(tmp_path: Path) -> None:
    typing = typing_of((0.25, 0.5))
    opened = Typing.open(write(typing, tmp_path / "typing"))
    sent = ForkingPickler.loads(bytes(ForkingPickler.dumps(opened)))
    for other in (opened, sent):
        assert (other.words, other.classes, other.thresholds.tolist()) == (typing.words, CLASSES, [0.25, 0.5])
        assert np.array_equal(other.probabilities(windows(9)), typing.probabilities(windows(9)))
    assert sent.hash == opened.hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thresholds": [0.5]}, "3 classes but 1 thresholds"),
        ({"shape": {"width": 3}}, "missing"),
        ({"shape": {"width": 3, "embedding": 5, "hidden": 8}}, "does not fit"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with create_artifact(tmp_path / "typing", Manifest(Kind.TYPING, {})) as draft:
        typing_of().write(draft.path)
        model = json.loads((draft.path / MODEL).read_text()) | change
        (draft.path / MODEL).write_text(json.dumps(model))
    with pytest.raises(ArtifactError, match=message):
        Typing.open(tmp_path / "typing")
