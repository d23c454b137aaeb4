"""Artifact directories: immutable, checksummed, each knows its parents.

An artifact is a directory with a ``manifest.json`` that names its kind, schema version, settings, seed, the
hashes of the artifacts it was made from, and the SHA-256 of each of its files. The hash of an artifact is the
SHA-256 of its manifest, so it covers everything. Clock, host and durations go to ``run.json``, progress to
``log.jsonl``: both stand outside the hashes, so that the same command gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import platform
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import pyarrow as pa

from kgrel import __version__
from kgrel.data.claims import claim, release, staging_of, sweep
from kgrel.data.errors import ArtifactError, KgrelError, did_you_mean
from kgrel.data.files import canonical_json, move_into_place, refuse_existing, remove_tree, sha256_of, sync, write_text
from kgrel.data.json_values import parse_json
from kgrel.data.settings import from_json

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")
A = ParamSpec("A")
_MISFITS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, pa.ArrowException)
_PATIENCE = 100
"""How often an artifact is opened again that is replaced while it is read."""
SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
UNFINISHED = "unfinished.json"
"""Stands in the output directory of a run that is not finished; tells what the run was started with."""
LOG = "log.jsonl"
OUTSIDE_HASHES = frozenset({MANIFEST, "run.json", LOG, UNFINISHED})


class Kind(StrEnum):
    """What an artifact directory holds."""

    CORPUS = "corpus"
    GRAPH = "graph"
    REPRESENTATION = "representation"
    PAIRS = "pairs"
    COOCCURRENCE = "cooccurrence"
    DEGREE = "degree"
    LABEL_ONLY = "label-only"
    KGE = "kge"
    PATH_COUNTS = "path-counts"
    ATTENTION = "attention"
    COMBINED = "combined"
    TYPING = "typing"
    MENTIONS = "mentions"
    EXPORT = "export"
    INDEX = "index"
    INDUCTIVE = "inductive"


SCORING = (
    Kind.PAIRS, Kind.COMBINED, Kind.COOCCURRENCE, Kind.DEGREE, Kind.LABEL_ONLY, Kind.KGE, Kind.PATH_COUNTS,
    Kind.ATTENTION,
)  # fmt: skip
"""The kinds that score pairs; all of them hold entities, pairs with their parts, known relations and thresholds."""
MADE_BY = {
    Kind.CORPUS: "build-corpus",
    Kind.GRAPH: "import-graph",
    Kind.REPRESENTATION: "pretrain",
    Kind.PAIRS: "train-pairs",
    Kind.COMBINED: "combine-pairs",
    Kind.MENTIONS: "train-mentions",
    Kind.INDEX: "build-index",
    Kind.INDUCTIVE: "train-inductive",
}
"""The verb that makes an artifact from the one before it."""


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` says."""

    kind: str
    settings: dict[str, Any]
    """The settings dataclass of the stage, as JSON."""
    seed: int | None = None
    parents: dict[str, str] = field(default_factory=dict)
    """Role → hash of the artifact it was made from, or of the file."""
    summary: dict[str, Any] = field(default_factory=dict)
    """Counts and figures that the stage printed."""
    files: dict[str, str] = field(default_factory=dict)
    """File name → SHA-256."""
    kgrel_version: str = __version__
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class Artifact:
    """A complete, verified artifact directory."""

    path: Path
    manifest: Manifest
    hash: str
    inode: int | None = field(default=None, compare=False)
    """Of the directory when it was opened."""

    def file(self, name: str) -> Path:
        """Path of a file of the artifact.

        Raises:
            ArtifactError: the manifest does not list it, or another artifact has taken the place since.
        """
        if name not in self.manifest.files:
            raise ArtifactError(f"{self.path}: {MANIFEST} lists no file {name!r}; the artifact is incomplete")
        if self.inode is not None and _inode(self.path) != self.inode:
            raise ArtifactError(f"{self.path}: was replaced while it was being read; repeat the command")
        return self.path / name


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def finish_artifact(directory: Path, manifest: Manifest, seconds: float) -> Artifact:
    """Hash every file of ``directory``, write ``run.json`` and, last of all, the manifest."""
    run = {"seconds": round(seconds, 3), "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    run |= {"host": platform.node(), "python": platform.python_version(), "cpus": os.cpu_count()}
    write_text(directory / "run.json", canonical_json(run))
    usual = (directory / "run.json").stat().st_mode
    files = {}
    for path in sorted(directory.iterdir()):
        if path.is_file() and path.name not in OUTSIDE_HASHES:
            # Some libraries make files that only their owner may read, whatever the umask says.
            path.chmod(stat.S_IMODE(path.stat().st_mode | usual))
            files[path.name] = sha256_of(path)
            sync(path)
    complete = dataclasses.replace(manifest, files=files)
    text = canonical_json(dataclasses.asdict(complete))
    write_text(directory / MANIFEST, text)
    return Artifact(directory, complete, hashlib.sha256(text.encode()).hexdigest())


@dataclass
class Draft:
    """An artifact being written: put files into ``path``, fill in ``summary``."""

    path: Path
    manifest: Manifest
    summary: dict[str, Any] = field(default_factory=dict)


@contextmanager
def create_artifact(path: str | Path, manifest: Manifest, overwrite: bool = False) -> Iterator[Draft]:
    """Write an artifact beside its final place and move it there whole when the block ends well.

    Raises:
        KgrelError: ``path`` exists and ``overwrite`` is false, is no kgrel artifact, or cannot be made.
    """
    path = Path(path)
    refuse_destination(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KgrelError(f"{path.parent} cannot be made ({error.strerror}); choose another output") from None
    started = time.monotonic()
    sweep(path)
    staging = staging_of(path)
    remove_tree(staging)
    staging.mkdir()
    draft = Draft(staging, manifest)
    try:
        claim(staging, path)
        yield draft
        complete = dataclasses.replace(manifest, summary=draft.summary)
        finish_artifact(staging, complete, time.monotonic() - started)
        release(staging)
        move_into_place(staging, path, overwrite)
    finally:
        release(staging)
        remove_tree(staging)


def refuse_destination(path: Path, overwrite: bool) -> None:
    """Raise :class:`KgrelError` if no artifact can be put at ``path``; see :func:`create_artifact`."""
    if not path.name:
        raise KgrelError(f"{path} cannot be an output; give the name of a new directory")
    refuse_existing(path, overwrite)
    refuse_foreign(path)


def refuse_foreign(path: Path) -> None:
    """``--overwrite`` replaces artifacts and unfinished runs, never a directory of something else."""
    if not path.exists():
        return
    if not (path.is_dir() and (not any(path.iterdir()) or _looks_ours(path))):
        raise ArtifactError(f"{path} is no kgrel artifact, so it is not overwritten; choose another output")


def _looks_ours(path: Path) -> bool:
    """Other programs write a ``manifest.json`` too, so its content decides; without one, the run's files."""
    if not (path / MANIFEST).exists():
        return any((path / name).exists() for name in OUTSIDE_HASHES)
    try:
        values = parse_json((path / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return (path / "run.json").exists()
    return isinstance(values, dict) and {"kind", "schema_version", "kgrel_version"} <= values.keys()


def open_artifact(path: str | Path, kind: Kind, verify: bool = True) -> Artifact:
    """Open an artifact and check that it is whole.

    Args:
        kind: the kind that is needed.
        verify: recompute the SHA-256 of every file (about a second per gigabyte).

    Raises:
        ArtifactError: missing, unfinished, foreign, newer, of another kind, or damaged; it names what.
    """
    path = Path(path)
    inode = _inode(path)
    manifest, text = _read_manifest(path, kind)
    if manifest.kind != kind:
        verb = f"; kgrel {MADE_BY[kind]} makes one" if kind in MADE_BY else ""
        holds, needed = (f"{'an' if name[0] in 'aeiou' else 'a'} {name} artifact" for name in (manifest.kind, kind))
        raise ArtifactError(f"{path}: holds {holds}, but {needed} is needed{verb}")
    for name, expected in manifest.files.items():
        _check_file(path, name, expected, verify)
    return Artifact(path, manifest, hashlib.sha256(text).hexdigest(), inode)


def scoring_kind(path: str | Path) -> Kind:
    """The kind of an artifact that scores pairs.

    Raises:
        ArtifactError: see :func:`kind_of`; or it scores none.
    """
    kind = kind_of(path, Kind.PAIRS)
    if kind not in SCORING:
        raise ArtifactError(f"{path}: holds a {kind} artifact, but a {Kind.PAIRS} artifact or a baseline is needed")
    return Kind(kind)


def kind_of(path: str | Path, wanted: str) -> str:
    """The kind of an artifact.

    Args:
        wanted: what is looked for, for the message.

    Raises:
        ArtifactError: missing, unfinished, foreign, newer, or with a damaged manifest.
    """
    return _read_manifest(Path(path), wanted)[0].kind


def _read_manifest(path: Path, kind: str) -> tuple[Manifest, bytes]:
    if not path.is_dir():
        raise ArtifactError(f"{path}: no such {kind} artifact (a directory is expected)")
    if not (path / MANIFEST).is_file():
        raise ArtifactError(f"{path}: no {MANIFEST}; this is no artifact, or the run that makes it is unfinished")
    if (path / MANIFEST).is_symlink():
        raise ArtifactError(f"{path}: {MANIFEST} is a link, and what it leads to is no part of the artifact")
    try:
        text = (path / MANIFEST).read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path}: {MANIFEST} cannot be read ({error.strerror})") from None
    return _parse_manifest(path, text), text


def _parse_manifest(path: Path, text: bytes) -> Manifest:
    try:
        values = parse_json(text)
        version = values["schema_version"]
        if not isinstance(version, int) or isinstance(version, bool):
            raise TypeError("schema_version is no whole number")
    except KeyError as error:
        raise ArtifactError(f"{path}: {MANIFEST} has no {error}; it was not written by kgrel") from None
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{path}: {MANIFEST} is damaged ({error})") from None
    if version > SCHEMA_VERSION:
        raise ArtifactError(
            f"{path}: written with schema {version} by kgrel {values.get('kgrel_version')}; "
            f"this kgrel {__version__} reads up to schema {SCHEMA_VERSION}: upgrade kgrel"
        )
    known = {entry.name for entry in dataclasses.fields(Manifest)}
    for key in values:
        if key not in known:
            raise ArtifactError(f"{path}: {MANIFEST} has an unknown key {key!r}{did_you_mean(key, known)}")
    try:
        manifest = Manifest(**values)
    except TypeError as error:
        raise ArtifactError(f"{path}: {MANIFEST} is incomplete ({error})") from None
    for key in ("files", "settings", "parents", "summary"):
        if not isinstance(getattr(manifest, key), dict):
            raise ArtifactError(f"{path}: {MANIFEST} is damaged ({key} must be an object)")
    return manifest


def _check_file(path: Path, name: str, expected: str, verify: bool) -> None:
    """A listed file must be a plain file directly inside the directory, with the recorded content."""
    file = path / name
    if Path(name).name != name or name in ("", ".", ".."):
        raise ArtifactError(f"{path}: {MANIFEST} names {name!r}, which is outside the artifact")
    if file.is_symlink() or not file.is_file():
        raise ArtifactError(f"{path}: the file {name} is missing or not a plain file")
    try:
        actual = sha256_of(file) if verify else expected
    except OSError as error:
        raise ArtifactError(f"{path}: the file {name} cannot be read ({error.strerror})") from None
    if actual != expected:
        raise ArtifactError(f"{path}: the file {name} is damaged (its SHA-256 is not the one in {MANIFEST})")


def opens_artifact(opening: Callable[Concatenate[T, P, A], R]) -> Callable[Concatenate[T, P, A], R]:
    """Decorates what opens an artifact by its path and reads its files.

    Whatever its files cannot be is told of the artifact: checksums say that the files are those of the manifest, not
    that whoever wrote both meant well. If another artifact took the place meanwhile, that one is opened.
    """

    @wraps(opening)
    def opened(cls: T, path: P, /, *more: A.args, **named: A.kwargs) -> R:
        for _ in range(_PATIENCE):
            before = _inode(Path(str(path)))
            try:
                found = opening(cls, path, *more, **named)
                failure = None
            except (*_MISFITS, KgrelError, OSError) as error:
                failure = error
            if before == _inode(Path(str(path))):
                break
        if failure is None:
            return found
        if isinstance(failure, KgrelError | OSError):
            raise failure
        reason = f"{type(failure).__name__}: {failure}"
        raise ArtifactError(f"{path}: its files do not fit together ({reason}); make the artifact again") from failure

    return opened


def settings_of(artifact: Artifact, cls: type[T], unsaid: dict[str, Any] | None = None) -> T:
    """The settings that an artifact was made with.

    Args:
        unsaid: what stood for settings that its manifest does not name yet.

    Raises:
        ArtifactError: an unknown setting, a missing one, or a value of the wrong type.
    """
    try:
        return from_json(cls, (unsaid or {}) | artifact.manifest.settings)
    except KgrelError as error:
        raise ArtifactError(f"{artifact.path}: {MANIFEST} is damaged ({error})") from None


def read_json(artifact: Artifact, name: str) -> dict[str, Any]:
    """A JSON object of an artifact."""
    try:
        value = parse_json(artifact.file(name).read_bytes())
    except ValueError as error:
        raise ArtifactError(f"{artifact.path}: {name} is damaged ({error})") from None
    if not isinstance(value, dict):
        raise ArtifactError(f"{artifact.path}: {name} is damaged (no JSON object)")
    return value
