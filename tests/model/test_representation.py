"""The REPR artifact comes back as it was, and what does not fit is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from kgrel.data.artifact import Artifact, Kind, Manifest, finish_artifact
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM
from kgrel.model.representation import ENTITIES, MODEL, VOCABULARY, WEIGHTS, Representation

WORDS = ["<PAD>", "<UNK>", "<ENT>", "<END>", "naïve", '"quoted"']
TABLE = EntityTable(["GENE", "DISEASE", "DISEASE"], ["7", "7", "DOID:1"], ["a\tb", "", "β"], [["8"], [], ["9", "x"]])


def representation_of(bag: bool = True, by_type: bool = False) -> Representation:
    torch.manual_seed(0)
    return Representation(RELVM(SIZES["tiny"], len(TABLE), len(WORDS), bag), TABLE, WORDS, by_type)


def finish(directory: Path) -> Artifact:
    return finish_artifact(directory, Manifest(Kind.REPRESENTATION, {}), 0.0)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    representation_of().write(tmp_path)
    finish(tmp_path)
    return tmp_path


@pytest.mark.parametrize("bag", [False, True])
@pytest.mark.parametrize("by_type", [False, True])
def test_what_was_written_comes_back(tmp_path: Path, bag: bool, by_type: bool) -> None:
    given = representation_of(bag, by_type)
    given.write(tmp_path)
    artifact = finish(tmp_path)
    opened = Representation.open(tmp_path)
    assert (opened.entities, opened.words, opened.by_type) == (TABLE, WORDS, by_type)
    assert opened.artifact == artifact
    assert opened.model.dimensions == given.model.dimensions
    assert not opened.model.training
    weights = opened.model.state_dict()
    assert weights.keys() == given.model.state_dict().keys()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in given.model.state_dict().items())


def test_the_same_representation_is_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        representation_of().write(tmp_path / name)
        hashes.append(finish(tmp_path / name).hash)
    assert hashes[0] == hashes[1]


def test_its_files_are_weights_entities_words_and_shape(written: Path) -> None:
    assert sorted(Representation.open(written).artifact.manifest.files) == sorted(  # type: ignore[union-attr]
        [WEIGHTS, ENTITIES, VOCABULARY, MODEL]
    )


def missing(tensors: dict[str, Tensor]) -> None:
    del tensors["prior.hidden1.weight"]


def left_over(tensors: dict[str, Tensor]) -> None:
    tensors["prior.hidden1.weight_old"] = torch.zeros(3)


def misshapen(tensors: dict[str, Tensor]) -> None:
    tensors["prior.hidden1.weight"] = tensors["prior.hidden1.weight"][:, 1:].contiguous()


@pytest.mark.parametrize("change", [missing, left_over, misshapen])
def test_a_tensor_that_does_not_fit_is_refused_by_name(
    written: Path, change: Callable[[dict[str, Tensor]], None]
) -> None:
    tensors = load_file(written / WEIGHTS)
    change(tensors)
    save_file(tensors, written / WEIGHTS)
    finish(written)
    with pytest.raises(ArtifactError, match=rf"{WEIGHTS} does not fit the model .*prior\.hidden1\.weight"):
        Representation.open(written)


def test_weights_that_are_no_safetensors_are_refused_by_name(written: Path) -> None:
    (written / WEIGHTS).write_bytes(b"no tensors")
    finish(written)
    with pytest.raises(ArtifactError, match=f"{WEIGHTS} cannot be read"):
        Representation.open(written)


@pytest.mark.parametrize("name", [MODEL, VOCABULARY])
@pytest.mark.parametrize("content", ["{", "[]"])
def test_json_that_is_no_object_is_refused_by_name(written: Path, name: str, content: str) -> None:
    (written / name).write_text(content)
    finish(written)
    with pytest.raises(ArtifactError, match=f"{name} is damaged"):
        Representation.open(written)


@pytest.mark.parametrize("name", [WEIGHTS, ENTITIES, VOCABULARY, MODEL])
def test_a_changed_byte_is_refused_by_name(written: Path, name: str) -> None:
    content = bytearray((written / name).read_bytes())
    content[len(content) // 2] ^= 1
    (written / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=f"the file {name} is damaged"):
        Representation.open(written)


def test_fewer_words_than_the_word_table_has_are_refused(written: Path) -> None:
    (written / VOCABULARY).write_text(json.dumps({"words": WORDS[:-1]}))
    finish(written)
    with pytest.raises(ArtifactError, match=rf"{WEIGHTS} does not fit the model .*word_embedding"):
        Representation.open(written)


def test_types_are_refused_where_identifiers_are_needed() -> None:
    with pytest.raises(KgrelError, match=r"train-pairs needs a representation of identifiers; .* --entities type"):
        representation_of(by_type=True).require_identifiers("train-pairs")
    representation_of(by_type=False).require_identifiers("train-pairs")
