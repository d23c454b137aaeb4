"""An artifact is whole or not there; whatever is not exactly what was written is refused by name."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from kgrel.data import files
from kgrel.data.artifact import (
    MANIFEST,
    SCHEMA_VERSION,
    Artifact,
    Kind,
    Manifest,
    create_artifact,
    open_artifact,
)
from kgrel.data.errors import ArtifactError, KgrelError


def make(path: Path, content: bytes = b"content", overwrite: bool = False, **values: Any) -> None:
    manifest = Manifest(**({"kind": Kind.CORPUS, "settings": {"size": 3}, "seed": 1} | values))
    with create_artifact(path, manifest, overwrite) as draft:
        (draft.path / "table.bin").write_bytes(content)
        draft.summary["rows"] = 7


def edit(path: Path, **values: Any) -> None:
    """Change keys of the manifest; None deletes a key."""
    manifest = json.loads((path / MANIFEST).read_text()) | values
    (path / MANIFEST).write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make(tmp_path / "corpus")
    return tmp_path / "corpus"


def refused(path: Path, message: str, kind: Kind = Kind.CORPUS, verify: bool = True) -> None:
    with pytest.raises(ArtifactError, match=message) as failure:
        open_artifact(path, kind, verify)
    assert str(failure.value).startswith(f"{path}: ")


def test_what_is_written_comes_back(path: Path) -> None:
    artifact = open_artifact(path, Kind.CORPUS)
    assert artifact.manifest.settings == {"size": 3}
    assert artifact.manifest.summary == {"rows": 7}
    assert artifact.manifest.seed == 1
    assert artifact.file("table.bin").read_bytes() == b"content"
    with pytest.raises(ArtifactError, match=r"lists no file 'other\.bin'"):
        artifact.file("other.bin")
    with pytest.raises(ArtifactError, match="lists no file"):
        artifact.file("run.json")


def test_the_hash_is_that_of_the_manifest_which_covers_the_files(path: Path) -> None:
    artifact = open_artifact(path, Kind.CORPUS)
    assert artifact.hash == hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()
    assert artifact.manifest.files == {"table.bin": hashlib.sha256(b"content").hexdigest()}


def hash_of(path: Path, **values: Any) -> str:
    make(path, **values)
    return open_artifact(path, Kind.CORPUS).hash


def test_same_content_same_bytes_and_any_difference_another_hash(path: Path, tmp_path: Path) -> None:
    same, artifact = tmp_path / "same", open_artifact(path, Kind.CORPUS)
    assert hash_of(same) == artifact.hash
    assert (same / MANIFEST).read_bytes() == (path / MANIFEST).read_bytes()
    others = [
        hash_of(tmp_path / "content", content=b"other"),
        hash_of(tmp_path / "seed", seed=2),
        hash_of(tmp_path / "settings", settings={"size": 4}),
        hash_of(tmp_path / "parents", parents={"graph": "00"}),
    ]
    assert len({artifact.hash, *others}) == 5


def test_clock_and_log_stand_outside_the_hash(path: Path) -> None:
    before = open_artifact(path, Kind.CORPUS).hash
    assert {"host", "seconds", "finished"} <= json.loads((path / "run.json").read_text()).keys()
    (path / "run.json").write_text("{}")
    (path / "log.jsonl").write_text("{}\n")
    assert open_artifact(path, Kind.CORPUS).hash == before


def test_a_failure_inside_the_block_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), create_artifact(tmp_path / "a", Manifest("corpus", {})) as draft:  # noqa: PT012
        (draft.path / "table.bin").write_bytes(b"half")
        1 / 0  # noqa: B018
    assert list(tmp_path.iterdir()) == []


def test_nothing_stands_at_the_place_before_the_block_ends(tmp_path: Path) -> None:
    with create_artifact(tmp_path / "a", Manifest("corpus", {})) as draft:
        assert not (tmp_path / "a").exists()
        assert draft.path.parent == tmp_path
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_number_that_json_cannot_hold_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        make(tmp_path / "a", settings={"rate": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_an_existing_artifact_is_replaced_only_with_overwrite(path: Path) -> None:
    with pytest.raises(KgrelError, match=r"corpus exists already; .*--overwrite"):
        make(path, b"new")
    assert open_artifact(path, Kind.CORPUS).file("table.bin").read_bytes() == b"content"
    make(path, b"new", overwrite=True)
    assert open_artifact(path, Kind.CORPUS).file("table.bin").read_bytes() == b"new"
    assert [entry.name for entry in path.parent.iterdir()] == ["corpus"]


def test_a_failed_overwrite_keeps_the_old_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_artifact(path, Kind.CORPUS).hash
    with pytest.raises(ZeroDivisionError), create_artifact(path, Manifest("corpus", {}), overwrite=True):
        1 / 0  # noqa: B018
    assert open_artifact(path, Kind.CORPUS).hash == before
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        if str(source).endswith(".partial"):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    monkeypatch.setattr(files, "exchange", lambda *_: False)
    with pytest.raises(OSError, match="No space"):
        make(path, b"new", overwrite=True)
    assert open_artifact(path, Kind.CORPUS).hash == before
    assert [entry.name for entry in path.parent.iterdir()] == ["corpus"]


@pytest.mark.parametrize("marker", ["notes.txt", MANIFEST])
def test_overwrite_never_deletes_a_directory_of_something_else(tmp_path: Path, marker: str) -> None:
    """Other programs write a manifest.json as well."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / marker).write_text('{"name": "web application"}')
    with pytest.raises(ArtifactError, match="mine is no kgrel artifact, so it is not overwritten"):
        make(tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / marker).exists()


