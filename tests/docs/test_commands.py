"""Every command of README and docs is executed in order, in small, or is listed here with the reason why not."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgrel.apps.explore.reviews import Reviews
from kgrel.graph.build import import_graph
from kgrel.score.stream import score_file
from kgrel.train.pair_model import PairModel
from kgrel_cli.main import cli
from tests.docs.pages import PAGES, PROGRAMS, ROOT, Command, blocks, commands_of
from tests.export.conftest import kgrel

__all__ = ["kgrel"]
COMMANDS = [command for page in PAGES for command in commands_of(page)]

NOT_HERE = {
    r"make (demo|test)": "runs for minutes; the first is tests/apps/test_demo.py, the second runs this",
    r"kgrel demo\b": "tests/apps/test_demo.py runs it; here its files are made in small",
    r"kgrel explore\b": "serves until it is ended; tests/apps/explore runs its page",
    r"kgrel export neo4j (?!.*--dry-run)": "needs a running database; tests/docs/test_export.py has one",
    r"sh neo4j-files/import\.sh": "calls neo4j-admin",
    r"export KGREL_NEO4J_PASSWORD": "sets a password",
    r"pip install": "installs",
    r"curl": "downloads",
    r"torchrun\b|kgrel pretrain .*--devices 4": "needs several devices; tests/train/test_devices.py has two",
    r"kgrel .*--device cuda": "needs a GPU",
    r"kgrel score-pairs .*--engine ray": "needs Ray; tests/score/test_ray_engine.py starts it where it is installed",
    r"kgrel build-index .*IVF16384": "needs 655,360 vectors to be trained",
    r"kgrel build-corpus .*--lexicon … ": "stands for the options of the command above it",
    r"kgrel train-typing .*--gold": "needs gold mentions of ambiguous names; tests/train/test_train_typing.py has them",
    r"kgrel calibrate": "needs more covered pairs than the small world has; tests/train/test_calibrate.py has them",
    r"kgrel cross-validate-mentions": "needs the ten folds of GAD; tests/evaluate/test_cross_validation.py makes some",
    r"tutorial-hetionet: kgrel evaluate-pairs": "the small world has too few treatments; README.md evaluates",
    r"kgrel evaluate-pairs pairs --beside npmi": "needs pairs enough to resample; tests/cli/test_baselines.py does it",
}
"""Pattern of a command → why it is not executed."""
LONG = {
    "docs/accelerators.md", "docs/evaluation.md", "docs/pretraining.md", "docs/reproducing.md",
    "docs/tutorial-hetionet.md", "docs/tutorial-own-text.md",
}  # fmt: skip
"""Pages whose commands take many seconds even in small."""
ELSEWHERE = {"docs/export.md": "tests/docs/test_export.py", "docs/graph.md": "tests/docs/test_graph.py"}
"""Pages whose commands another test executes whole."""
TRAINING = ["--steps", "4", "--batch-size", "16", "--device", "cpu"]
SMALL = {
    "pretrain": ["--size", "tiny", *TRAINING],
    "train-pairs": [*TRAINING, "--batch-negatives", "8"],
    "train-mentions": [*TRAINING, "--prediction-samples", "2"],
    "train-baseline label-only": ["--steps", "4"],
    "train-baseline kge": ["--epochs", "1", "--dimensions", "8"],
    "train-baseline attention": ["--steps", "2"],
    "train-typing": ["--steps", "4", "--device", "cpu"],
    "build-index": ["--samples", "2", "--recall-queries", "0"],
    "evaluate-pairs": ["--draws", "100", "--no-baselines"],
    "rebuild-index": ["--recall-queries", "0"],
    "export": ["--threshold", "0.0"],
    "hold-out-pairs": ["--positives", "5"],
}
"""Verb → options that make it small; the barely trained classifier may leave every score below its threshold."""
ANOTHER = {
    "DISEASE::DOID:2841": "DISEASE::DOID:9000011",
    "CHEMICAL::DB00455": "CHEMICAL::DB90014",
    "YAHT14L": "GENE::4",
    "ripubasaemia": "DISEASE::DOID:9000006",
}
"""Entities of real data, and of the large generated world → of the small one."""


def reason(command: Command) -> str | None:
    """Why a command is not executed, if it is not."""
    return next((text for pattern, text in NOT_HERE.items() if matches(pattern, command)), None)


def matches(pattern: str, command: Command) -> bool:
    """Whether a pattern is of this command, alone or behind the name of its page."""
    return any(re.match(pattern, line) for line in (" ".join(command.words), str(command)))


def test_every_command_is_of_a_known_program() -> None:
    assert {command.words[0] for command in COMMANDS} <= {*PROGRAMS}


@pytest.mark.parametrize("pattern", NOT_HERE)
def test_every_exception_is_needed_and_names_a_test_that_is_there(pattern: str) -> None:
    assert any(matches(pattern, command) for command in COMMANDS)
    for path in re.findall(r"tests/\S+", NOT_HERE[pattern]):
        assert (ROOT / path.strip(";,")).exists(), path


def test_pages_that_another_test_executes_are_named_there() -> None:
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.words[0] == "kgrel" and "…" not in c.line], ids=str)
def test_every_command_has_the_verb_and_the_options_that_it_is_shown_with(command: Command) -> None:
    words = command.words[1:]
    context = cli.make_context("kgrel", list(words))
    name, verb, rest = cli.resolve_command(context, list(words))
    assert verb is not None
    verb.make_context(name, list(rest), parent=context)


Provide = Callable[[Path], None]


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes the working directory of a page: what ``kgrel demo`` leaves, and the files that the page assumes."""

    def prepare(page: str) -> Path:
        world: Path = request.getfixturevalue("world_files")["nodes.tsv"].parent
        artifact = {name: request.getfixturevalue(f"{fixture}_path") for name, fixture in
                    (("corpus", "corpus"), ("repr", "representation"), ("pairs", "pairs"))}  # fmt: skip
        (tmp_path / "demo").mkdir()
        for name, path in (artifact | {"world": world}).items():
            (tmp_path / "demo" / name).symlink_to(path)
        model = PairModel.open(artifact["pairs"])
        shutil.copy(world / "candidates.csv", tmp_path / "demo" / "candidates.csv")
        score_file(model, world / "candidates.csv", tmp_path / "demo" / "scored.csv")
        mentions: Path = request.getfixturevalue("mention_sentences")
        for name in ("labelled.tsv", "test.tsv"):
            shutil.copy(mentions, tmp_path / name)
        files = {"relations.tsv": world / "relations.tsv", "sentences.tsv": world / "sentences.tsv",
                 "genes.tsv": world / "genes.tsv", "chemicals.tsv": world / "chemicals.tsv"}  # fmt: skip
        for name, path in files.items():
            shutil.copy(path, tmp_path / name)
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        e, heads, tails = model.entities, *model.relations[:2]
        listed = tuple(f"{e.types[side[0]]}::{e.ids[side[0]]}" for side in (heads, tails))
        Reviews(tmp_path / "reviews.sqlite").put((listed[0], listed[1]), ("", ""), model.classes[0], "accepted")
        OF_PAGE.get(page, lambda *_: None)(tmp_path, artifact, mentions, world)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return prepare


