"""The REPR artifact: a pretrained model with its entities and words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from kgrel.data.artifact import Artifact, Kind, open_artifact, opens_artifact, read_json
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import canonical_json
from kgrel.model.presets import Dimensions
from kgrel.model.relvm import RELVM

WEIGHTS, ENTITIES, VOCABULARY, MODEL = (
    "weights.safetensors",
    "entities.parquet",
    "vocabulary.json",
    "model.json",
)


@dataclass
class Representation:
    """A pretrained model and what its rows mean.

    Attributes:
        model: the generative model; row i of its entity table is ``entities`` row i, and likewise for words.
        entities: identifiers, or types where ``by_type``.
        words: the words, the special tokens first.
        by_type: x and y are entity types (mention-level work) rather than identifiers.
    """

    model: RELVM
    entities: EntityTable
    words: list[str]
    by_type: bool
    artifact: Artifact | None = None

    def write(self, directory: Path) -> None:
        """Write the files of the artifact."""
        save_weights(self.model.state_dict(), directory / WEIGHTS)
        self.entities.write(directory / ENTITIES)
        (directory / VOCABULARY).write_text(canonical_json({"words": self.words}), encoding="utf-8")
        shape = {"dimensions": asdict(self.model.dimensions), "by_type": self.by_type}
        shape |= {"bag_of_words": self.model.bag_decoder is not None}
        (directory / MODEL).write_text(canonical_json(shape), encoding="utf-8")

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path, verify: bool = True) -> Representation:
        """Open a REPR artifact.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or files that do not fit together.
        """
        return cls.read(open_artifact(path, Kind.REPRESENTATION, verify))

    @classmethod
    def read(cls, artifact: Artifact) -> Representation:
        """Read what :meth:`write` wrote into an artifact of any kind.

        Raises:
            ArtifactError: files that do not fit together.
        """
        shape = read_json(artifact, MODEL)
        words = read_json(artifact, VOCABULARY)["words"]
        entities = EntityTable.read(artifact.file(ENTITIES))
        model = RELVM(Dimensions(**shape["dimensions"]), len(entities), len(words), shape["bag_of_words"])
        load_weights(model, artifact, WEIGHTS)
        return cls(model.eval(), entities, words, shape["by_type"], artifact)

    def require_identifiers(self, verb: str) -> None:
        """Refuse a representation of types where one of identifiers is needed."""
        if self.by_type:
            raise KgrelError(
                f"{verb} needs a representation of identifiers; this one was pretrained with --entities type"
            )


def save_weights(tensors: dict[str, Tensor], path: Path) -> None:
    """Write named tensors as safetensors.

    Raises:
        KgrelError: the file cannot be written; the disk is full, say.
    """
    try:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        raise KgrelError(f"{path} cannot be written ({error}); make room and give the same command again") from None


def load_tensors(artifact: Artifact, name: str) -> dict[str, Tensor]:
    """The tensors of a file of an artifact.

    Raises:
        ArtifactError: no safetensors, or not whole.
    """
    try:
        tensors: dict[str, Tensor] = load_file(artifact.file(name))
    except (RuntimeError, ValueError, OSError, SafetensorError) as error:
        raise ArtifactError(f"{artifact.path}: {name} cannot be read ({' '.join(str(error).split())[:300]})") from None
    return tensors


def load_weights(module: torch.nn.Module, artifact: Artifact, name: str) -> None:
    """Load every tensor of a module by name; missing, left-over or misshapen ones are an error."""
    try:
        module.load_state_dict(load_tensors(artifact, name))
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ArtifactError(f"{artifact.path}: {name} does not fit the model ({reason})") from None
