from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from kgrel.data.artifact import Kind, open_artifact
from kgrel.data.errors import KgrelError
from kgrel.data.settings import from_json
from kgrel.model.representation import Representation
from kgrel.text.mention_readers import MentionReader
from kgrel.train import loop
from kgrel.train.mention_data import LabelledSentences, find_classes, hold_out, read_labelled
from kgrel.train.mention_model import MentionModel
from kgrel.train.mention_settings import MENTION_RECIPES, MentionSettings
from kgrel.train.train_mentions import start_classifier, train_mentions


@pytest.fixture(scope="module")
def data(mention_sentences: Path) -> LabelledSentences:
    return read_labelled(MentionReader(mention_sentences))


@pytest.fixture(scope="module")
def representation(representation_path: Path) -> Representation:
    return Representation.open(representation_path)


@pytest.fixture(scope="module")
def settings(mentions_path: Path) -> MentionSettings:
    return from_json(MentionSettings, open_artifact(mentions_path, Kind.MENTIONS).manifest.settings)


def test_it_learns_what_the_verb_says(mentions_path: Path, data: LabelledSentences) -> None:
    model = MentionModel.open(mentions_path)
    assert model.classes == ["0", "causes", "treats"]
    mean, std = model.predict(model.encode(data.contexts, data.types))
    given, _, _ = model.decide(mean)
    right = np.array([model.classes[number] for number in given]) == np.array(data.labels)
    assert right.mean() > 0.9
    assert np.allclose(mean.sum(axis=1), 1)
    assert (std >= 0).all()


def test_a_score_is_a_function_of_the_sentence_alone(mentions_path: Path, data: LabelledSentences) -> None:
    model = MentionModel.open(mentions_path)
    long = [["w"] * 40 + context for context in data.contexts[:3]]
    together = model.predict(model.encode([*data.contexts, *long], [*data.types, *data.types[:3]]))[0]
    for row in (0, 77, 119):
        alone = model.predict(model.encode([data.contexts[row]], [data.types[row]]))[0]
        assert np.array_equal(alone[0], together[row])


def test_resumed_after_a_kill_it_ends_with_the_same_bytes(
    representation: Representation,
    mention_sentences: Path,
    mentions_path: Path,
    settings: MentionSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip, steps = loop.clip_gradients, []

    def killed(module: torch.nn.Module, limit: float, step: int) -> None:
        steps.append(step)
        if step == 47:
            raise KeyboardInterrupt
        clip(module, limit, step)

    monkeypatch.setattr(loop, "clip_gradients", killed)
    with pytest.raises(KeyboardInterrupt):
        train_mentions(representation, MentionReader(mention_sentences), tmp_path / "m", settings)
    monkeypatch.setattr(loop, "clip_gradients", lambda m, limit, step: (steps.append(step), clip(m, limit, step)))
    resumed = train_mentions(representation, MentionReader(mention_sentences), tmp_path / "m", settings)
    assert steps[47] == 31
    assert resumed.manifest.files == open_artifact(mentions_path, Kind.MENTIONS).manifest.files


def test_only_the_named_parts_are_trained(representation: Representation, data: LabelledSentences) -> None:
    classes = find_classes(data.labels, "", "x")
    frozen = start_classifier(representation, data, classes, MentionSettings(fine_tune=("words",))).classifier
    trained = {name.split(".")[0] for name, p in frozen.named_parameters() if p.requires_grad}
    assert trained == {"word_embedding", "classifier"}


def test_pretrained_words_and_recogniser_are_taken_over_and_new_words_added(
    representation: Representation, data: LabelledSentences
) -> None:
    classes = find_classes(data.labels, "", "x")
    model = start_classifier(representation, data, classes, MentionSettings())
    old = len(representation.words)
    assert "study3" in model.words[old:]
    assert torch.equal(model.classifier.word_embedding.weight[:old], representation.model.word_embedding.weight)
    given = representation.model.recogniser.state_dict()
    assert all(torch.equal(value, given[name]) for name, value in model.classifier.recogniser.state_dict().items())
    fresh = start_classifier(representation, data, classes, MentionSettings(start="random"))
    assert not torch.equal(fresh.classifier.word_embedding.weight[:old], representation.model.word_embedding.weight)


def test_identical_sentences_validate_together(data: LabelledSentences) -> None:
    labels = np.array([["0", "causes", "treats"].index(label) for label in data.labels])
    held = hold_out(data.groups(), labels, MentionSettings(validation_share=0.2))
    assert not set(data.groups()[held]) & set(data.groups()[~held])
    assert {*labels[held]} == {*labels[~held]} == {0, 1, 2}
    with pytest.raises(KgrelError, match="too few"):
        hold_out(np.zeros(4, np.int64), np.array([0, 1, 0, 1]), MentionSettings())


def test_classes_and_their_negative() -> None:
    assert find_classes(["b", "No", "a"], "", "x") == ["No", "a", "b"]
    assert find_classes(["b", "a"], "", "x") == ["NO-RELATION", "a", "b"]
    assert find_classes(["b", "a"], "b", "x") == ["b", "a"]
    with pytest.raises(KgrelError, match="every sentence has the label 'a'"):
        find_classes(["a", "a"], "", "x")
    with pytest.raises(KgrelError, match="no sentence has the label 'c'"):
        find_classes(["a", "b"], "c", "x")


def test_unreadable_sentences_are_refused_or_counted(tmp_path: Path) -> None:
    path = tmp_path / "s.tsv"
    path.write_text("sentence\tlabel\na @GENE$ in @DISEASE$\t1\na @GENE$\t0\nb @GENE$ in @DISEASE$\t\n")
    with pytest.raises(KgrelError, match="line 3: only one entity is marked"):
        read_labelled(MentionReader(path))
    data = read_labelled(MentionReader(path), skip=True)
    assert (len(data), dict(data.left_out)) == (1, {"one_mark": 1, "no_label": 1})


@pytest.mark.parametrize(
    "changes", [{"fine_tune": ("word",)}, {"steps": -1}, {"validation_share": 0.0}, {"word_dropout": 1.0}]
)
def test_values_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(KgrelError):
        dataclasses.replace(MENTION_RECIPES["paper"], **changes)  # type: ignore[arg-type]
