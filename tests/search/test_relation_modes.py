"""What is told of each mode of a pair, and what is left out and said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM
from kgrel.model.representation import Representation
from kgrel.search.index import RelationIndex
from kgrel.search.relation_modes import relation_modes, said
from kgrel.search.settings import ModeSettings
from kgrel.search.show import text_modes
from kgrel.text.corpus import Corpus
from kgrel.text.evidence import EvidenceIndex
from kgrel.text.tokens import SPECIAL_TOKENS

SETTINGS = ModeSettings(samples=512, bootstraps=3)


@pytest.fixture(scope="module")
def representation(representation_path: Path) -> Representation:
    return Representation.open(representation_path)


def test_modes_are_told_with_words_pairs_and_sentences(
    representation: Representation, index: RelationIndex, corpus_path: Path
) -> None:
    corpus = Corpus.open(corpus_path)
    pair = int(corpus.pairs.counts.argmax())
    first, second = (int(side[pair]) for side in (corpus.pairs.heads, corpus.pairs.tails))
    names = [f"{corpus.entities.types[row]}::{corpus.entities.ids[row]}" for row in (first, second)]
    found = relation_modes(representation, *names, SETTINGS, index=index, corpus=corpus)
    assert found["omitted"] == {}
    assert sum(mode["share"] for mode in found["modes"]) == pytest.approx(1.0)
    told = [one["sentence"] for mode in found["modes"] for one in mode["sentences"]]
    known = [one.text for one in EvidenceIndex.of(corpus).sentences(first, second)]
    assert told
    assert set(told) <= set(known)
    assert all(pair["relation"] for mode in found["modes"] for pair in mode["pairs"])
    assert all(len(mode["words"]) == SETTINGS.words for mode in found["modes"])
    assert found["u"]["active_units"] is not None
    assert "mode 1:" in text_modes(found)


def test_what_is_not_given_is_left_out_and_said(
    representation: Representation, index: RelationIndex, corpus_path: Path
) -> None:
    names = [f"{representation.entities.types[row]}::{representation.entities.ids[row]}" for row in (0, 1)]
    found = relation_modes(representation, *names, SETTINGS)
    assert found["omitted"] == {"pairs": "no index was given", "sentences": "no corpus was given"}
    assert "left out: pairs, no index was given" in text_modes(found)
    assert representation.artifact is not None
    manifest = representation.artifact.manifest
    blind = dataclasses.replace(manifest, settings=manifest.settings | {"posterior": "prior"})
    unread = dataclasses.replace(representation, artifact=dataclasses.replace(representation.artifact, manifest=blind))
    said = relation_modes(unread, *names, SETTINGS, corpus=Corpus.open(corpus_path))["omitted"]["sentences"]
    assert "posterior prior" in said


def test_an_index_of_another_model_and_equal_entities_are_refused(
    representation: Representation, index: RelationIndex
) -> None:
    assert representation.artifact is not None
    other = dataclasses.replace(representation, artifact=dataclasses.replace(representation.artifact, hash="0" * 64))
    names = [f"{representation.entities.types[row]}::{representation.entities.ids[row]}" for row in (0, 1)]
    with pytest.raises(ArtifactError, match="build an index of the same representation"):
        relation_modes(other, *names, SETTINGS, index=index)
    with pytest.raises(KgrelError, match="same entity"):
        relation_modes(representation, names[0], names[0], SETTINGS)


WORDS = 40


@pytest.fixture
def drawn() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5, SIZES["tiny"].z))


def test_what_z_says_is_what_the_decoder_of_words_says_of_it(drawn: np.ndarray) -> None:
    model = RELVM(SIZES["tiny"], 6, WORDS, bag_of_words=True)
    z = torch.tensor(drawn, dtype=torch.float32).unsqueeze(1)
    words = [torch.full((5, 1), row) for row in range(len(SPECIAL_TOKENS), WORDS)]
    logs = torch.cat([model.bag_log_likelihood(z, word, torch.ones(5)) for word in words], dim=1)
    wanted = logs.softmax(dim=1).detach().numpy()  # the special tokens are no words
    found = said(model, drawn)
    np.testing.assert_allclose(found[:, len(SPECIAL_TOKENS) :] ** 2, wanted, rtol=1e-4)
    assert (found[:, : len(SPECIAL_TOKENS)] == 0).all()


def test_without_one_z_says_what_it_adds_to_the_sentence_decoder(drawn: np.ndarray) -> None:
    model = RELVM(SIZES["tiny"], 6, WORDS, bag_of_words=False)
    assert model.bag_decoder is None
    found = said(model, drawn)
    np.testing.assert_allclose((found**2).sum(axis=1), 1.0, rtol=1e-6)
    assert (found[:, : len(SPECIAL_TOKENS)] == 0).all()
    assert np.abs(found - found[0]).max() > 1e-4
    with torch.no_grad():
        model.decoder.output.weight[:, -model.dimensions.z :] = 0  # z has no way left to a word
    mute = said(model, drawn)
    np.testing.assert_allclose(mute, np.broadcast_to(mute[0], mute.shape), rtol=1e-6)
