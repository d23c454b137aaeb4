"""What all edges of one export have in common: model, run, publisher, date."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from kgrel.data.errors import KgrelError
from kgrel.data.files import canonical_json, sha256_of
from kgrel.export.biolink import require_infores, require_text
from kgrel.export.mapping import Mapping
from kgrel.export.record import DATE
from kgrel.export.settings import ExportSettings


@dataclass(frozen=True)
class Provenance:
    """The values that every edge of an export carries."""

    primary_knowledge_source: str
    model_id: str
    model_version: str
    run_id: str
    date: str
    supporting_data_source: tuple[str, ...] = ()
    supporting_data_set: tuple[str, ...] = ()
    thresholds: dict[str, float] = field(default_factory=dict)
    """Relation → the score that its pairs had to exceed."""
    score_kind: str | None = None
    """What kind of number the scores are, see :attr:`kgrel.export.model.PairArtifact.score_kind`."""
    parents: dict[str, str] = field(default_factory=dict)
    """Role → hash of what the edges were made of."""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> tuple[str, str]:
        """Name and version."""
        return self.model_id, self.model_version

    def constants(self) -> dict[str, Any]:
        """Field of the edge → value."""
        return {
            "knowledge_level": "prediction",
            "agent_type": "computational_model",
            "primary_knowledge_source": self.primary_knowledge_source,
            "supporting_data_source": self.supporting_data_source,
            "supporting_data_set": self.supporting_data_set,
            "update_date": self.date,
            "negated": False,
            "kgrel_score_kind": self.score_kind,
            "kgrel_model_id": self.model_id,
            "kgrel_model_version": self.model_version,
            "kgrel_run_ids": (self.run_id,),
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def provenance_of(
    settings: ExportSettings,
    mapping: Mapping,
    scored: str | Path,
    thresholds: dict[str, float] | None = None,
    parents: dict[str, str] | None = None,
    score_kind: str | None = None,
) -> Provenance:
    """Put together what the settings say, and derive what they leave open from the inputs.

    Args:
        scored: the list, whose date and content stand in for a date and a run that are not given.
        thresholds: those of the model.
        parents: hashes of the inputs; ``pairs`` among them is the model's version where none is given.
        score_kind: what kind of number the model's scores are.

    Raises:
        KgrelError: the publisher or the version of the model is not said, or a value cannot be exported; a list from
            standard input and no date or run.
    """
    source = settings.primary_knowledge_source or mapping.primary_knowledge_source
    if not source:
        raise KgrelError(
            "who publishes these edges is not said; give --primary-knowledge-source infores:NAME, or "
            "primary_knowledge_source in the mapping file"
        )
    parents = dict(parents or {})
    version = settings.model_version or parents.get("pairs", "")[:16]
    if not version:
        raise KgrelError("the version of the model is not known; give --pairs PAIRS or --model-version")
    if str(scored) == "-" and not (settings.date and settings.run_id):
        raise KgrelError("a list from standard input has neither date nor content to name the run; give both")
    date = settings.date or time.strftime("%Y-%m-%d", time.gmtime(Path(scored).stat().st_mtime))
    if not DATE.fullmatch(date):
        raise KgrelError(f"--date must be a day such as 2026-01-31, not {date!r}")
    if str(scored) != "-":
        parents["scored"] = sha256_of(Path(scored))
    if settings.threshold is not None:
        thresholds = dict.fromkeys([*mapping.relations, *(thresholds or {})], settings.threshold)
    found = Provenance(
        require_infores(source, "--primary-knowledge-source"),
        require_text(settings.model_id, "--model-id"),
        require_text(version, "--model-version"),
        settings.run_id,
        date,
        tuple(require_infores(s, "--supporting-data-source") for s in settings.supporting_data_source),
        tuple(require_text(s, "--supporting-data-set", item=True) for s in settings.supporting_data_set),
        thresholds or {},
        score_kind,
        parents,
        {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()},
    )
    if not found.run_id:
        content = {"origin": found.to_json(), "mapping": {k: asdict(v) for k, v in mapping.relations.items()}}
        content |= {"types": {k: asdict(v) for k, v in mapping.types.items()}}
        run = hashlib.sha256(canonical_json(content).encode()).hexdigest()[:16]
        found = replace(found, run_id=f"run-{run}")
    require_text(found.run_id, "--run-id", item=True)
    return found
