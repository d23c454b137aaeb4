"""What an export needs to know of the model: read from its artifact without loading its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kgrel.data.artifact import Kind, open_artifact, opens_artifact, scoring_kind
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError
from kgrel.data.json_values import parse_json

# The names are those of kgrel.train.pair_artifact, which loads torch.
ENTITIES, MODEL = "entities.parquet", "model.json"
SCORE_KINDS = {Kind.PAIRS: "posterior_predictive_mean", Kind.COMBINED: "combined_probability"}
"""Kind of artifact → what its scores are; those of a baseline are its own, such as ``kge_score``."""


@dataclass(frozen=True)
class PairArtifact:
    """The parts of an artifact that scores pairs which name its edges.

    Attributes:
        entities: what it knows.
        thresholds: relation → the score that a pair must exceed.
        score_kind: what kind of number its scores are.
        hash: of the artifact.
    """

    entities: EntityTable
    thresholds: dict[str, float]
    score_kind: str
    hash: str

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path) -> PairArtifact:
        """Read a PAIRS or COMBINED artifact or a baseline.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or its files do not fit together.
        """
        kind = scoring_kind(path)
        artifact = open_artifact(path, kind)
        try:
            model = parse_json(artifact.file(MODEL).read_bytes())
            thresholds = {str(k): float(v) for k, v in zip(model["classes"], model["thresholds"], strict=True)}
            entities = EntityTable.read(artifact.file(ENTITIES))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"{artifact.path}: {MODEL} or {ENTITIES} is damaged ({error}); train again") from None
        score_kind = SCORE_KINDS.get(kind, f"{kind.replace('-', '_')}_score")
        return cls(entities, thresholds, score_kind, artifact.hash)
