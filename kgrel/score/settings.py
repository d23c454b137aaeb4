"""Settings of scoring. Loads no torch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from kgrel.data.errors import KgrelError
from kgrel.data.settings import require
from kgrel.train.settings import SplitSettings

OnUnknown = Literal["null", "error", "skip"]
OF_THE_SPLIT = frozenset(field.name for field in dataclasses.fields(SplitSettings)) - {"per_class_thresholds"}
"""What a combination has from its members."""
Evidence = Literal["all", "co-mentioned", "neighbours", "paths"]


@dataclass(frozen=True)
class ScoreSettings:
    """How a list of candidate pairs is scored."""

    on_unknown: OnUnknown = "null"
    """Rows that cannot be scored: kept with empty scores and a status, an error, or left out and counted."""
    prefix: str = ""
    """Put before the names of the added columns, e.g. where the list has a column ``score`` already."""
    uncertainty: bool = False
    """Add score_low and score_high (5 and 95 % quantile over samples and orders), entropy (mean within a sample) and
    disagreement (between samples), both in nats; epistemic_std for an ensemble of at least five seeds."""
    base_rate: tuple[str, ...] = ()
    """Share of the list's pairs of a class that are expected to be listed, as CLASS=RATE, or RATE for every class:
    moves the probabilities from the share among the validation pairs to this one."""
    chunk_rows: int = 65_536
    """Rows that are read, scored and written at a time; a whole number of tiles of 512."""


@dataclass(frozen=True)
class RankSettings:
    """Which pairs a ranking keeps."""

    top: int = 100
    """Pairs kept in all. 0 = no limit."""
    per_head: int = 0
    """Pairs kept of each source. 0 = no limit."""
    novel_only: bool = False
    """Leave out pairs that the relations table lists, in either order."""
    min_contexts: int = 0
    """Leave out targets, and sources that are not asked for by name, which fewer contexts mention, and of which little
    was learned from text. 0 = none."""
    prune_to: float = 1.0
    """Share of each source's targets that a cheap first pass (one sample at the mean) leaves for full scoring.
    1 = no pruning; the summary says how many pairs were pruned."""

    def __post_init__(self) -> None:
        for name in ("top", "per_head", "min_contexts"):
            if getattr(self, name) < 0:
                raise KgrelError(f"{name} must be at least 0, not {getattr(self, name)}")
        if not 0 < self.prune_to <= 1:
            raise KgrelError(f"prune_to must be greater than 0 and at most 1, not {self.prune_to}")


@dataclass(frozen=True)
class RaySettings:
    """Where the ray engine computes."""

    address: str = ""
    """Address of a running Ray cluster, ``auto`` for the one that this machine belongs to. Empty = Ray is started on
    this machine alone."""
    actors: int = 0
    """Processes that hold the model, each using one core. 0 = one for each core of the cluster."""


@dataclass(frozen=True)
class ProposeSettings:
    """Which pairs are proposed."""

    by: Evidence = "all"
    """``all`` pairs of the two types; those that stand together in a sentence (``co-mentioned``); those that share
    ``neighbours`` in the graph of --graph; those joined there by simple ``paths`` of at most three edges."""
    include_known: bool = False
    """Propose pairs that the relations table lists as well."""
    max_pairs: int = 0
    """Stop after so many pairs, in the order of the entities, not the best first. 0 = no limit."""


@dataclass(frozen=True)
class ClassifySettings:
    """How sentences are classified."""

    on_bad: OnUnknown = "null"
    """Rows that cannot be read: kept with empty scores and a status, an error, or left out and counted."""
    prefix: str = ""
    """Put before the names of the added columns, e.g. where the input has a column ``relation`` already."""
    chunk_rows: int = 8_192
    """Rows that are read, classified and written at a time; a killed run goes on behind the last finished chunk."""

    def __post_init__(self) -> None:
        if self.chunk_rows < 1:
            raise KgrelError(f"chunk_rows must be at least 1, not {self.chunk_rows}")


@dataclass(frozen=True)
class CombineSettings(SplitSettings):
    """How several scorers of the same pairs are weighed; the attributes of the split are those of the members.

    Raises:
        KgrelError: a value is out of range.
    """

    title: str = ""
    """What it is called in tables. Empty = the titles of the members, joined by +."""
    strengths: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0)
    """Inverse strengths of the L2 penalty on weights of standardised scores that are tried; the best average precision
    on folds of the validation pairs wins."""
    folds: int = 5
    """Parts of the validation pairs, each scored with weights from the others, for that average precision; the weights
    that are kept come from all of them."""
    least: int = 20
    """Fewest listed and fewest unlisted validation pairs of a class, both entities of each labelled, from which its
    scores are told as probabilities."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.strengths or not min(self.strengths) > 0:
            raise KgrelError(f"strengths must be one or more, greater than 0, not {self.strengths}")
        require(self, {"folds": 2, "least": 1}, (), ())

    def of_split(self, split: SplitSettings) -> CombineSettings:
        """The same with the split of the members."""
        return dataclasses.replace(self, **{name: getattr(split, name) for name in OF_THE_SPLIT})
