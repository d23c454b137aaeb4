"""A workbench over the artifacts of the small world."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.apps.explore.opening import open_workbench
from kgrel.apps.explore.settings import ExploreSettings
from kgrel.apps.explore.workbench import Workbench
from kgrel.model.representation import Representation
from kgrel.search.build import build_index
from kgrel.search.settings import IndexSettings
from kgrel.search.sources import pairs_of_corpus
from kgrel.text.corpus import Corpus


@pytest.fixture(scope="session")
def index_path(representation_path: Path, corpus_path: Path) -> Path:
    """An INDEX of the pairs of the small world."""
    out = corpus_path.with_name("explored-index")
    representation = Representation.open(representation_path)
    source = pairs_of_corpus(Corpus.open(corpus_path), representation.entities)
    build_index(representation, source, out, IndexSettings(samples=2, recall_queries=0))
    return out


@pytest.fixture(scope="module")
def workbench(
    pairs_path: Path,
    corpus_path: Path,
    index_path: Path,
    representation_path: Path,
    world_files: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Workbench:
    """Everything given, and no review yet."""
    return open_workbench(
        pairs_path, tmp_path_factory.mktemp("reviews") / "reviews.sqlite", ExploreSettings(candidates=300, sentences=2),
        corpus=corpus_path, graph=world_files["edges.sif"], index=index_path, representation=representation_path,
    )  # fmt: skip
