from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kgrel.data.artifact import Artifact
from kgrel.data.errors import InputError, KgrelError
from kgrel.text import shards
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.text.disambiguation import Question
from kgrel.text.settings import BuildCorpusSettings

Inputs = list[tuple[str, Path]]


@pytest.fixture
def lexicons(genes: Path, diseases: Path) -> Inputs:
    return [("GENE", genes), ("DISEASE", diseases)]


@pytest.fixture
def many(write) -> list[Path]:
    """Two files of sentences, 60 in all."""
    names = ["ABC1", "WASP", "TIS", "gout", "fever"]
    lines = [f"{n // 7}\tthe {names[n % 5]} of {names[(n + 1 + n // 5) % 5]} in word{n}" for n in range(60)]
    head = "doc_id\tsentence\n"
    return [write(f"{k}.tsv", head + "\n".join(lines[k * 30 : k * 30 + 30]) + "\n") for k in (0, 1)]


def made(inputs: Sequence[Path], lexicons: Inputs, out: Path, processes: int = 1, **settings: Any) -> Artifact:
    return build_corpus(inputs, lexicons, out, BuildCorpusSettings(**settings), processes=processes)


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir() if file.name != "run.json"}


def test_processes_change_nothing(many: list[Path], lexicons: Inputs, tmp_path: Path) -> None:
    one = made(many, lexicons, tmp_path / "one", shard_sentences=10)
    two = made(many, lexicons, tmp_path / "two", processes=2, shard_sentences=10)
    assert contents(one.path) == contents(two.path)
    assert not list(tmp_path.glob(".*"))


def test_shards_change_nothing_but_the_setting(many: list[Path], lexicons: Inputs, tmp_path: Path) -> None:
    whole = made(many, lexicons, tmp_path / "whole").path
    parts = made(many, lexicons, tmp_path / "parts", shard_sentences=7).path
    differing = {name for name, content in contents(whole).items() if contents(parts)[name] != content}
    assert differing == {"manifest.json"}


class Stopped(Exception):
    """Stands for a kill."""


