"""One command makes what train-pairs, train-baseline and combine-pairs make by hand, and never twice."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kgrel.apps import train_combined as module
from kgrel.apps.settings import TrainCombinedSettings
from kgrel.apps.train_combined import train_combined
from kgrel.baselines.baseline import shared_settings
from kgrel.data.artifact import MANIFEST, UNFINISHED
from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Silent
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.model.representation import Representation
from kgrel.score.combine import combine_pairs
from kgrel.score.combined import Combined
from kgrel.score.opening import open_scorer
from kgrel.score.settings import CombineSettings
from kgrel.text.corpus import Corpus
from kgrel.train.pair_artifact import refuse_other_split
from kgrel.train.settings import SplitSettings
from tests.graph.conftest import graph_of
from tests.members import few_steps

SETTINGS = TrainCombinedSettings(
    split="degree-matched", validation_share=0.2, per_class_thresholds=True, seed=3, split_seed=5, folds=2, device="cpu"
)
NAMES = ["kgrel-fine-tuned", "complex", "label-only", "count", "adamic-adar", "degree"]
Train = Callable[..., dict[str, Any]]


class StepsOfTheClassifier(Silent):
    """What the classifier's training tells of its steps, and a crash once it has taken a number of them."""

    def __init__(self, most: int = 1000) -> None:
        self.most, self.inside, self.told = most, False, list[int]()

    def start(self, task: str, total: int | None) -> None:
        self.inside = task == "train-pairs"

    def advance(self, units: int, note: str = "") -> None:
        if self.inside:
            self.told.append(units)
        if sum(self.told) >= self.most:
            raise SystemExit


@pytest.fixture(scope="module", autouse=True)
def _few_steps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        few_steps(patch)
        yield


@pytest.fixture(scope="module")
def train(corpus_path: Path, representation_path: Path, world_files: dict[str, Path]) -> Train:
    """The function with the inputs of the small world, of which a test can give others."""
    inputs = {
        "representation": Representation.open(representation_path),
        "corpus": Corpus.open(corpus_path),
        "relations": world_files["relations.tsv"],
        "settings": SETTINGS,
    }
    return lambda out, **others: train_combined(out=out, **inputs | others)


