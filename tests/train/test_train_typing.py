from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kgrel.data.artifact import LOG, Kind, open_artifact
from kgrel.data.errors import KgrelError
from kgrel.model.type_classifier import Typing
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.text.disambiguation import Question
from kgrel.text.typing_examples import NONE
from kgrel.text.windows import SPECIAL_WORDS, WindowWords
from kgrel.train import loop
from kgrel.train.train_typing import TypingBatches, TypingTask, train_typing, tune
from kgrel.train.typing_data import Labelled, TypingData
from kgrel.train.typing_settings import TypingSettings

SETTINGS = TypingSettings(
    width=4, embedding=8, hidden=8, steps=60, batch_size=32, learning_rate=0.02, warm_up_steps=1, validate_every=20,
    checkpoint_every=20, validation_share=0.2, patience=0, device="cpu",
)  # fmt: skip
GENE, DISEASE, OTHER = "expression of {} mRNA", "patients with {} died", "we {} the cells"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences in which the words around a name tell its type; WASP is a gene and a disease."""
    path, draw = tmp_path_factory.mktemp("world"), random.Random(0)
    genes, diseases = [f"gamma{n}" for n in range(30)], [f"delta{n}" for n in range(30)]
    lines = [f"{n}\t{GENE.format(draw.choice(genes))}\n" for n in range(150)]
    lines += [f"{n}\t{DISEASE.format(draw.choice(diseases))}\n" for n in range(150)]
    lines += [f"{n}\t{OTHER.format('saw')}\n" for n in range(900)]
    (path / "s.tsv").write_text("doc_id\tsentence\n" + "".join(draw.sample(lines, len(lines))))
    (path / "genes.tsv").write_text("id\tname\n1\tWASP\n" + "".join(f"{name}\t{name}\n" for name in genes))
    (path / "diseases.tsv").write_text("id\tname\n1\tWASP\n" + "".join(f"{name}\t{name}\n" for name in diseases))
    gold = [f"{n}|t|{GENE.format('WASP')}\n{n}\t14\t18\tWASP\tGene\t1\n" for n in range(40)]
    gold += [f"{n}|t|{DISEASE.format('WASP')}\n{n}\t14\t18\tWASP\tDisease\t1\n" for n in range(40, 80)]
    (path / "gold.pubtator").write_text("\n".join(gold))
    return path


def lexicons(world: Path) -> list[tuple[str, Path]]:
    return [("GENE", world / "genes.tsv"), ("DISEASE", world / "diseases.tsv")]


def trained(world: Path, out: Path, gold: bool = False) -> Typing:
    files = [world / "gold.pubtator"] if gold else []
    train_typing([world / "s.tsv"], lexicons(world), out, SETTINGS, gold=files)
    return Typing.open(out)


@pytest.fixture(scope="module")
def typing(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Typing:
    return trained(world, tmp_path_factory.mktemp("typing") / "typing")


def test_the_context_decides_what_a_name_of_several_types_means(typing: Typing) -> None:
    questions = [
        Question(text.format("WASP"), text.index("{"), text.index("{") + 4, ("DISEASE", "GENE"), True)
        for text in (GENE, DISEASE, OTHER)
    ]
    assert typing.decide(questions) == ["GENE", "DISEASE", None]


def test_the_summary_tells_examples_and_held_out_figures(typing: Typing) -> None:
    assert typing.artifact is not None
    summary = typing.artifact.manifest.summary
    assert summary["examples"].keys() == {NONE, "DISEASE", "GENE"}
    assert summary["gold_examples"] == {NONE: 0, "DISEASE": 0, "GENE": 0}
    assert summary["validation_accuracy"] > 0.95
    assert summary["tuned"]["f1"] > 0.95
    assert typing.artifact.manifest.parents.keys() == {"sentences-1", "lexicon-1-GENE", "lexicon-2-DISEASE"}


def test_gold_mentions_are_learned_from_and_tuned_on(world: Path, tmp_path: Path) -> None:
    artifact = trained(world, tmp_path / "typing", gold=True).artifact
    assert artifact is not None
    assert artifact.manifest.summary["gold_examples"] == {NONE: 0, "DISEASE": 40, "GENE": 40}
    assert 0 < artifact.manifest.summary["tuned"]["asked"] < 80
    assert "gold-1" in artifact.manifest.parents


def test_a_killed_training_ends_with_the_same_bytes(
    world: Path, typing: Typing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = loop.Run.save

    def save_and_die(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(loop.Run, "save", save_and_die)
        with pytest.raises(RuntimeError, match="killed"):
            trained(world, tmp_path / "typing")
    with pytest.raises(KgrelError, match="another seed;"):
        train_typing([world / "s.tsv"], lexicons(world), tmp_path / "typing", replace(SETTINGS, seed=1))
    assert trained(world, tmp_path / "typing").hash == typing.hash
    assert (tmp_path / "typing" / LOG).exists()
    assert open_artifact(tmp_path / "typing", Kind.TYPING).manifest.kind == "typing"


@pytest.mark.parametrize("processes", [1, 2])
def test_a_corpus_built_with_it_has_the_names_of_several_types(
    world: Path, typing: Typing, tmp_path: Path, processes: int
) -> None:
    (tmp_path / "s.tsv").write_text(
        "doc_id\tsentence\n1\texpression of WASP mRNA\n2\tgamma1 in patients with WASP died\n"
    )
    inputs = [tmp_path / "s.tsv"]
    artifact = build_corpus(inputs, lexicons(world), tmp_path / "c", disambiguator=typing, processes=processes)
    summary, corpus = artifact.manifest.summary, Corpus.open(tmp_path / "c")
    assert (summary["mentions_disambiguated"], summary["mentions_undecided"], summary["mentions"]) == (2, 0, 3)
    assert list(zip(corpus.entities.types, corpus.entities.ids, strict=True)) == [("DISEASE", "1"), ("GENE", "gamma1")]
    assert artifact.manifest.parents["typing"] == typing.hash


def data_of(labels: list[int], types: list[tuple[str, ...]]) -> TypingData:
    words = WindowWords([*SPECIAL_WORDS, "a", "b", "c"])
    own = Labelled(np.array([[4, 0], [5, 0], [6, 0]] * 2, np.int32), np.array([0, 1, 2] * 2), np.arange(6) < 3)
    windows = np.array([[4 + label, 0] for label in labels], np.int32).reshape(-1, 2)
    gold = Labelled(
        windows, np.array(labels, np.int64), np.arange(len(labels)) > 0, tuple(types), np.zeros(len(labels), np.bool_)
    )
    return TypingData(words, [NONE, "DISEASE", "GENE"], own, gold)


def test_a_batch_is_balanced_and_a_function_of_the_step() -> None:
    settings = TypingSettings(width=1, batch_size=3000, gold_share=0.2)
    batches = TypingBatches(data_of([1, 2, 2], [("GENE",)] * 3), settings)
    windows, labels = batches.batch(1)
    assert torch.equal(windows, batches.batch(1)[0])
    assert not torch.equal(windows, batches.batch(2)[0])
    assert (labels[2400:] == 1).all()  # the one gold mention that is not held out
    assert torch.bincount(labels[:2400]).tolist() == pytest.approx([800] * 3, abs=100)


def test_thresholds_are_tuned_on_what_can_be_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    # The first is not held out; the last has a type that its name cannot have.
    labels, types = [1, 1, 2, 0, 2], [("DISEASE",), ("DISEASE",), ("DISEASE", "GENE"), ("GENE",), ("DISEASE",)]
    task = TypingTask(data_of(labels, types), TypingSettings(width=1, embedding=2, hidden=2))
    p = np.array([[0.1, 0.8, 0.1], [0.1, 0.3, 0.6], [0.5, 0.1, 0.4], [0.5, 0.1, 0.4]])
    monkeypatch.setattr(task, "held_out_probabilities", lambda part: p)
    assert tune(task) == {"asked": 4, "precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert task.typing.thresholds.tolist() == pytest.approx([0.45, 0.5])


def test_without_gold_the_self_labelled_mentions_stop_the_training() -> None:
    task = TypingTask(data_of([], []), TypingSettings(width=1, embedding=2, hidden=2))
    figures = task.validate(1)
    assert figures["stop"] == figures["validation_log_p"] < 0
    assert "gold_log_p" not in figures
