"""In a generated world, pairs with two planted relations have two modes, and those with one have one.

What the world must have for it: sentences that tell a relation by several words that come together. Told by one word, a
sentence is as likely under one mean relation as under a mixture of two, and nothing could tell them apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.model.representation import Representation
from kgrel.search.relation_modes import relation_modes
from kgrel.search.settings import ModeSettings
from kgrel.synthetic.vocabulary import KINDS
from kgrel.synthetic.world import World, make_world
from kgrel.synthetic.world_files import write_world
from kgrel.synthetic.world_settings import WorldSettings
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PretrainSettings

FINDINGS = {word: kind.metaedge for kind in KINDS for word in kind.findings}
PAIRS = 40
"""Most pairs of either kind that are asked."""
SETTINGS = ModeSettings(words=5, bootstraps=20)


def world(seed: int) -> World:
    """Two modules, and in each class one whose pairs stand in two relations; sentences say what is true."""
    return make_world(
        WorldSettings(
            seed=seed, genes=60, diseases=40, chemicals=40, modules=2, second_module=0.0, dual_modules=0.5,
            background_rate=0.0, pairs=700, sentences=12_000, candidates=100, findings=8, third_rate=0.0,
            related_stated=1.0, related_negated=0.0, unrelated_stated=0.0, unrelated_negated=0.0,
        )
    )  # fmt: skip


def pretrained(world: World, seed: int, place: Path) -> Representation:
    """A representation whose u is alive: the recogniser's, with a KL term that grows slowly."""
    files = write_world(world, place / "world")
    lexicons = [("GENE", files["genes.tsv"]), ("DISEASE", files["diseases.tsv"]), ("CHEMICAL", files["chemicals.tsv"])]
    build_corpus([files["sentences.tsv"]], lexicons, place / "corpus")
    settings = PretrainSettings(
        size="tiny", steps=16_000, batch_size=128, schedule="cosine", posterior="recogniser", kl_steps=12_000,
        bag_smoothing=0.003, probe_every=0, precision="fp32", device="cpu", seed=seed,
    )  # fmt: skip
    pretrain(Corpus.open(place / "corpus"), place / "repr", settings)
    return Representation.open(place / "repr")


def asked(world: World, relations: int) -> list[tuple[int, int]]:
    """Co-mentioned pairs with so many relations."""
    found = [(int(x), int(y)) for x, y in world.pairs if len(world.metaedges(x, y)) == relations]
    return [found[row] for row in np.random.default_rng(0).permutation(len(found))[:PAIRS]]


def modes(world: World, representation: Representation, pair: tuple[int, int]) -> list[dict[str, Any]]:
    first, second = (f"{world.entities[row].type}::{world.entities[row].id}" for row in pair)
    told: list[dict[str, Any]] = relation_modes(representation, first, second, SETTINGS)["modes"]
    return told


def relation_of(mode: dict[str, Any]) -> str | None:
    """The relation that most of a mode's words belong to."""
    told = [FINDINGS.get(word) for word in mode["words"]]
    return max(told, key=told.count)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_planted_relations_are_two_modes(seed: int, tmp_path: Path) -> None:
    planted = world(17 + seed)
    representation = pretrained(planted, seed, tmp_path)
    assert representation.artifact is not None
    print("active units of u:", representation.artifact.manifest.summary["validation_u_active_units"])
    two, one = asked(planted, 2), asked(planted, 1)
    found = [modes(planted, representation, pair) for pair in two]
    right = [
        {relation_of(mode) for mode in told} == set(planted.metaedges(*pair)) and len(told) == 2
        for pair, told in zip(two, found, strict=True)
    ]
    several = [len(modes(planted, representation, pair)) > 1 for pair in one]
    print("two modes, both relations right:", np.mean(right), "; one relation, several modes:", np.mean(several))
    assert np.mean(right) >= 0.8
    assert np.mean(several) <= 0.1
