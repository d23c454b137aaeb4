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
from kgrel.train.pair_model import PairModel
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PairSettings, PretrainSettings
from kgrel.train.train_pairs import train_pairs

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
    steps=40,
    batch_size=64,
    batch_negatives=48,
    validate_every=20,
    checkpoint_every=10,
    learning_rate=1e-3,
    device="cpu",
)


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
