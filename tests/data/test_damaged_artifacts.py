"""An artifact of this schema is read for ever; one that is damaged, foreign or forged is refused by name."""

from __future__ import annotations

import hashlib
import json
import os
import pickletools
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgrel.data.artifact import MANIFEST, SCHEMA_VERSION, Kind
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.export.readers import open_export
from kgrel.graph.graph import Graph
from kgrel.model.representation import Representation
from kgrel.model.type_classifier import Typing
from kgrel.score.opening import SCORERS, scorer_class
from kgrel.text.corpus import Corpus
from kgrel.train.inductive import Inductive
from kgrel.train.mention_model import MentionModel
from tests.data.make_artifacts import COMMANDS
from tests.data.make_artifacts import PLACE as ARTIFACTS
from tests.rights import of_a_common_user


def open_index(path: Path) -> Any:
    pytest.importorskip("faiss", reason="FAISS is not installed")
    from kgrel.search.index import RelationIndex

    return RelationIndex.open(path)


def read_export(path: Path) -> list[Any]:
    files = open_export(path)
    return [*files.nodes(), *files.edges()]


Open = Callable[[Path], Any]
OPENERS: dict[str, Open] = {
    Kind.CORPUS: Corpus.open,
    Kind.GRAPH: Graph.open,
    Kind.REPRESENTATION: Representation.open,
    Kind.TYPING: Typing.open,
    Kind.MENTIONS: MentionModel.open,
    Kind.INDEX: open_index,
    Kind.EXPORT: read_export,
    Kind.INDUCTIVE: Inductive.open,
    **{kind: scorer_class(kind).open for kind in SCORERS},  # type: ignore[attr-defined]
}
KINDS = sorted(OPENERS)


def files_of(kind: str) -> list[str]:
    """The listed files of an artifact, those of artifacts within it as ``directory/file``."""
    inner = [path.parent.name for path in sorted((ARTIFACTS / kind).glob(f"*/{MANIFEST}"))]
    return [
        str(Path(place) / name)
        for place in ("", *inner)
        for name in sorted(json.loads((ARTIFACTS / kind / place / MANIFEST).read_text())["files"])
    ]


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """``copy(kind)``: a copy of the artifact of that kind, the one before deleted."""

    def make(kind: str) -> Path:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        return Path(shutil.copytree(ARTIFACTS / kind, tmp_path / "copy"))

    return make


def test_there_is_an_artifact_of_every_kind_of_this_schema() -> None:
    assert set(Kind) == set(COMMANDS) == set(OPENERS)
    for kind in Kind:
        manifest = json.loads((ARTIFACTS / kind / MANIFEST).read_text())
        assert (manifest["kind"], manifest["schema_version"]) == (kind, SCHEMA_VERSION), "make the artifacts anew"


@pytest.mark.parametrize("kind", KINDS)
def test_this_code_reads_what_earlier_code_wrote(kind: str) -> None:
    assert OPENERS[kind](ARTIFACTS / kind)


def test_scores_of_earlier_code_are_those_of_this_one(tmp_path: Path) -> None:
    from kgrel.score.opening import open_scorer
    from kgrel.score.stream import score_file

    score_file(open_scorer(ARTIFACTS / "pairs"), ARTIFACTS / "world" / "candidates.csv", tmp_path / "scored.csv")
    found, expected = ((p / "scored.csv").read_text().splitlines() for p in (tmp_path, ARTIFACTS / "world"))
    assert found[0] == expected[0]
    place = found[0].split(",").index("score")
    for now, then in zip(found[1:], expected[1:], strict=True):
        assert float(now.split(",")[place]) == pytest.approx(float(then.split(",")[place]), abs=1e-6)


SETTINGS_ARE_HISTORY = {Kind.CORPUS, Kind.GRAPH, Kind.REPRESENTATION, Kind.TYPING, Kind.INDUCTIVE}
"""Nothing that is computed later depends on them."""


def refused(kind: str, path: Path, *words: str) -> None:
    with pytest.raises(KgrelError) as failure:
        OPENERS[kind](path)
    for word in (str(path), *words):
        assert word in str(failure.value), failure.value


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def lose(file: Path) -> None:
    file.unlink()


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


def swap(file: Path) -> None:
    """The file of the same name of another run, or else another file."""
    content = file.read_bytes()
    others = [other for kind in KINDS for name in files_of(kind) for other in [ARTIFACTS / kind / name]]
    file.write_bytes(next(b for other in others if (b := other.read_bytes()) != content))


def link_out(file: Path) -> None:
    """The same content, but elsewhere."""
    outside = file.parent.with_name("outside")
    file.rename(outside)
    file.symlink_to(outside)


def make_a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def make_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def forbid(file: Path) -> None:
    file.chmod(0)


DAMAGES = [truncate, empty, lose, flip_a_bit, lengthen, swap, link_out, make_a_directory, make_a_pipe, forbid]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_damaged_file_is_refused_by_name(kind: str, damage: Any, copy: Callable[[str], Path]) -> None:
    for name in files_of(kind):
        path = copy(kind)
        if damage in (truncate, flip_a_bit) and not (path / name).stat().st_size:
            continue
        damage(path / name)
        with of_a_common_user():
            refused(kind, path, *Path(name).parts)


