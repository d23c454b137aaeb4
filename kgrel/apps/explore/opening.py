"""Opening what the page shows."""

from __future__ import annotations

from pathlib import Path

from kgrel.apps.edge_paths import PathFinder
from kgrel.apps.explain import refuse_others
from kgrel.apps.explore.predictions import co_mentioned, read_predictions
from kgrel.apps.explore.reviews import Reviews
from kgrel.apps.explore.settings import ExploreSettings
from kgrel.apps.explore.workbench import Workbench
from kgrel.data.errors import InputError
from kgrel.data.progress import Progress, Silent
from kgrel.data.tables import Format
from kgrel.model.representation import Representation
from kgrel.score.pair_scorer import PairScorer
from kgrel.search.index import RelationIndex
from kgrel.text.corpus import Corpus


def open_workbench(
    pairs: str | Path,
    reviews: str | Path,
    settings: ExploreSettings | None = None,
    *,
    predictions: str | Path | None = None,
    format: Format | None = None,
    index: str | Path | None = None,
    corpus: str | Path | None = None,
    graph: str | Path | None = None,
    representation: str | Path | None = None,
    progress: Progress | None = None,
) -> Workbench:
    """Open everything that is given.

    Args:
        pairs: a PAIRS artifact or a baseline.
        reviews: SQLite file, made if it is not there.
        predictions: list of pairs; without one, co-mentioned pairs that no table lists.
        graph: a GRAPH or an edge table.

    Raises:
        ArtifactError: one is missing, damaged, of another kind, or does not belong to the others.
        InputError: the list, the edge table or the file of reviews cannot be read.
    """
    settings, progress = settings or ExploreSettings(), progress or Silent()
    scorer = PairScorer.load(pairs)
    opened_index = RelationIndex.open(index) if index is not None else None
    opened_corpus = Corpus.open(corpus) if corpus is not None else None
    finder = PathFinder.open(graph, scorer.model.entities) if graph is not None else None
    opened = Representation.open(representation) if representation is not None else None
    refuse_others(scorer.model, pairs, opened_index, opened)
    found = (
        read_predictions(predictions, scorer.model, format, progress)
        if predictions is not None
        else co_mentioned(scorer.model, settings.candidates, progress)
    )
    kept = Reviews(reviews)  # last: what cannot be shown leaves no empty file
    return Workbench(
        scorer, found, kept, settings, Path(pairs).resolve().name, opened_corpus, opened_index, finder, opened
    )  # fmt: skip


def existing_reviews(path: str | Path) -> Reviews:
    """A file of reviews that must be there.

    Raises:
        InputError: there is none, or it holds something else.
    """
    if not Path(path).is_file():
        raise InputError(path, "no such file; kgrel explore writes one")
    return Reviews(path)