def test_overwrite_replaces_damaged_and_unfinished_and_empty_ones(path: Path) -> None:
    for name in ("empty", "unfinished"):
        (path.parent / name).mkdir()
    (path.parent / "unfinished" / "log.jsonl").write_text("{}\n")
    (path / MANIFEST).write_text("{")
    for place in (path, path.parent / "empty", path.parent / "unfinished"):
        make(place, overwrite=True)
        open_artifact(place, Kind.CORPUS)


def test_overwriting_through_a_link_leaves_its_target(path: Path) -> None:
    link = path.parent / "link"
    link.symlink_to(path)
    make(link, b"new", overwrite=True)
    assert not link.is_symlink()
    assert open_artifact(link, Kind.CORPUS).file("table.bin").read_bytes() == b"new"
    assert open_artifact(path, Kind.CORPUS).file("table.bin").read_bytes() == b"content"


def test_places_that_cannot_hold_an_artifact(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactError, match="file is no kgrel artifact"):
        make(tmp_path / "file", overwrite=True)
    with pytest.raises(KgrelError, match="file cannot be made"):
        make(tmp_path / "file" / "corpus")
    with pytest.raises(KgrelError, match="give the name of a new directory"):
        make(Path("."), overwrite=True)


def test_missing_and_unfinished_artifacts(tmp_path: Path, path: Path) -> None:
    refused(tmp_path / "none", "no such corpus artifact")
    (path / MANIFEST).unlink()
    refused(path, rf"no {MANIFEST}; .*unfinished")


def test_another_kind_is_named(path: Path) -> None:
    refused(path, "holds a corpus artifact, but a pairs artifact is needed", Kind.PAIRS)


def test_a_damaged_file_is_named_when_verified(path: Path) -> None:
    (path / "table.bin").write_bytes(b"Content")
    refused(path, r"the file table\.bin is damaged")
    assert isinstance(open_artifact(path, Kind.CORPUS, verify=False), Artifact)


@pytest.mark.parametrize("verify", [True, False])
def test_a_missing_file_is_named(path: Path, verify: bool) -> None:
    (path / "table.bin").unlink()
    refused(path, r"the file table\.bin is missing", verify=verify)


def test_a_truncated_file_is_named(path: Path) -> None:
    (path / "table.bin").write_bytes(b"cont")
    refused(path, r"the file table\.bin is damaged")


def test_a_link_in_place_of_a_file_is_refused_even_with_the_same_content(path: Path, tmp_path: Path) -> None:
    (path / "table.bin").rename(tmp_path / "elsewhere")
    (path / "table.bin").symlink_to(tmp_path / "elsewhere")
    refused(path, r"the file table\.bin is missing or not a plain file")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "sub/table.bin", "..", ".", ""])
@pytest.mark.parametrize("verify", [True, False])
def test_names_outside_the_directory_are_refused(path: Path, name: str, verify: bool) -> None:
    (path.parent / "secret").write_bytes(b"content")
    edit(path, files={name: hashlib.sha256(b"content").hexdigest()})
    refused(path, r"names '.*', which is outside the artifact", verify=verify)


def test_a_newer_schema_says_which_and_what_to_do(path: Path) -> None:
    edit(path, schema_version=SCHEMA_VERSION + 1, kgrel_version="9.9", novelty=1)
    refused(path, rf"written with schema {SCHEMA_VERSION + 1} by kgrel 9\.9; .*upgrade kgrel")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"setings": {}}, r"unknown key 'setings' \(did you mean 'settings'\?\)"),
        ({"settings": None}, "is incomplete .*'settings'"),
        ({"schema_version": None}, "has no 'schema_version'; it was not written by kgrel"),
        ({"schema_version": "1"}, "is damaged .*no whole number"),
        ({"schema_version": True}, "is damaged .*no whole number"),
        ({"files": []}, r"is damaged \(files must be an object\)"),
        ({"parents": "x"}, r"is damaged \(parents must be an object\)"),
        ({"files": {"table.bin": 1}}, r"the file table\.bin is damaged"),
    ],
)
def test_a_foreign_or_changed_manifest_is_refused_by_key(path: Path, change: dict[str, Any], message: str) -> None:
    edit(path, **change)
    refused(path, message)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"\xff", b"null", b"[" * 100_000])
def test_a_manifest_that_is_no_json_object_is_damaged(path: Path, text: bytes) -> None:
    (path / MANIFEST).write_bytes(text)
    refused(path, rf"{MANIFEST} is damaged")


def test_every_truncation_of_the_manifest_is_refused(path: Path) -> None:
    whole = (path / MANIFEST).read_bytes()
    for length in range(len(whole.rstrip())):
        (path / MANIFEST).write_bytes(whole[:length])
        refused(path, rf"{MANIFEST} is damaged")
