"""The verbs of relation search as a user meets them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgrel.search.index import RelationIndex

Kgrel = Callable[..., Any]


@pytest.fixture(scope="module")
def built(
    corpus_path: Path, representation_path: Path, world_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An index made by the verb."""
    from click.testing import CliRunner

    from kgrel_cli.build_index import command

    out = tmp_path_factory.mktemp("verbs") / "index"
    given = [str(representation_path), "--from-corpus", str(corpus_path), "--out", str(out), "--samples", "2"]
    given += ["--relations", str(world_files["relations.tsv"]), "--recall-queries", "0", "--json"]
    result = CliRunner().invoke(command, given, catch_exceptions=False)
    assert result.exit_code == 0
    return out


def ids_of(built: Path, row: int) -> tuple[str, str]:
    index = RelationIndex.open(built)
    head, tail = index.pairs.heads[row], index.pairs.tails[row]
    return tuple(f"{index.entities.types[side]}::{index.entities.ids[side]}" for side in (head, tail))  # type: ignore[return-value]


def test_a_search_is_a_table_json_or_a_file(kgrel: Kgrel, built: Path, tmp_path: Path) -> None:
    pair = ids_of(built, 3)
    shown = kgrel("search-index", built, "--pair", *pair, "--top", 4)
    assert shown.code == 0
    assert len(shown.out.decode().splitlines()) == 5
    answers = kgrel("search-index", built, "--pair", *pair, "--top", 4, "--json").json["answers"]
    assert [answer["rank"] for answer in answers] == [1, 2, 3, 4]
    kgrel("search-index", built, "--pair", *pair, "--top", 4, "--out", tmp_path / "found.csv")
    with (tmp_path / "found.csv").open() as stream:
        assert [row["target"] for row in csv.DictReader(stream)] == [answer["target"] for answer in answers]
    streamed = kgrel("search-index", built, "--pair", *pair, "--out", "-", "--output-format", "jsonl")
    assert json.loads(streamed.out.splitlines()[0])["rank"] == 1


def test_pairs_are_removed_and_the_index_rebuilt_in_place(kgrel: Kgrel, built: Path, tmp_path: Path) -> None:
    index, pair = shutil.copytree(built, tmp_path / "index"), ids_of(built, 3)
    (tmp_path / "gone.csv").write_text("source,target\n{},{}\n".format(*pair))
    removed = kgrel("update-index", index, "--remove", tmp_path / "gone.csv", "--json").json
    assert (removed["removed"], removed["rows"]["removed"]) == (1, 1)
    rebuilt = kgrel("rebuild-index", index, "--factory", "HNSW8", "--json").json
    assert (rebuilt["removed"], rebuilt["factory"], rebuilt["rows"]["dropped"]) == (0, "HNSW8", 1)
    assert kgrel("search-index", index, "--pair", *pair, "--json").json["indexed"] is False


def test_pairs_are_only_called_novel_where_it_is_known_what_is_listed(
    kgrel: Kgrel, built: Path, representation_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    index, pair = shutil.copytree(built, tmp_path / "index"), ids_of(built, 3)
    (tmp_path / "some.csv").write_text("source,target\n{},{}\n{},{}\n".format(*pair, *ids_of(built, 4)))
    assert "added ones would count as novel" in kgrel("update-index", index, "--add", tmp_path / "some.csv").err
    told = ("--relations", world_files["relations.tsv"])
    assert kgrel("update-index", index, "--add", tmp_path / "some.csv", *told, "--json").json["rows"]["added"] == 0
    assert (
        kgrel("build-index", representation_path, "--pairs", tmp_path / "some.csv", "--out", tmp_path / "two").code == 0
    )
    asked = kgrel("search-index", tmp_path / "two", "--pair", *pair, "--top", 1, "--novel-only")
    assert (asked.code, "which pairs are novel is not known" in asked.err) == (1, True)


def test_an_index_whose_pairs_are_all_removed_says_so(
    kgrel: Kgrel, representation_path: Path, world_files: dict[str, Path], built: Path, tmp_path: Path
) -> None:
    table = RelationIndex.open(built).pairs
    pair = ids_of(built, next(row for row, name in enumerate(table.relations) if name == "GENE-GENE"))
    (tmp_path / "one.csv").write_text("source,target\n{},{}\n".format(*pair))
    told = ("--pairs", tmp_path / "one.csv", "--relations", world_files["relations.tsv"])
    kgrel("build-index", representation_path, *told, "--out", tmp_path / "index")
    kgrel("update-index", tmp_path / "index", "--remove", tmp_path / "one.csv")
    assert "all pairs that are listed with 'GENE-GENE' were removed" in kgrel(
        "search-index", tmp_path / "index", "--relation", "GENE-GENE"
    ).err  # fmt: skip
    assert "all its pairs are removed" in kgrel("rebuild-index", tmp_path / "index").err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "give one of --pair"),
        (["--pair", "GENE::1", "nobody"], 1, "no entity 'nobody'"),
        (["--sentence", "nothing is marked"], 1, "must name two different entities"),
        (["--relation", "Nothing"], 1, "is listed with 'Nothing'"),
        (["--relation", "GENE-GENE", "--top", "99999"], 1, "is more than the"),
        (["--relation", "GENE-GENE", "--novel-only", "--with-relation", "GENE-GENE"], 1, "not novel"),
    ],
)
def test_a_wrong_question_is_one_sentence(
    kgrel: Kgrel, built: Path, arguments: list[str], code: int, said: str
) -> None:
    outcome = kgrel("search-index", built, *arguments)
    assert outcome.code == code
    assert said in outcome.err
    assert outcome.out == b""


def test_another_representation_and_no_index_are_refused(
    kgrel: Kgrel, built: Path, corpus_path: Path, representation_path: Path
) -> None:
    assert (
        "an index artifact is needed; kgrel build-index makes one"
        in kgrel("search-index", corpus_path, "--entity", "x").err
    )
    pair = ids_of(built, 0)
    same = kgrel("search-index", built, "--pair", *pair, "--representation", representation_path)
    assert same.code == 0
    assert kgrel("build-index", representation_path, "--out", built).code == 2


def test_explain_modes_and_map_are_verbs(
    kgrel: Kgrel, built: Path, pairs_path: Path, representation_path: Path, tmp_path: Path
) -> None:
    pair = ids_of(built, 3)
    found = kgrel("explain", pairs_path, *pair, "--index", built, "--html", tmp_path / "page.html", "--json").json
    assert set(found["omitted"]) == {"sentences", "paths", "modes"}
    assert (tmp_path / "page.html").is_file()
    modes = kgrel("relation-modes", representation_path, *pair, "--samples", 512, "--bootstraps", 1)
    assert "left out: pairs, no index was given" in modes.out.decode()
    drawn = kgrel("map-relations", built, "--html", tmp_path / "map.html", "--method", "pca", "--json").json
    assert drawn["pairs"] > 10
