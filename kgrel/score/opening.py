"""Which class opens which kind of artifact: looked up by name, so that one kind loads nothing of the others."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from kgrel.data.artifact import Kind, kind_of
from kgrel.data.errors import ArtifactError
from kgrel.score.scorer import Scorer

SCORERS = {
    Kind.PAIRS: "kgrel.train.pair_model:PairModel",
    Kind.COOCCURRENCE: "kgrel.baselines.cooccurrence:Cooccurrence",
    Kind.DEGREE: "kgrel.baselines.degree:Degree",
    Kind.LABEL_ONLY: "kgrel.baselines.label_scorer:LabelOnlyScorer",
    Kind.KGE: "kgrel.baselines.kge:GraphEmbedding",
    Kind.PATH_COUNTS: "kgrel.baselines.path_counts:PathCountScorer",
    Kind.ATTENTION: "kgrel.baselines.attention:Attention",
    Kind.COMBINED: "kgrel.score.combined:Combined",
}
"""Kind → ``module:class``; the class has ``open(path)``."""


def scorer_class(kind: str) -> type:
    """The class of a kind of artifact."""
    module, _, name = SCORERS[Kind(kind)].partition(":")
    found: type = getattr(import_module(module), name)
    return found


def open_scorer(path: str | Path) -> Scorer:
    """Open any artifact that scores pairs.

    Raises:
        ArtifactError: missing, damaged, or of a kind that scores nothing.
    """
    kind = kind_of(path, Kind.PAIRS)
    if kind not in SCORERS:
        raise ArtifactError(f"{path}: holds a {kind} artifact, but a {Kind.PAIRS} artifact or a baseline is needed")
    scorer: Scorer = scorer_class(kind).open(path)  # type: ignore[attr-defined]
    return scorer
