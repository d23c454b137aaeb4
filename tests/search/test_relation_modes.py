"""What is told of each mode of a pair, and what is left out and said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.model.representation import Representation
from kgrel.search.index import RelationIndex
from kgrel.search.relation_modes import relation_modes
from kgrel.search.settings import ModeSettings
from kgrel.search.show import text_modes
from kgrel.text.corpus import Corpus
from kgrel.text.evidence import EvidenceIndex

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