@pytest.mark.parametrize("damage", [empty, lose, link_out, make_a_directory, make_a_pipe, forbid])
@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_that_is_no_file_of_its_own_is_refused(kind: str, damage: Any, copy: Callable[[str], Path]) -> None:
    path = copy(kind)
    damage(path / MANIFEST)
    if kind == Kind.EXPORT and damage is lose:
        return  # a directory of KGX files needs none
    with of_a_common_user():
        refused(kind, path)


def edit(path: Path, **values: Any) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps(manifest | values))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_refuses_a_manifest_that_is_not_its_own(kind: str, copy: Callable[[str], Path]) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    for change, word in (
        ({"schema_version": SCHEMA_VERSION + 1}, "upgrade kgrel"),
        ({"more": 1}, "'more'"),
        ({"files": {"../world/genes.tsv": digest}}, "'../world/genes.tsv'"),
        ({"files": {"/etc/passwd": digest}}, "'/etc/passwd'"),
        ({"files": {}}, "lists no file"),
        ({"kind": "corpus" if kind != "corpus" else "pairs"}, "artifact"),
        ({"settings": {"no such setting": 1}}, ""),
    ):
        path = copy(kind)
        edit(path, **change)
        if change.get("settings") and kind in SETTINGS_ARE_HISTORY:
            continue
        if change == {"files": {}} and kind == Kind.EXPORT:
            continue  # a directory of KGX files needs no manifest
        refused(kind, path, word)


def forge(path: Path, name: str, content: bytes) -> None:
    """Change a file and give it the checksum that belongs to it, and an artifact within another its hash there."""
    (path / name).write_bytes(content)
    place = (path / name).parent
    files = json.loads((place / MANIFEST).read_text())["files"]
    edit(place, files=files | {Path(name).name: hashlib.sha256(content).hexdigest()})
    if place != path:
        parents = json.loads((path / MANIFEST).read_text())["parents"]
        edit(path, parents=parents | {place.name: hashlib.sha256((place / MANIFEST).read_bytes()).hexdigest()})


def changed_json(content: bytes, random_: random.Random) -> bytes:
    """A JSON text with one value of it replaced by one of another type, or dropped."""
    value = json.loads(content)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(value)
    node, key = random_.choice(places)
    if random_.random() < 0.3 and isinstance(node, dict):
        del node[key]
    else:
        node[key] = random_.choice([None, -1, 0, "", "x", [], {}, 1.5, True, 10**6, [[]]])
    return json.dumps(value).encode()


FOREIGN = {".json": b"[]", ".parquet": (ARTIFACTS / "graph" / "nodes.parquet").read_bytes(),
           ".arrow": (ARTIFACTS / "corpus" / "evidence.arrow").read_bytes(),
           ".safetensors": (ARTIFACTS / "kge" / "weights.safetensors").read_bytes()}  # fmt: skip
"""Whole files of the same format, but of something else."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_file_is_refused_by_name_or_read_whole(kind: str, copy: Callable[[str], Path]) -> None:
    """Whoever forges a file can forge its checksum as well. FAISS is left out: see SECURITY.md."""
    messages = []
    for name in files_of(kind):
        ending, good = Path(name).suffix, (ARTIFACTS / kind / name).read_bytes()
        if ending == ".faiss":
            continue
        forged = [good[: len(good) // 2], b"", FOREIGN.get(ending, b"\0")]
        if ending == ".json":
            forged += [changed_json(good, random.Random(seed)) for seed in range(25)]
            forged += [b"{", b"null", b"[" * 100_000, b'{"classes": NaN}']
        path = copy(kind)
        for content in forged:
            forge(path, name, content)
            try:
                OPENERS[kind](path)
            except KgrelError as error:
                messages.append(str(error))
            except BaseException as error:
                error.add_note(f"{kind}/{name}: {content[:3000]!r}")
                raise
    assert [message for message in messages if str(path) not in message] == []


@pytest.mark.parametrize("change", ["lose", "link", "exchange"])
def test_an_artifact_within_another_is_the_one_that_was_put_there(change: str, copy: Callable[[str], Path]) -> None:
    path = copy(Kind.COMBINED)
    first, second, aside = path / "member-1", path / "member-2", path.with_name("aside")
    shutil.rmtree(aside, ignore_errors=True)
    first.rename(aside)
    if change == "link":
        first.symlink_to(aside)
    if change == "exchange":
        second.rename(first)
        aside.rename(second)
    refused(Kind.COMBINED, path, "member-1")


def test_an_artifact_that_is_replaced_while_it_is_read_says_so(copy: Callable[[str], Path]) -> None:
    path = copy(Kind.GRAPH)
    graph = Graph.open(path)
    path.rename(path.with_name("elsewhere"))
    shutil.copytree(ARTIFACTS / "graph", path)
    with pytest.raises(ArtifactError, match="was replaced while it was being read"):
        graph.artifact.file("nodes.parquet")


def test_no_file_of_an_artifact_is_a_pickle() -> None:
    for kind in KINDS:
        for name in files_of(kind):
            content = (ARTIFACTS / kind / name).read_bytes()
            assert not content.startswith((b"PK", b"\x80")), name
            with pytest.raises(Exception):  # noqa: B017
                list(pickletools.genops(content))