@pytest.fixture(scope="module")
def home(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it was run once."""
    place = tmp_path_factory.mktemp("home")
    summary = train(place / "combined")
    assert (summary["members"], summary["trained"]) == (str(place / "combined-members"), NAMES)
    return place


@pytest.fixture
def members(home: Path, tmp_path: Path) -> Path:
    """A copy of the members for each test, beside which ``combined`` is missing."""
    return Path(shutil.copytree(home / "combined-members", tmp_path / "combined-members"))


@pytest.fixture
def walked(world_files: dict[str, Path], tmp_path: Path) -> Graph:
    import_graph([world_files["nodes.tsv"], world_files["edges.sif"]], tmp_path / "graph")
    return Graph.open(tmp_path / "graph")


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: Any, **__: Any) -> None:
        raise AssertionError("something is trained")

    monkeypatch.setattr(module, "train_pairs", train)
    monkeypatch.setattr(module, "train_baseline", train)


def content_of(place: Path) -> dict[str, bytes]:
    """The files of members, but for clock and log."""
    files = [path for path in sorted(place.rglob("*")) if path.is_file() and path.name not in ("run.json", "log.jsonl")]
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


def test_the_members_have_one_split_and_what_else_their_recipes_say(home: Path) -> None:
    opened = {name: open_scorer(home / "combined-members" / name) for name in NAMES}
    assert {path.name for path in (home / "combined-members").iterdir()} == {*NAMES}
    for name, member in opened.items():
        refuse_other_split(opened[NAMES[0]], member)
        assert shared_settings(SplitSettings, member.settings) == shared_settings(SplitSettings, SETTINGS)
        assert getattr(member.settings, "device", "cpu") == "cpu"
        same = shared_settings(SplitSettings, SplitSettings()) | {"device": "auto"}
        same = {key: value for key, value in same.items() if hasattr(member.settings, key)}
        assert dataclasses.replace(member.settings, **same) == module.MEMBERS[name][1]


def test_what_comes_out_is_what_combine_pairs_makes_of_the_members(home: Path, tmp_path: Path) -> None:
    weighing = CombineSettings(folds=2, per_class_thresholds=True, title="kgrel combined")
    combine_pairs([home / "combined-members" / name for name in NAMES], tmp_path / "by hand", weighing)
    assert content_of(tmp_path / "by hand") == content_of(home / "combined")
    combined = Combined.open(home / "combined")
    assert (combined.title, combined.settings.split, combined.settings.seed) == ("kgrel combined", "degree-matched", 3)


@pytest.mark.usefixtures("no_training")
def test_a_second_call_trains_nothing_again(train: Train, home: Path, members: Path) -> None:
    before = content_of(members)
    assert train(members.with_name("combined"))["trained"] == []
    assert content_of(members.with_name("combined")) == content_of(home / "combined")
    with pytest.raises(KgrelError, match="combined exists already"):
        train(members.with_name("combined"))
    assert train(members.with_name("combined"), overwrite=True)["trained"] == []
    assert train(members.with_name("other"), members=members)["trained"] == []
    assert content_of(members) == before


def test_what_an_interruption_left_out_is_made_up_for(train: Train, home: Path, members: Path) -> None:
    shutil.rmtree(members / "complex")
    shutil.rmtree(members / "degree")
    (members / "degree").mkdir()
    assert train(members.with_name("combined"))["trained"] == ["complex", "degree"]
    assert content_of(members) == content_of(home / "combined-members")
    assert content_of(members.with_name("combined")) == content_of(home / "combined")


def test_a_killed_training_goes_on_from_its_checkpoint(train: Train, home: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        train(tmp_path / "combined", progress=StepsOfTheClassifier(10))
    classifier = tmp_path / "combined-members" / "kgrel-fine-tuned"
    assert (classifier / "checkpoint-000000008").is_dir()
    with pytest.raises(KgrelError, match=r"kgrel-fine-tuned was made with another seed; .* or delete"):
        train(tmp_path / "combined", settings=dataclasses.replace(SETTINGS, seed=4))
    steps = StepsOfTheClassifier()
    assert train(tmp_path / "combined", progress=steps)["trained"] == ["kgrel-fine-tuned"]
    assert steps.told == [8, 1, 1, 1, 1]
    assert content_of(tmp_path / "combined-members") == content_of(home / "combined-members")
    assert content_of(tmp_path / "combined") == content_of(home / "combined")


def test_a_member_is_not_finished_before_its_run_is_cleared_away(train: Train, home: Path, members: Path) -> None:
    complete = content_of(members)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kgrel.train.run.Run.close", lambda _: exit())
        shutil.rmtree(members / "count")
        with pytest.raises(SystemExit):
            train(members.with_name("combined"))
    assert (members / "count" / MANIFEST).exists()
    assert (members / "count" / UNFINISHED).exists()
    assert train(members.with_name("combined"))["trained"] == ["count"]
    assert content_of(members) == complete


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"seed": 4}, "seed"),
        ({"split_seed": None, "test_share": 0.2}, "split_seed, test_share"),
        ({"device": "auto"}, "device"),
    ],
)
def test_a_member_of_other_settings_is_refused_before_anything_is_trained(
    train: Train, members: Path, change: dict[str, Any], names: str
) -> None:
    shutil.rmtree(members / "degree")
    with pytest.raises(KgrelError, match=rf"kgrel-fine-tuned was made with another {names}; give another --members"):
        train(members.with_name("combined"), settings=dataclasses.replace(SETTINGS, **change))
    assert not (members / "degree").exists()


@pytest.mark.usefixtures("no_training")
def test_a_member_of_other_inputs_is_refused(train: Train, members: Path, world_files: dict[str, Path]) -> None:
    other = members.with_name("relations.tsv")
    other.write_text("".join(world_files["relations.tsv"].read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(KgrelError, match="kgrel-fine-tuned was made with another relations;"):
        train(members.with_name("combined"), relations=other)
    shutil.rmtree(members / "complex")
    shutil.copytree(members / "degree", members / "complex")
    with pytest.raises(KgrelError, match="complex: holds a degree artifact, but a kge artifact is needed"):
        train(members.with_name("combined"))
    shutil.rmtree(members / "complex")
    (members / "complex").mkdir()
    (members / "complex" / "notes.txt").write_text("mine")
    with pytest.raises(KgrelError, match="complex: no manifest"):
        train(members.with_name("combined"))


@pytest.mark.usefixtures("no_training")
def test_a_recipe_that_changed_since_is_seen(train: Train, members: Path) -> None:
    shutil.rmtree(members / "degree")
    shutil.copytree(members / "adamic-adar", members / "degree")
    with pytest.raises(KgrelError, match="degree was made with another measure;"):
        train(members.with_name("combined"))


def test_with_a_graph_path_counts_join(train: Train, members: Path, walked: Graph) -> None:
    summary = train(members.with_name("combined"), graph=walked)
    assert summary["trained"] == ["path-counts"]
    assert summary["held_out"]["edges"] > 0 == summary["held_out"]["edges_left"]
    combined = Combined.open(members.with_name("combined"))
    assert [member.title for member in combined.members][-1] == "path counts"
    assert len(combined.members) == len(NAMES) + 1
    other = dataclasses.replace(walked, artifact=dataclasses.replace(walked.artifact, hash="0"))  # type: ignore[type-var]
    with pytest.raises(KgrelError, match="path-counts was made with another walked_graph;"):
        train(members.with_name("combined"), graph=other, overwrite=True)


@pytest.mark.usefixtures("no_training")
def test_what_can_be_told_early_is_told_before_anything_is_trained(
    train: Train, representation_path: Path, tmp_path: Path
) -> None:
    representation, out = Representation.open(representation_path), tmp_path / "outputs" / "combined"
    e = representation.entities
    turned = EntityTable(e.types[::-1], e.ids[::-1], e.names[::-1], e.alternatives[::-1])
    elsewhere = graph_of([("GENE:x", "GiG", "GENE:y")])
    for words, others in {
        "its entities are not those of": {"representation": dataclasses.replace(representation, entities=turned)},
        "needs a representation of identifiers": {"representation": dataclasses.replace(representation, by_type=True)},
        "needed to weigh the members": {"settings": dataclasses.replace(SETTINGS, folds=10_000)},
        "no entity of the pairs is in the graph": {"graph": elsewhere},
        "too few to split": {"settings": dataclasses.replace(SETTINGS, validation_share=0.0)},
        "is an artifact, not a directory of members": {"members": representation_path},
        "cannot hold the members": {"members": ""},
        "cannot be within the output": {"members": out},
        "complex cannot be within the output": {"members": out.parent, "out": out.with_name("complex")},
    }.items():
        with pytest.raises(KgrelError, match=words):
            train(**{"out": out} | others)
        assert not out.parent.exists(), words
