"""The INDUCTIVE artifact: embeddings for the entities of a graph that no context names.

Beside each prediction ê stand the errors e − ê of some held-out entities of its type: displaced by each of them in
turn, it shows how far off a prediction may be.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kgrel.data.artifact import Artifact, Kind, open_artifact, opens_artifact, read_json
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import canonical_json, write_text
from kgrel.model.representation import load_tensors, save_weights

ENTITIES, VECTORS, DESCRIPTION = "entities.parquet", "vectors.safetensors", "inductive.json"


@dataclass(frozen=True)
class Inductive:
    """Predicted embeddings; M entities, K errors of each of T types, H held-out entities.

    Attributes:
        entities: whose embeddings are predicted; none of them has a learned one.
        predicted: their directions (M, E), unit vectors.
        types: the types of the errors.
        errors: e/‖e‖ − ê of held-out entities (T, K, E).
        held_out: rows, in the table of learned embeddings, of the entities kept for measuring (H,).
        held_out_predicted: ê of these, made without their own e (H, E).
        trained_on: :func:`fingerprint` of the learned embeddings.
    """

    entities: EntityTable
    predicted: Tensor
    types: list[str]
    errors: Tensor
    held_out: Tensor
    held_out_predicted: Tensor
    trained_on: str
    artifact: Artifact | None = None

    @property
    def draws(self) -> int:
        """K."""
        return int(self.errors.shape[1])

    def displaced(self, draw: int) -> Tensor:
        """The predictions, each displaced by one error of its type (M, E)."""
        index = {name: row for row, name in enumerate(self.types)}
        kinds = torch.tensor([index[name] for name in self.entities.types], dtype=torch.long)
        return self.predicted + self.errors[kinds, draw]

    def require(self, embeddings: Tensor, path: object) -> None:
        """Refuse other learned embeddings than those that the predictions imitate.

        Raises:
            KgrelError: they differ.
        """
        if fingerprint(embeddings) != self.trained_on:
            name = "the inductive encoder" if self.artifact is None else self.artifact.path
            raise KgrelError(
                f"{name}: its predictions imitate other embeddings than those of {path}; "
                f"run kgrel train-inductive {path}"
            )

    def write(self, directory: Path) -> None:
        """Write the files of the artifact."""
        self.entities.write(directory / ENTITIES)
        vectors = {"predicted": self.predicted, "errors": self.errors, "held_out": self.held_out}
        save_weights(vectors | {"held_out_predicted": self.held_out_predicted}, directory / VECTORS)
        write_text(directory / DESCRIPTION, canonical_json({"types": self.types, "trained_on": self.trained_on}))

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path) -> Inductive:
        """Open an INDUCTIVE artifact.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or files that do not fit together.
        """
        artifact = open_artifact(path, Kind.INDUCTIVE)
        described, vectors = read_json(artifact, DESCRIPTION), load_tensors(artifact, VECTORS)
        found = cls(
            entities=EntityTable.read(artifact.file(ENTITIES)),
            predicted=vectors["predicted"],
            types=list(map(str, described["types"])),
            errors=vectors["errors"],
            held_out=vectors["held_out"],
            held_out_predicted=vectors["held_out_predicted"],
            trained_on=described["trained_on"],
            artifact=artifact,
        )
        shapes = len(found.predicted), found.errors.shape[0], found.errors.shape[2], len(found.held_out)
        fitting = len(found.entities), len(found.types), found.predicted.shape[1], len(found.held_out_predicted)
        if shapes != fitting or not {*found.entities.types} <= {*found.types}:
            raise ArtifactError(f"{artifact.path}: its entities, vectors and types do not fit together; train it again")
        if not all(bool(torch.isfinite(part).all()) for part in (found.predicted, found.errors)):
            raise ArtifactError(f"{artifact.path}: a predicted embedding is not finite; train it again")
        return found


def fingerprint(embeddings: Tensor) -> str:
    """SHA-256 of a table of embeddings."""
    return hashlib.sha256(embeddings.detach().cpu().contiguous().numpy().tobytes()).hexdigest()