def give(*names: str) -> Callable[..., None]:
    """Artifacts of the demo in the working directory itself."""

    def provide(desk: Path, artifact: dict[str, Path], mentions: Path, world: Path) -> None:
        for name in names:
            (desk / name).symlink_to(artifact[name])

    return provide


def sentences_to_classify(desk: Path, artifact: dict[str, Path], mentions: Path, world: Path) -> None:
    shutil.copy(mentions, desk / "sentences.tsv")


def evaluation_page(desk: Path, artifact: dict[str, Path], mentions: Path, world: Path) -> None:
    give("corpus", "repr", "pairs")(desk, artifact, mentions, world)
    import_graph([world / "nodes.tsv", world / "edges.sif"], desk / "graph")
    header, *rows = (world / "sentences.tsv").read_text(encoding="utf-8").splitlines()
    dated = [f"{header}\tdate", *(f"{row}\t{2000 + number % 20}" for number, row in enumerate(rows))]
    (desk / "sentences.tsv").write_text("\n".join(dated) + "\n", encoding="utf-8")


def mentions_page(desk: Path, artifact: dict[str, Path], mentions: Path, world: Path) -> None:
    sentences_to_classify(desk, artifact, mentions, world)
    (desk / "corpus").symlink_to(artifact["corpus"])


