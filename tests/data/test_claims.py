"""Of two processes that write one output one wins and the other says so; readers find the old one or the new one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kgrel.data import claims
from kgrel.data.artifact import Kind, Manifest, create_artifact, open_artifact, opens_artifact
from kgrel.data.claims import claim, exchange, release, rename_new, staging_of, sweep, try_claim
from kgrel.data.errors import KgrelError
from kgrel.data.files import atomic_file

HOLDER = """
import sys
from pathlib import Path
from kgrel.data.claims import claim
claim(Path(sys.argv[1]), Path("it"))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def claimed_elsewhere(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process has claimed the path, as long as the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_what_another_process_has_claimed_is_free_when_it_ends_however_it_ends(tmp_path: Path) -> None:
    with claimed_elsewhere(tmp_path) as process:
        assert not try_claim(tmp_path)
        with pytest.raises(KgrelError, match="out is being written by another process; wait for it, or choose"):
            claim(tmp_path, Path("out"))
        process.kill()
        process.wait()
        assert try_claim(tmp_path)
    release(tmp_path)


def test_a_claim_is_of_the_process_and_may_be_made_again(tmp_path: Path) -> None:
    claim(tmp_path, tmp_path)
    claim(tmp_path, tmp_path)
    release(tmp_path)
    release(tmp_path)
    with claimed_elsewhere(tmp_path):
        assert not try_claim(tmp_path)


def test_where_there_are_no_locks_nothing_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(claims.fcntl, "flock", unsupported)
    claim(tmp_path, tmp_path)


def test_sweeping_takes_what_killed_processes_began_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "a[b]*.csv"
    stale, directory, living = (tmp_path / f".{out.name}.{number}.partial" for number in (1, 2, 3))
    others = [tmp_path / ".other.4.partial", tmp_path / f".{out.name}.x.partial", tmp_path / ".aXb.csv.5.partial"]
    for path in (stale, living, *others):
        path.write_text("half")
    directory.mkdir()
    (directory / "part").write_text("half")
    with claimed_elsewhere(living):
        sweep(out)
        assert {path.name for path in tmp_path.iterdir()} == {living.name, *(path.name for path in others)}


@pytest.mark.parametrize("supported", [True, False])
def test_a_new_name_is_never_an_old_one(tmp_path: Path, supported: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not supported:
        monkeypatch.setattr(claims, "_rename", lambda *_: (_ for _ in ()).throw(OSError(38, "not implemented")))
        assert not exchange(tmp_path, tmp_path)
    for name in ("new", "old"):
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        rename_new(tmp_path / "new", tmp_path / "old")
    rename_new(tmp_path / "new", tmp_path / "fresh")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old": "old", "fresh": "new"}


def test_two_names_are_exchanged_in_one_step(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").write_text(name)
    if not exchange(tmp_path / "new", tmp_path / "old"):
        pytest.skip("this file system exchanges no names")
    assert (tmp_path / "old" / "content").read_text() == "new"
    assert (tmp_path / "new" / "content").read_text() == "old"


def write(path: Path, content: str, overwrite: bool = False) -> None:
    with create_artifact(path, Manifest(Kind.CORPUS, {}), overwrite) as draft:
        (draft.path / "a").write_text(content)
        (draft.path / "b").write_text(content)


def test_the_second_of_two_writers_of_an_artifact_says_so_and_leaves_the_first(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (  # noqa: PT012
        pytest.raises(KgrelError, match="out was written by another process meanwhile, so it stays"),
        create_artifact(out, Manifest(Kind.CORPUS, {})) as draft,
    ):
        (draft.path / "a").write_text("second")
        os.rename(draft.path, tmp_path / "kept")  # the other writer is this process too, and would begin where we did
        write(out, "first")
        os.rename(tmp_path / "kept", draft.path)
    assert open_artifact(out, Kind.CORPUS).file("a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_second_of_two_writers_of_a_file_says_so_and_leaves_the_first(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with (  # noqa: PT012
        pytest.raises(KgrelError, match=r"out\.csv was written by another process meanwhile, so it stays"),
        atomic_file(out, overwrite=False) as partial,
    ):
        partial.write_text("second")
        out.write_text("first")
    assert out.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_what_is_being_written_is_claimed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with create_artifact(out, Manifest(Kind.CORPUS, {})) as draft:
        code = (
            f"from kgrel.data.claims import *; sweep(Path({str(out)!r})); print(try_claim(Path({str(draft.path)!r})))"
        )
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert answer.stdout == "False\n"
        assert draft.path == staging_of(out)
        assert draft.path.is_dir()


REWRITER = """
import sys
import time
from pathlib import Path
from tests.data.test_claims import write
for number in range(int(sys.argv[2])):
    write(Path(sys.argv[1]), str(number), overwrite=True)
    time.sleep(0.01)
"""


class Both:
    """Reads two files of an artifact, slowly."""

    @classmethod
    @opens_artifact
    def open(cls, path: Path) -> str:
        artifact = open_artifact(path, Kind.CORPUS)
        first = artifact.file("a").read_text()
        time.sleep(0.002)
        if artifact.file("b").read_text() != first:
            raise ValueError("files of two artifacts")
        return first


@pytest.mark.parametrize("rewrites", [60, pytest.param(3000, marks=pytest.mark.nightly)])
def test_readers_during_rewrites_see_the_old_one_or_the_new_one(tmp_path: Path, rewrites: int) -> None:
    out = tmp_path / "out"
    write(out, "-1")
    if not exchange(out, out):
        pytest.skip("this file system exchanges no names")
    seen = []
    with subprocess.Popen([sys.executable, "-c", REWRITER, str(out), str(rewrites)]) as writer:
        while writer.poll() is None:
            seen.append(int(Both.open(out)))
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert open_artifact(out, Kind.CORPUS).file("a").read_text() == str(rewrites - 1)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
