from __future__ import annotations

import csv
from pathlib import Path

from kgrel.data.entities import class_of_types, parse_entity
from kgrel.synthetic import World, WorldSettings, make_world, write_world

HEADERS = {
    "sentences.tsv": "doc_id sentence",
    "genes.tsv": "entrez_id symbol type name synonyms",
    "diseases.tsv": "doid name synonyms alt_ids xrefs",
    "chemicals.tsv": "drugbank_id name synonyms cas",
    "relations.tsv": "class metaedge source_id source_name target_id target_name",
    "nodes.tsv": "id name kind",
    "edges.sif": "source metaedge target",
    "truth.tsv": "source target related metaedges",
}


def rows(path: Path) -> list[dict[str, str]]:
    header, *lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def candidates(files: dict[str, Path]) -> list[tuple[str, str]]:
    with files["candidates.csv"].open(newline="", encoding="utf-8") as stream:
        return [(row["source"], row["target"]) for row in csv.DictReader(stream)]


def test_tables_have_the_columns_of_the_real_data(files: dict[str, Path]) -> None:
    assert set(files) == {*HEADERS, "candidates.csv"}
    for name, header in HEADERS.items():
        assert files[name].read_text(encoding="utf-8").split("\n")[0].split("\t") == header.split()
        assert rows(files[name])


def test_the_same_world_gives_the_same_bytes(files: dict[str, Path], tmp_path: Path) -> None:
    for name, path in write_world(make_world(WorldSettings.small()), tmp_path / "again").items():
        assert path.read_bytes() == files[name].read_bytes()


def test_relations_list_what_is_listed_and_no_candidate(small_world: World, files: dict[str, Path]) -> None:
    by_id = {entity.id: row for row, entity in enumerate(small_world.entities)}
    listed: dict[tuple[int, int], set[str]] = {}
    for row in rows(files["relations.tsv"]):
        source, target = by_id[row["source_id"]], by_id[row["target_id"]]
        one, other = small_world.entities[source], small_world.entities[target]
        assert (row["source_name"], row["target_name"]) == (one.name, other.name)
        assert row["class"] == class_of_types(one.type, other.type)
        assert small_world.relations[row["metaedge"]][source, target]
        listed.setdefault((source, target), set()).add(row["metaedge"])
    expected = {tuple(pair) for pair in small_world.pairs[small_world.listed].tolist()}
    assert set(listed) == expected
    assert all(metaedges == set(small_world.metaedges(*pair)) for pair, metaedges in listed.items())
    assert any(len(metaedges) == 2 for metaedges in listed.values())
    unseen = {(by_id[source], by_id[target]) for source, target in candidates(files)}
    assert not unseen & {pair for one, other in listed for pair in ((one, other), (other, one))}


def test_truth_answers_each_candidate_in_order(small_world: World, files: dict[str, Path]) -> None:
    answers = rows(files["truth.tsv"])
    assert [(row["source"], row["target"]) for row in answers] == candidates(files)
    for row, pair in zip(answers, small_world.candidates.tolist(), strict=True):
        metaedges = set(filter(None, row["metaedges"].split("|")))
        assert metaedges == set(small_world.metaedges(*pair))
        assert row["related"] == ("1" if metaedges else "0")
    assert {row["related"] for row in answers} == {"0", "1"}


def test_ids_need_no_type_to_be_told_apart(small_world: World, files: dict[str, Path]) -> None:
    ids = [entity.id for entity in small_world.entities]
    for pair in candidates(files):
        for text in pair:
            assert ids.count(parse_entity(text).id) == 1


def test_the_graph_is_closed_and_hides_what_is_not_listed(files: dict[str, Path]) -> None:
    nodes = [row["id"] for row in rows(files["nodes.tsv"])]
    assert len(set(nodes)) == len(nodes)
    edges = rows(files["edges.sif"])
    assert {row["source"] for row in edges} | {row["target"] for row in edges} <= set(nodes)
    between_entities = {
        (row["metaedge"], row["source"].split("::")[1], row["target"].split("::")[1])
        for row in edges
        if row["metaedge"] != "GpPW"
    }
    relations = {(row["metaedge"], row["source_id"], row["target_id"]) for row in rows(files["relations.tsv"])}
    assert between_entities == relations
    assert any(row["metaedge"] == "GpPW" for row in edges)
