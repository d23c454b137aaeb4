"""Whatever a file holds: no traceback, no hang, no partial output, and a sentence that names the file."""

from __future__ import annotations

import random
import re
import signal
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kgrel.data.printing import printable
from tests.cli.conftest import Outcome, run_kgrel
from tests.fuzz.hostile import BAD_LINES, COMPRESSED, CONTENTS, IRREGULAR, NAMES, changed_at_random
from tests.fuzz.places import PLACES, VALID, Place, file_parameters

PATIENCE = 60
"""Seconds after which a command hangs."""
HANDFUL = 240
"""Of the hand-made cases, those that every run of the tests tries."""
ROOM = 768
"""MiB that a command may take beyond what the process has, libraries that it loads first included."""
TOGETHER = (
    "a sentence must name two different entities",
    "too few to split into training",
    "too few mentions of",
    "listed pairs are co-mentioned",
    "are needed to weigh the members",
)
"""What is said of what several files say together, so that it names none of them, or another."""
MADE = {("explore", "reviews"), ("train-combined", "members")}
"""What is read where it is there, and else made."""
Case = tuple[Place, str, str]
"""Place, ending of the file, name of what is wrong with it."""


def all_cases() -> list[Case]:
    """Every hand-made file at every place."""
    cases: list[Case] = []
    for place in PLACES:
        kinds = VALID.get(place.kind, {"": b"good\n"})
        for ending in kinds:
            if place.kind != "artifact":
                cases += [(place, ending, name) for name in CONTENTS]
                cases += [(place, f"{ending}.gz", name) for name in COMPRESSED]
            cases += [(place, ending, name) for name in (*IRREGULAR, *NAMES)]
    return cases


def chosen_cases() -> list[Any]:
    """All cases; those that are not among the handful, drawn evenly over the places, are for the night."""
    cases = all_cases()
    # One format of export stands for the others, which share the readers.
    common = [case for case in cases if not case[0].verb.startswith("export ") or case[0].verb == "export kgx"]
    order = random.Random(5).sample(common, len(common))
    seen: dict[str, int] = {}
    rank = {}
    for case in order:
        seen[str(case[0])] = seen.get(str(case[0]), 0) + 1
        rank[case] = seen[str(case[0])]
    handful = set(sorted(order, key=rank.__getitem__)[:HANDFUL])
    return [
        pytest.param(case, id="-".join((str(case[0]), case[1], case[2])).replace(" ", "_"),
                     marks=() if case in handful else pytest.mark.nightly)
        for case in cases
    ]  # fmt: skip


class Hang(BaseException):
    """A command did not come to an end."""


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would serve until Ctrl-C ends where it would begin."""
    monkeypatch.setattr("kgrel.apps.explore.server.serve", lambda *_: None)


@pytest.fixture(autouse=True)
def _few_steps(tiny_members: None) -> None:
    """What would be trained for minutes is trained for a moment."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raise :class:`Hang` in the block when it takes longer."""

    def stop(*_: object) -> None:
        raise Hang(f"the command took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def memory(key: str) -> int:
    """MiB of this process: ``VmRSS`` now, ``VmHWM`` the most since the peak was forgotten."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith(key))


@contextmanager
def little_memory(mib: int) -> Iterator[None]:
    """Fail if the block takes more; where the system does not tell the peak, nothing is tested."""
    forget = Path("/proc/self/clear_refs")
    if not forget.exists():
        yield
        return
    forget.write_text("5")
    before = memory("VmRSS")
    yield
    assert memory("VmHWM") - before < mib


def lay(place: Place, ending: str, name: str, directory: Path) -> Path:
    """Put what is wrong where the command will look; returns its path."""
    if name in NAMES:
        return directory / NAMES[name] if NAMES[name] else Path("")
    path = directory / f"given{ending}"
    if name in IRREGULAR:
        IRREGULAR[name](path)
    else:
        good = VALID[place.kind][ending.removesuffix(".gz")]
        path.write_bytes({**CONTENTS, **COMPRESSED}[name](good))
    return path


def run(place: Place, path: Path | str, directory: Path) -> Outcome:
    """Run the command of a place on a file, with outputs in a directory of their own."""
    out = directory / "outputs" / "result"
    out.parent.mkdir()
    with patience(PATIENCE), little_memory(ROOM):
        outcome = run_kgrel(*place.arguments(path, out))
    assert outcome.code in (0, 1, 2), outcome
    assert "Traceback" not in outcome.err
    if outcome.code == 1:
        assert_one_sentence(outcome.err, str(path))
    left = [entry.name for entry in out.parent.iterdir()]
    assert not [name for name in left if name.startswith(".")], left
    assert outcome.code == 0 or left == []
    return outcome


def assert_one_sentence(message: str, name: str) -> None:
    """Messages on the way may stand before it; the failure is the last line, and names the file."""
    *_, last = message.replace(printable(name), "FILE").rstrip("\n").split("\n")
    assert last.startswith("kgrel: "), message
    assert any(text in last for text in ("FILE", *TOGETHER)), message
    assert len(last) < 2000, message[:3000]


@pytest.mark.parametrize("case", chosen_cases())
def test_a_file_made_by_hand(case: Case, tmp_path: Path) -> None:
    place, ending, name = case
    outcome = run(place, lay(place, ending, name, tmp_path), tmp_path)
    looked_into = place.verb != "doctor" and name not in ("a directory", "a manifest of nothing", "a device")
    made = name == "no file" and (place.verb, place.parameter) in MADE
    if name in IRREGULAR and looked_into and not made:
        assert outcome.code == 1, outcome
    if outcome.code == 1 and name in BAD_LINES and place.kind != "reviews":
        assert re.search(r"\bline [1-9]", outcome.err), outcome


def change(place: Place, ending: str, seed: int, directory: Path) -> None:
    """Run a place on a good file that was changed at random."""
    path = directory / f"given{ending}"
    path.write_bytes(changed_at_random(VALID[place.kind][ending], random.Random(seed)))
    try:
        run(place, path, directory)
    except BaseException as error:
        error.add_note(f"{place}, ending {ending}, seed {seed}")
        raise


FILES = [(place, ending) for place in PLACES if place.kind in VALID for ending in VALID[place.kind]]
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("part", range(4))
def test_a_good_file_changed_at_random(part: int, tmp_path: Path) -> None:
    """The same changes in every run, a few for each kind of file."""
    for number in range(part, 60, 4):
        place, ending = FILES[zlib.crc32(b"%d" % number) % len(FILES)]
        directory = tmp_path / str(number)
        directory.mkdir()
        change(place, ending, number, directory)


@pytest.mark.nightly
@settings(max_examples=6000, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.sampled_from(FILES), SEEDS)
def test_good_files_changed_at_random_all_night(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[Place, str], seed: int
) -> None:
    change(*file, seed, tmp_path_factory.mktemp("changed"))


@pytest.mark.parametrize(("place", "ending"), FILES, ids=str)
def test_good_files_are_read(place: Place, ending: str, tmp_path: Path) -> None:
    """Otherwise the hostile ones would be refused for another reason than theirs."""
    path = tmp_path / f"given{ending}"
    path.write_bytes(VALID[place.kind][ending])
    outcome = run(place, path, tmp_path)
    assert outcome.code == 0, outcome.err


def test_every_place_where_a_file_is_read_is_tried() -> None:
    assert {(place.verb, place.parameter) for place in PLACES} == set(file_parameters())
