"""Killed, interrupted, or out of disk at any moment: the same command then ends as if nothing had been."""

from __future__ import annotations

import random
import zlib
from functools import cache
from pathlib import Path

import pytest

from kgrel.data.artifact import LOG
from tests.data.make_artifacts import LEXICONS, PAIRS, PLACE, TRAINING
from tests.e2e.disturbing import WAYS, End, content_of, run

LISTED = "--corpus A/corpus --relations A/world/relations.tsv"
TRAIN = TRAINING.replace("--steps 4", "--steps 6").replace("every 4", "every 2")
COMMANDS = {
    "build-corpus": f"A/world/sentences.tsv {LEXICONS.replace('world/', 'A/world/')} --shard-sentences 60 --out OUT",
    "import-graph": "A/world/nodes.tsv A/world/edges.sif --out OUT",
    "pretrain": f"A/corpus --size tiny --posterior recogniser {TRAIN} --out OUT",
    "train-pairs": f"A/representation {LISTED} {PAIRS.replace(TRAINING, TRAIN)} --out OUT",
    "tune-threshold": "A/pairs --out OUT",
    "train-typing": f"A/world/sentences.tsv {LEXICONS.replace('world/', 'A/world/')} --embedding 2 --hidden 2 {TRAIN} "
    "--out OUT",
    "train-mentions": f"A/representation A/world/mentions.tsv {TRAIN} --out OUT",
    "train-baseline attention": f"{LISTED} --hidden 2 --word-dimensions 2 --learning-rates 0.01 {TRAIN} "
    "--batch-negatives 4 --out OUT",
    "train-baseline kge": f"{LISTED} --dimensions 4 --epochs 4 --no-search --device cpu --out OUT",
    "combine-pairs": "A/degree A/kge --folds 2 --out OUT",
    "train-inductive": f"A/pairs A/graph --width 4 --bases 2 {TRAIN} --out OUT",
    "hold-out-pairs": "A/corpus --relations A/world/relations.tsv --positives 3 --out OUT",
    "score-pairs": "A/pairs A/world/candidates.csv --chunk-rows 512 --out OUT.csv",
    "propose-pairs": "A/pairs --types GENE,DISEASE --out OUT.csv",
    "rank-pairs": "A/pairs --source-type GENE --target-type DISEASE --out OUT.csv",
    "build-index": "A/representation --from-corpus A/corpus --samples 2 --out OUT",
    "update-index": "A/index --add A/world/candidates.csv --out OUT",
    "rebuild-index": "A/index --out OUT",
    "export kgx": "A/world/scored.csv --pairs A/pairs --threshold 0 --primary-knowledge-source infores:test "
    "--date 2026-01-01 --out OUT",
}
"""Each verb that works long or writes much, on the tiny artifacts."""
CHEAP = {"build-corpus", "train-pairs", "build-index", "export kgx"}
"""Verbs on which every run of the tests tries the other ways too."""
APART = frozenset({"run.json", LOG})
"""Clock and durations."""


def arguments_of(verb: str, home: Path) -> list[str]:
    words = COMMANDS[verb].replace("A/", f"{PLACE}/").replace("OUT", str(home / "result")).split()
    return [*verb.split(), *words]


@cache
def undisturbed(verb: str, home: Path) -> tuple[End, dict[str, bytes]]:
    """How the verb ends when it is left alone, and what it leaves."""
    home.mkdir()
    end = run(arguments_of(verb, home))
    assert end.code == 0, end.err
    return end, content_of(home, APART)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("undisturbed")


def disturb_and_repeat(verb: str, way: str, homes: Path, home: Path, seed: int) -> None:
    """One disturbance at a moment drawn by the seed, then the same command again."""
    end, expected = undisturbed(verb, homes / verb.replace(" ", "-"))
    rng = random.Random(seed)
    largest = max(map(len, expected.values()))
    at = rng.randint(1, largest - 1) if way == "EFBIG" else rng.randint(1, end.changes)
    print(f"{way} at {at} of {largest if way == 'EFBIG' else end.changes}, seed {seed}")
    home.mkdir()
    first = run(arguments_of(verb, home), way, at)
    if way in ("ENOSPC", "EFBIG") and first.code:
        assert first.code == 1, first
        assert first.err.splitlines()[-1].startswith("kgrel: "), first.err
    elif way == "SIGINT" and first.code:
        assert first.code == 130, first
        assert first.err.splitlines()[-1] == "interrupted", first.err
    elif first.code:
        assert first.code in ({-9} if way == "SIGKILL" else {-15, 130}), first
    arguments = arguments_of(verb, home)
    again = run(arguments)
    if again.code == 1 and "exists already" in again.err:  # the first had come to its end but for clearing away
        again = run([*arguments, "--overwrite"])
    assert again.code == 0, again.err
    assert content_of(home, APART).keys() == expected.keys()
    for name, content in content_of(home, APART).items():
        assert content == expected[name], name


def fixed_seed(verb: str, way: str, attempt: int) -> int:
    """The same moments in every run, so that a failure is due to a change; other ones are tried at night."""
    return zlib.crc32(f"{verb} {way} {attempt}".encode())


@pytest.mark.parametrize(
    ("verb", "attempt"),
    [
        pytest.param(verb, attempt, marks=pytest.mark.nightly if attempt and verb not in CHEAP else ())
        for verb in COMMANDS
        for attempt in range(2)
    ],
)
def test_a_command_that_is_killed_and_repeated_ends_the_same(
    verb: str, attempt: int, homes: Path, tmp_path: Path
) -> None:
    disturb_and_repeat(verb, "SIGKILL", homes, tmp_path / "home", fixed_seed(verb, "SIGKILL", attempt))


@pytest.mark.parametrize("way", [way for way in WAYS if way != "SIGKILL"])
@pytest.mark.parametrize("verb", [verb for verb in COMMANDS if verb in CHEAP])
def test_a_command_that_is_disturbed_and_repeated_ends_the_same(
    verb: str, way: str, homes: Path, tmp_path: Path
) -> None:
    disturb_and_repeat(verb, way, homes, tmp_path / "home", fixed_seed(verb, way, 0))


@pytest.mark.nightly
@pytest.mark.parametrize("attempt", range(20))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("verb", COMMANDS)
def test_commands_disturbed_all_night_end_the_same(
    verb: str, way: str, attempt: int, homes: Path, tmp_path: Path
) -> None:
    disturb_and_repeat(verb, way, homes, tmp_path / "home", random.randrange(2**32))
