"""Which class opens which kind of artifact: looked up by name, so that one kind loads nothing of the others."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from kgrel.data.artifact import Kind, scoring_kind
from kgrel.train.pair_artifact import PairArtifact

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


def open_scorer(path: str | Path) -> PairArtifact:
    """Open any artifact that scores pairs.

    Raises:
        ArtifactError: missing, damaged, or of a kind that scores nothing.
    """
    scorer: PairArtifact = scorer_class(scoring_kind(path)).open(path)  # type: ignore[attr-defined]
    return scorer
