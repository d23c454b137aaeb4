"""Killed at any moment with SIGKILL and started again, a command ends with the same bytes."""

from __future__ import annotations

import dataclasses
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from kgrel.data.artifact import LOG, MANIFEST, UNFINISHED, Artifact
from kgrel.data.settings import to_json
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train.pretrain import pretrain
from kgrel.train.run import TRIES
from kgrel.train.settings import PairSettings, PretrainSettings
from kgrel.train.train_pairs import train_pairs

PRETRAIN = PretrainSettings(
    size="tiny",
    steps=90,
    batch_size=48,
    posterior="recogniser",
    decoder_weight=1.0,
    kl_steps=50,
    validation_share=0.05,
    validate_every=6,
    checkpoint_every=4,
    device="cpu",
    seed=3,
)
PAIRS = PairSettings(
    steps=200,
    batch_size=64,
    batch_negatives=40,
    validate_every=20,
    checkpoint_every=7,
    patience=30,
    device="cpu",
)
PATIENCE = 900.0
"""Seconds after which a child that does not come on is given up."""


def command(verb: str, settings: PretrainSettings | PairSettings, arguments: Sequence[str | Path]) -> list[str]:
    """The verb with every setting that is not the default as an option."""
    defaults = to_json(type(settings)())
    given = [(name, value) for name, value in to_json(settings).items() if value != defaults[name]]
    options = [text for name, value in given for text in (f"--{name.replace('_', '-')}", str(value))]
    return [sys.executable, "-m", "kgrel_cli", verb, *map(str, arguments), *options]


def progress_of(out: Path) -> int:
    """Lines of the log and the newest checkpoint's step; of a run that tries several ways, of all together."""
    return sum(map(progress_of_one, [out, *sorted((out / TRIES).glob("*"))]))


def progress_of_one(run: Path) -> int:
    try:
        lines = (run / LOG).read_text(encoding="utf-8").count("\n")
        return lines + max((int(path.name[-9:]) for path in run.glob("checkpoint-*")), default=0)
    except FileNotFoundError:
        return 0


def kill_at_a_random_moment(arguments: list[str], out: Path, most: int) -> None:
    """Start the command and kill it some time after its run has come so far."""
    seed = random.randrange(2**32)
    print(f"moment of the kill: seed {seed}")
    rng = random.Random(seed)
    wanted, delay = rng.randrange(most), rng.random() * 0.05
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        limit = time.monotonic() + PATIENCE
        while child.poll() is None and (not out.exists() or progress_of(out) < wanted):
            assert time.monotonic() < limit, "the run does not come on"
            time.sleep(0.002)
        time.sleep(delay)
        child.kill()
    print(f"asked for progress {wanted}, killed at {progress_of(out)}, exit status {child.returncode}")
    assert (out / UNFINISHED).exists(), "the run was over before it could be killed; raise its steps"


def assert_same(out: Path, undisturbed: Artifact) -> None:
    """The same files with the same bytes, clock and host aside; and nothing of an unfinished run."""
    files = undisturbed.manifest.files
    assert {path.name for path in out.iterdir()} == {*files, MANIFEST, LOG, "run.json"}
    for name in (*files, MANIFEST):
        assert (out / name).read_bytes() == (undisturbed.path / name).read_bytes(), name
    assert not [path.name for path in out.parent.iterdir() if path.name.startswith(".")]


def finish(arguments: list[str]) -> None:
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_killed_pretraining_ends_with_the_same_bytes(corpus_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    arguments = command("pretrain", PRETRAIN, [corpus_path, "--out", out])
    kill_at_a_random_moment(arguments, out, most=80)
    finish(arguments)
    assert_same(out, pretrain(Corpus.open(corpus_path), tmp_path / "whole", PRETRAIN))


def test_a_killed_pair_training_ends_with_the_same_bytes(
    corpus_path: Path, representation_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    """Here the library goes on with what the command began, which spares a start."""
    out, relations = tmp_path / "killed", world_files["relations.tsv"]
    inputs = [representation_path, "--corpus", corpus_path, "--relations", relations, "--out", out]
    kill_at_a_random_moment(command("train-pairs", PAIRS, inputs), out, most=380)
    opened = Representation.open(representation_path), Corpus.open(corpus_path)
    train_pairs(*opened, relations, out, PAIRS)
    assert_same(out, train_pairs(*opened, relations, tmp_path / "whole", PAIRS))


@pytest.mark.nightly
@pytest.mark.parametrize("attempt", range(8))
def test_a_pretraining_killed_again_and_again_ends_with_the_same_bytes(
    corpus_path: Path, tmp_path: Path, attempt: int
) -> None:
    settings = dataclasses.replace(PRETRAIN, seed=attempt)
    out = tmp_path / "killed"
    arguments = command("pretrain", settings, [corpus_path, "--out", out])
    for _ in range(3):
        kill_at_a_random_moment(arguments, out, most=80)
    finish(arguments)
    assert_same(out, pretrain(Corpus.open(corpus_path), tmp_path / "whole", settings))