def test_a_run_that_was_stopped_goes_on_with_the_missing_shards(
    many: list[Path], lexicons: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = made(many, lexicons, tmp_path / "expected", shard_sentences=10)
    original, worked = shards.extract_shard, []

    def stop_at_third(tagger, settings, documents, path: Path) -> bool:
        worked.append(path.name)
        if len(worked) == 3:
            path.mkdir(parents=True)
            (path / "contexts.arrow").write_bytes(b"half")
            raise Stopped
        return original(tagger, settings, documents, path)

    monkeypatch.setattr(shards, "extract_shard", stop_at_third)
    with pytest.raises(Stopped):
        made(many, lexicons, tmp_path / "corpus", shard_sentences=10)
    assert not (tmp_path / "corpus").exists()
    with pytest.raises(KgrelError, match=r"another max_tokens.*--overwrite"):
        made(many, lexicons, tmp_path / "corpus", shard_sentences=10, max_tokens=99)
    resumed = made(many, lexicons, tmp_path / "corpus", shard_sentences=10)
    assert worked[:3] == ["shard-000000", "shard-000001", "shard-000002"]
    assert worked[3] == "shard-000002"
    assert contents(resumed.path) == contents(expected.path)
    assert not list(tmp_path.glob(".*"))


def test_what_a_kill_left_without_a_name_is_cleared_away(many: list[Path], lexicons: Inputs, tmp_path: Path) -> None:
    expected = made(many, lexicons, tmp_path / "expected", shard_sentences=10)
    work = tmp_path / ".corpus.shards"
    for left in ("", "shard-000000"):  # of making it, and of deleting that of another run
        (work / left).mkdir(parents=True)
        assert contents(made(many, lexicons, tmp_path / "corpus", shard_sentences=10).path) == contents(expected.path)
        assert not list(tmp_path.glob(".*"))
        shutil.rmtree(tmp_path / "corpus")


class Killer:
    """A disambiguator that kills its worker."""

    hash = "killer"

    def decide(self, questions: Sequence[Question]) -> list[str | None]:
        os.kill(os.getpid(), signal.SIGKILL)
        return []


def test_a_worker_that_dies_is_told_of(many: list[Path], lexicons: Inputs, write, tmp_path: Path) -> None:
    rival = write("rival.tsv", "id\tname\n9\tpyrexia\n")
    ambiguous = write("ambiguous.tsv", "doc_id\tsentence\n1\tpyrexia and gout\n")
    lexicons = [*lexicons, ("CHEMICAL", rival)]
    with pytest.raises(KgrelError, match="a worker process died"):
        build_corpus([ambiguous], lexicons, tmp_path / "corpus", processes=2, disambiguator=Killer())
    assert not (tmp_path / "corpus").exists()


def test_an_error_in_an_input_is_raised_with_several_processes_too(
    many: list[Path], lexicons: Inputs, write, tmp_path: Path
) -> None:
    bad = write("bad.tsv", "doc_id\tsentence\nbroken\n")
    with pytest.raises(InputError, match=r"bad\.tsv, line 2"):
        made([*many, bad], lexicons, tmp_path / "corpus", processes=2, shard_sentences=10, strict=True)
    assert not list(tmp_path.glob(".*"))


def test_a_sample_is_drawn_by_the_seed(many: list[Path], lexicons: Inputs, tmp_path: Path) -> None:
    def sampled(name: str, seed: int) -> int:
        return int(made(many, lexicons, tmp_path / name, sample=0.5, seed=seed).manifest.summary["documents"])

    counts = [sampled(f"c{seed}", seed) for seed in range(6)]
    assert counts[0] == sampled("again", 0)
    assert len(set(counts)) > 1
    assert all(0 < count < 10 for count in counts)


@pytest.mark.parametrize("share", [0.0, 1.5, -1.0])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(KgrelError, match="sample"):
        BuildCorpusSettings(sample=share)


def test_given_mentions_are_used_as_they_are(write, tmp_path: Path) -> None:
    line = (
        '{"doc_id": "5", "sentence": "AbC binds gout tightly.", "mentions": ['
        '{"start": 0, "end": 3, "type": "Protein", "id": "77"},'
        '{"start": 10, "end": 14, "type": "DISEASE", "id": "D:1"},'
        '{"start": 10, "end": 22, "type": "DISEASE", "id": "D:2"}, {"start": 12, "end": 23, "type": "GENE", "id": "8"},'
        '{"start": 4, "end": 9, "type": "GENE", "id": "-"}]}\n'
    )
    artifact = made([write("a.jsonl", line)], [], tmp_path / "corpus")
    corpus = Corpus.open(artifact.path)
    assert list(zip(corpus.entities.types, corpus.entities.ids, corpus.entities.names, strict=True)) == [
        ("DISEASE", "D:2", "gout tightly"),
        ("GENE", "77", "AbC"),
    ]
    summary = artifact.manifest.summary
    assert (summary["mentions_given"], summary["mentions_given_overlapping"]) == (2, 2)
    assert summary["mentions_given_without_id"] == 1


def test_given_entities_of_the_lexicon_have_its_names_and_numbers_agree_across_shards(
    write, lexicons: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line(first: str, second: str) -> str:
        return (
            '{"doc_id": "1", "sentence": "one two", "mentions": ['
            f'{{"start": 0, "end": 3, "type": "DISEASE", "id": "{first}"}},'
            f'{{"start": 4, "end": 7, "type": "DISEASE", "id": "{second}"}}]}}\n'
        )

    path = write("a.jsonl", line("X:1", "DOID:7") + line("X:2", "X:1"))
    monkeypatch.setattr("kgrel.text.documents.LONGEST_RUN", 1)
    corpus = Corpus.open(made([path], lexicons, tmp_path / "corpus", shard_sentences=1).path)
    assert corpus.entities.ids == ["DOID:1", "X:1", "X:2"]
    assert corpus.entities.names == ["fever", "one", "one"]
    assert [corpus.entities.ids[row] for row in corpus.contexts.heads] == ["X:1", "X:2"]
    assert [corpus.entities.ids[row] for row in corpus.contexts.tails] == ["DOID:1", "X:1"]


def test_text_without_mentions_needs_a_lexicon(write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="document a needs tagging"):
        made([write("a.txt", "Gout and fever.")], [], tmp_path / "corpus")
    assert not list(tmp_path.glob(".*"))


def test_plain_text_is_split_and_tagged(write, lexicons: Inputs, tmp_path: Path) -> None:
    corpus = Corpus.open(made([write("a.txt", "Gout is old. ABC1 is i.v. fever.\n")], lexicons, tmp_path / "c").path)
    assert [corpus.sentences.row(row) for row in range(len(corpus.sentences))] == [("a", "ABC1 is i.v. fever.")]


def test_sentences_beyond_the_limit_are_counted(write, lexicons: Inputs, tmp_path: Path) -> None:
    lines = "1\tgout and fever\n1\t" + "gout and fever " * 700_000 + "\n"
    summary = made([write("a.tsv", "doc_id\tsentence\n" + lines)], lexicons, tmp_path / "c").manifest.summary
    assert (summary["sentences_too_long"], summary["contexts"]) == (1, 1)


class FirstType:
    """A disambiguator that takes the first type it is asked for."""

    hash = "first type"

    def decide(self, questions: Sequence[Question]) -> list[str | None]:
        return [question.types[0] for question in questions]


def test_the_hash_of_a_disambiguator_stands_in_the_manifest(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    artifact = build_corpus([sentences], lexicons, tmp_path / "corpus", disambiguator=FirstType())
    assert artifact.manifest.parents["typing"] == "first type"
    summary = artifact.manifest.summary
    assert (summary["mentions_disambiguated"], summary["mentions_undecided"]) == (3, 0)
