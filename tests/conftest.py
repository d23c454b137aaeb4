"""The generated world in small, and each artifact of the line made from it once a session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings as hypothesis_settings

from kgrel.model.representation import Representation
from kgrel.synthetic import WorldSettings, make_world, write_world
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.text.mention_readers import MentionReader
from kgrel.train.mention_settings import MentionSettings
from kgrel.train.pair_model import PairModel
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PairSettings, PretrainSettings
from kgrel.train.train_mentions import train_mentions
from kgrel.train.train_pairs import train_pairs
from tests.members import few_steps
from tests.network import stay_here

stay_here()
# The suite runs several processes, whose threads would only get in each other's way. Child processes must have as many:
# the number of threads decides the order of sums, and so the last bits.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"
hypothesis_settings.register_profile("shared machine", deadline=None)
hypothesis_settings.load_profile("shared machine")

TINY_PRETRAIN = PretrainSettings(
    size="tiny",
    steps=30,
    batch_size=64,
    validate_every=15,
    checkpoint_every=10,
    decoder_weight=1.0,
    posterior="recogniser",
    precision="fp32",
    device="cpu",
)
TINY_PAIRS = PairSettings(
    fine_tune="none",
    steps=40,
    batch_size=64,
    batch_negatives=48,
    validate_every=20,
    checkpoint_every=10,
    learning_rate=1e-3,
    device="cpu",
)

TINY_MENTIONS = MentionSettings(
    steps=90, batch_size=16, learning_rate=0.01, pooling="max", validate_every=30, checkpoint_every=30, patience=0,
    validation_share=0.25, word_dropout=0.0, prediction_samples=4, precision="fp32", device="cpu",
)  # fmt: skip


@pytest.fixture(scope="session")
def world_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of a small world by name, as ``write_world`` gives them."""
    return write_world(make_world(WorldSettings.small()), tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def corpus_path(world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CORPUS artifact of the small world."""
    out = tmp_path_factory.mktemp("artifacts") / "corpus"
    lexicons = [("GENE", world_files["genes.tsv"]), ("DISEASE", world_files["diseases.tsv"])]
    build_corpus([world_files["sentences.tsv"]], [*lexicons, ("CHEMICAL", world_files["chemicals.tsv"])], out)
    return out


@pytest.fixture(scope="session")
def representation_path(corpus_path: Path) -> Path:
    """A REPR artifact of the small world, barely trained."""
    out = corpus_path.with_name("repr")
    pretrain(Corpus.open(corpus_path), out, TINY_PRETRAIN)
    return out


@pytest.fixture(scope="session")
def pairs_path(corpus_path: Path, representation_path: Path, world_files: dict[str, Path]) -> Path:
    """A PAIRS artifact of the small world, barely trained."""
    out = corpus_path.with_name("pairs")
    representation = Representation.open(representation_path)
    train_pairs(representation, Corpus.open(corpus_path), world_files["relations.tsv"], out, TINY_PAIRS)
    return out


@pytest.fixture(scope="session")
def pair_model(pairs_path: Path) -> PairModel:
    """The opened PAIRS artifact."""
    return PairModel.open(pairs_path)


def stated(number: int) -> tuple[str, str]:
    """A sentence and its label: a verb between the mentions states the relation, or says that there is none."""
    verb, label = (("activates", "causes"), ("treats", "treats"), ("ignores", "0"))[number % 3]
    first, second = ("@GENE$", "@DISEASE$") if number % 2 else ("@DISEASE$", "@GENE$")
    return f"in study{number % 7} the {first} always {verb} severe {second} .", label


@pytest.fixture(scope="session")
def mention_sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of labelled sentences, three classes."""
    path = tmp_path_factory.mktemp("sentences") / "sentences.tsv"
    rows = ["\t".join((str(number), *stated(number))) for number in range(120)]
    path.write_text("\n".join(["number\tsentence\tlabel", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def mentions_path(representation_path: Path, mention_sentences: Path) -> Path:
    """A MENTIONS artifact that has learned what those sentences state."""
    out = representation_path.with_name("mentions")
    train_mentions(Representation.open(representation_path), MentionReader(mention_sentences), out, TINY_MENTIONS)
    return out


@pytest.fixture
def tiny_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let train-combined train its members in a moment."""
    few_steps(monkeypatch)