def search_page(desk: Path, artifact: dict[str, Path], mentions: Path, world: Path) -> None:
    lines = (world / "candidates.csv").read_text(encoding="utf-8").splitlines()
    for name, rows in (("pairs.csv", lines[1:4]), ("new.csv", lines[4:7]), ("withdrawn.csv", lines[4:5])):
        (desk / name).write_text("\n".join([lines[0], *rows]) + "\n", encoding="utf-8")


def hetionet_page(desk: Path, artifact: dict[str, Path], mentions: Path, world: Path) -> None:
    shutil.copy(world / "nodes.tsv", desk / "hetionet-v1.0-nodes.tsv")
    (desk / "hetionet-v1.0-edges.sif.gz").write_bytes(gzip.compress((world / "edges.sif").read_bytes()))


OF_PAGE: dict[str, Callable[..., None]] = {
    "README.md": sentences_to_classify,
    "docs/accelerators.md": give("corpus"),
    "docs/evaluation.md": evaluation_page,
    "docs/mentions.md": mentions_page,
    "docs/pretraining.md": give("corpus"),
    "docs/reproducing.md": give("corpus"),
    "docs/scale-out.md": give("repr"),
    "docs/search.md": search_page,
    "docs/tutorial-hetionet.md": hetionet_page,
}


def executed(page: str) -> list[Command]:
    """The commands of a page that are executed here."""
    return [command for command in commands_of(page) if reason(command) is None]


def here(command: Command) -> list[str]:
    """The arguments of a command with entities of the small world, and the options that make it small."""
    words = command.words[1:]
    for name, other in ANOTHER.items():
        words = [word.replace(name, other) for word in words]
    small = [more for start, more in SMALL.items() if " ".join(words).startswith(f"{start} ")]
    return [*words, *(option for more in small for option in more)]


def pages() -> list[Any]:
    """The pages that are executed here, the long ones at night."""
    short = [page for page in PAGES if page not in ELSEWHERE and executed(page)]
    return [pytest.param(page, marks=pytest.mark.nightly if page in LONG else ()) for page in short]


@pytest.mark.usefixtures("tiny_members")
@pytest.mark.parametrize("page", pages())
def test_the_commands_of_a_page_can_be_typed_in_one_after_the_other(
    page: str, desk: Callable[[str], Path], kgrel: Any
) -> None:
    place = desk(page)
    for command in executed(page):
        if command.words[0] == "kgrel":
            words = here(command)
            outcome = kgrel(*words)
            assert outcome.code == 0, (command.line, outcome.err)
        else:
            line = command.line.replace("python benchmarks/", f"python {ROOT}/benchmarks/")
            subprocess.run(line, shell=True, check=True, cwd=place, stdout=subprocess.DEVNULL)
        for out in re.findall(r"--(?:out|html|plots|png) (\S+)", command.line):
            assert (place / out).exists(), command.line


@pytest.mark.parametrize("page", ["docs/python.md", "README.md"])
def test_the_python_examples_run(page: str, desk: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    place = desk(page)
    if page == "README.md":
        (place / "pairs").symlink_to(place / "demo" / "pairs")
    (example,) = blocks(page, "python")
    exec(compile(example, page, "exec"), {})
    assert page == "README.md" or "entities," in capsys.readouterr().out
