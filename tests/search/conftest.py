"""An index of the small world's co-mentioned pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kgrel.data.artifact import Artifact
from kgrel.model.representation import Representation
from kgrel.search.build import build_index
from kgrel.search.index import RelationIndex
from kgrel.search.settings import IndexSettings
from kgrel.search.sources import pairs_of_corpus
from kgrel.text.corpus import Corpus

SETTINGS = IndexSettings(samples=4, chunk_pairs=512, recall_queries=20)
Builder = Callable[..., Artifact]


@pytest.fixture(scope="session")
def build(representation_path: Path, corpus_path: Path, world_files: dict[str, Path]) -> Builder:
    """``build(out, settings)``: an index of the co-mentioned pairs with their relations."""

    def build(out: Path, settings: IndexSettings = SETTINGS) -> Artifact:
        representation, corpus = Representation.open(representation_path), Corpus.open(corpus_path)
        source = pairs_of_corpus(corpus, representation.entities)
        return build_index(representation, source, out, settings, corpus=corpus, relations=world_files["relations.tsv"])

    return build


@pytest.fixture(scope="session")
def index_path(build: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exact index by the cosine."""
    out = tmp_path_factory.mktemp("search") / "index"
    build(out)
    return out


@pytest.fixture(scope="session")
def index(index_path: Path) -> RelationIndex:
    """The opened index."""
    return RelationIndex.open(index_path)
